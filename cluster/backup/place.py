"""Where backups are: a folder, or a URL of any file system that fsspec knows, with a folder for each backup."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, TypeVar

import orjson

from adapters.encryption import Keyring
from adapters.files.folders import Folder
from cluster.backup.manifest import Manifest, manifest_json, manifest_of
from cluster.backup.parts import Part
from optionchain.errors import CannotOpen, Damaged, InvalidInput, LeaseLost, NotFound, OptionChainError
from optionchain.wire.instants import instant_from_wire, instant_to_wire

T = TypeVar("T")
MANIFEST, VERIFIED, BEGUN, WRITER = "manifest.json", "verified.json", "begun.json", "writer.json"
PROBE = "writable"
LEAST_ROOM = 64 << 20


@dataclass(frozen=True, slots=True)
class Known:
    """A backup that is complete, as a list shows it.

    Attributes:
        manifest: What it holds, unproven where there is a problem; None where its manifest cannot be read.
        problem: Why not, or why it cannot be proven.
        verified_at: When it was last proven to come back.
    """

    id: str
    manifest: Manifest | None
    problem: str = ""
    verified_at: datetime | None = None


class Place:
    """The backups of one place.

    Args:
        url: Of the folder.
        field: What the caller calls it, in messages. To save to, a folder is made; to read from, it has to be there.

    Raises:
        InvalidInput: There is no such place, or it does not answer.
    """

    def __init__(self, url: str, field: Literal["to", "from"]) -> None:
        self.url = url
        self._field = field
        self._folder = self._tried(lambda: _opened(url, is_made=field == "to"))

    def check_writable(self) -> None:
        """Write something, and remove it.

        Raises:
            InvalidInput: It cannot be written to, or there is hardly any room.
        """
        try:
            self._tried(lambda: self._folder.write(PROBE, b""))
            self._tried(lambda: self._folder.remove(PROBE))
        except FileNotFoundError as error:
            raise InvalidInput(self._field, f"{self.url} cannot be written to: {_words(error)}") from error
        if _is_local(self.url) and (free := shutil.disk_usage(_path(self.url)).free) < LEAST_ROOM:
            raise InvalidInput(self._field, f"{self.url} has no room: {free:,} bytes are free there")

    def complete(self) -> list[str]:
        """The ids of the complete backups, the oldest first."""
        return [name.partition("/")[0] for name in self._tried(lambda: self._folder.names(f"*/{MANIFEST}"))]

    def unfinished(self) -> list[str]:
        """The ids of those that were begun, the oldest first."""
        begun = {name.partition("/")[0] for name in self._tried(lambda: self._folder.names("*/*/*.part"))}
        return sorted(begun - set(self.complete()))

    def known(self, keyring: Keyring | None = None) -> list[Known]:
        """The complete backups, the oldest first; of one that cannot be read, why."""
        return [self._known(backup, keyring) for backup in self.complete()]

    def manifest(self, backup: str, keyring: Keyring | None) -> Manifest:
        """What a backup holds.

        Raises:
            NotFound: There is no such backup, or it is unfinished.
            Damaged: Its manifest is.
            CannotOpen: It is sealed by another key.
            InvalidInput: It is of a newer format.
        """
        try:
            content = self._tried(lambda: self._folder.read(f"{backup}/{MANIFEST}"))
        except FileNotFoundError:
            raise NotFound("backup", backup) from None
        return manifest_of(backup, content, keyring)

    def chain(self, backup: str, keyring: Keyring | None) -> list[Manifest]:
        """What a backup and those that it is an increment of hold, the whole one first.

        Raises:
            Damaged: One of those is missing, or of another chain.
            OptionChainError: As `manifest`.
        """
        chain = [self.manifest(backup, keyring)]
        while (base := chain[0].base) is not None:
            try:
                earlier = self.manifest(base, keyring)
            except NotFound:
                raise Damaged(f"backup {backup}", f"it is an increment of {base}, which is missing") from None
            if earlier.depth != chain[0].depth - 1:
                raise Damaged(f"backup {backup}", f"it is no increment of {base}")
            chain.insert(0, earlier)
        return chain

    def begin(self, backup: str, source: Mapping[str, str], base: str | None) -> None:
        """Say whose stores an unfinished backup is of, and of which backup it is an increment."""
        self._write_json(f"{backup}/{BEGUN}", {"source": dict(source), "base": base})

    def begun_of(self, backup: str) -> str | None:
        """Of which backup an unfinished one is an increment."""
        found: str | None = self._read_json(f"{backup}/{BEGUN}").get("base")
        return found

    def source_of(self, backup: str) -> Mapping[str, str] | None:
        """Whose stores an unfinished backup is of; None where it does not say."""
        found: Mapping[str, str] | None = self._read_json(f"{backup}/{BEGUN}").get("source")
        return found

    def claim(self, backup: str) -> str:
        """Take up an unfinished backup; returns what `check_claim` knows this by."""
        token = secrets.token_hex(8)
        self._write_json(f"{backup}/{WRITER}", {"token": token})
        return token

    def check_claim(self, backup: str, token: str) -> None:
        """Refuse whoever was overtaken.

        Raises:
            LeaseLost: Somebody else has taken it up since.
        """
        if self._read_json(f"{backup}/{WRITER}").get("token") != token:
            raise LeaseLost("backup", backup)

    def finish(self, manifest: Manifest, keyring: Keyring | None) -> None:
        """Write the manifest: from now on there is this backup."""
        content = manifest_json(manifest, keyring)
        self._tried(lambda: self._folder.write(f"{manifest.id}/{MANIFEST}", content))

    def parts(self, backup: str) -> list[Part]:
        """The parts that are there, by kind and number."""
        names = self._tried(lambda: self._folder.names(f"{backup}/*/*.part"))
        found = [Part.named(name.partition("/")[2]) for name in names]
        return [part for part in found if part is not None]

    def has_parts(self, manifest: Manifest) -> bool:
        """Whether every part that a manifest tells of is there."""
        there = set(self.parts(manifest.id))
        return all(part in there for parts in manifest.parts.values() for part in parts)

    def read(self, backup: str, part: Part) -> bytes:
        """The file of a part.

        Raises:
            Damaged: There is none.
        """
        try:
            return self._tried(lambda: self._folder.read(f"{backup}/{part.name}"))
        except FileNotFoundError:
            raise Damaged(f"backup {backup}", f"its part {part.name} is missing") from None

    def write(self, backup: str, part: Part, content: bytes) -> None:
        """Store the file of a part."""
        self._tried(lambda: self._folder.write(f"{backup}/{part.name}", content))

    def drop(self, backup: str, part: Part) -> None:
        """Remove a part of an unfinished backup."""
        self._tried(lambda: self._folder.remove(f"{backup}/{part.name}"))

    def remove(self, backup: str) -> None:
        """Remove a backup, its manifest first: what is left of it, if this ends here, is an unfinished one."""
        if self._folder.names(f"{backup}/{MANIFEST}"):
            self._tried(lambda: self._folder.remove(f"{backup}/{MANIFEST}"))
        self._tried(lambda: self._folder.remove(backup))

    def verified(self, backup: str, instant: datetime) -> None:
        """Keep that a backup was proven to come back. Its manifest stays as it was written."""
        self._write_json(f"{backup}/{VERIFIED}", {"verified_at": instant_to_wire(instant)})

    def verified_at(self, backup: str) -> datetime | None:
        """When a backup was last proven to come back."""
        told = self._read_json(f"{backup}/{VERIFIED}").get("verified_at")
        return None if told is None else instant_from_wire("verified_at", told)

    def _write_json(self, name: str, told: Mapping[str, Any]) -> None:
        self._tried(lambda: self._folder.write(name, orjson.dumps(told)))

    def _read_json(self, name: str) -> Mapping[str, Any]:
        """What a small file says; nothing where there is none."""
        try:
            told: Mapping[str, Any] = orjson.loads(self._tried(lambda: self._folder.read(name)))
        except (FileNotFoundError, orjson.JSONDecodeError):
            return {}
        return told

    def _known(self, backup: str, keyring: Keyring | None) -> Known:
        try:
            return Known(backup, self.manifest(backup, keyring), verified_at=self.verified_at(backup))
        except CannotOpen as error:
            unproven = self.manifest(backup, None)
            return Known(backup, unproven, problem=str(error), verified_at=self.verified_at(backup))
        except OptionChainError as error:
            return Known(backup, None, problem=str(error))

    def _tried(self, ask: Callable[[], T]) -> T:
        """What a file system answers; whatever it raises but for a missing file becomes one message."""
        try:
            return ask()
        except (FileNotFoundError, LeaseLost):
            raise
        except InvalidInput as error:
            raise InvalidInput(self._field, f"{self.url} cannot be used: {error.reason}") from error
        except Exception as error:  # each kind of file system has errors of its own
            raise InvalidInput(self._field, f"{self.url} cannot be used: {_words(error)}") from error


def chosen(complete: Sequence[str], backup: str | None, as_of: datetime | None) -> str:
    """The id of the backup that is meant: this one, else the latest of the time.

    Raises:
        NotFound: There is none.
    """
    if backup is not None:
        if backup not in complete:
            raise NotFound("backup", backup)
        return backup
    earlier = [each for each in complete if as_of is None or begun_at(each) <= as_of]
    if not earlier:
        raise NotFound(
            "backup", "there is no complete one" if as_of is None else f"as of {instant_to_wire(as_of)}"
        )
    return earlier[-1]


def begun_at(backup: str) -> datetime:
    """When the backup of an id was begun."""
    return instant_from_wire("backup", f"{backup[:15]}Z")


def _opened(url: str, *, is_made: bool) -> Folder:
    """The folder of a URL. Who misspells a bucket, or what is read from, must not have a new one."""
    import fsspec  # noqa: PLC0415  as `Folder` does

    if _is_local(url):
        if not is_made and not Path(_path(url)).is_dir():
            raise InvalidInput("", "there is no such folder")
    else:
        files, root = fsspec.core.url_to_fs(url)
        bucket = root.partition("/")[0]
        try:
            files.ls(bucket, refresh=True)
        except FileNotFoundError:
            raise InvalidInput("", f"there is no bucket {bucket}") from None
    return Folder(url)


def _is_local(url: str) -> bool:
    return "://" not in url or url.startswith("file:")


def _path(url: str) -> str:
    return url.removeprefix("file://")


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".partition("\n")[0]
