"""What a backup holds, as its last file says it: a backup without one is unfinished."""

from __future__ import annotations

import hashlib
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

import orjson

from adapters.encryption import Keyring
from cluster.backup.parts import FORMAT, Part, check_format
from optionchain.errors import Damaged
from optionchain.wire.instants import instant_from_wire, instant_to_wire


@dataclass(frozen=True, slots=True)
class Sample:
    """A session whose next snapshot was computed when it was saved, and must be the same when it is back.

    Attributes:
        session: Its id.
        step: Of the snapshot.
        digest: SHA-256 of its body, in hexadecimal digits.
    """

    session: str
    step: int
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a backup holds.

    Attributes:
        id: Of the backup: when it was begun, and something of its own.
        started_at: Everything stands as it was then, or later.
        ended_at: And earlier than this.
        release: Of ours that made it.
        numerics: The arithmetic of that release: with the same, what a session shows next is the same to the byte.
        source: Whose stores, without passwords.
        is_point_in_time: Whether all of MongoDB is of one point in time; else each item is.
        sealed_by: The id of the key; None where it is not encrypted.
        parts: Of each kind, in order.
        not_saved: Collections of the database that no release of ours knew when it was made.
        samples: Sessions to prove it by.
        base: The backup that this one is an increment of; None where it is whole by itself.
        depth: How many backups come before it in its chain.
        held: How many items of each kind come back, those of the backups before it among them; empty where no
            increment may follow.
    """

    id: str
    started_at: datetime
    ended_at: datetime
    release: str
    numerics: str
    source: Mapping[str, str]
    is_point_in_time: bool
    sealed_by: str | None
    parts: Mapping[str, Sequence[Part]]
    not_saved: Sequence[str] = ()
    samples: Sequence[Sample] = field(default=())
    base: str | None = None
    depth: int = 0
    held: Mapping[str, int] = field(default_factory=dict)

    @property
    def counts(self) -> dict[str, int]:
        """How many items of each kind come back."""
        of_parts = {content: sum(part.items for part in parts) for content, parts in self.parts.items()}
        return dict(self.held) or of_parts

    @property
    def size(self) -> int:
        """Bytes of what it adds to the backups before it, before they were compressed."""
        return sum(part.size for parts in self.parts.values() for part in parts)


def manifest_json(manifest: Manifest, keyring: Keyring | None) -> bytes:
    """The file of a manifest: what it says, and what it is known by, which only a key can make where there is one."""
    said = _said(manifest)
    digest = hashlib.sha256(said).digest()
    proof = b64encode(keyring.seal(digest, _context(manifest.id)) if keyring else digest).decode()
    return orjson.dumps({"format": FORMAT, "proof": proof, "manifest": orjson.Fragment(said)})


def manifest_of(backup: str, content: bytes, keyring: Keyring | None) -> Manifest:
    """The manifest of a file.

    Args:
        backup: The id of the backup, as its folder is called.
        content: Of the file.
        keyring: To open it by; None proves nothing but that nobody has changed it by accident.

    Raises:
        Damaged: It is cut off, or was changed.
        CannotOpen: It is proven by a key that is not among ours.
        InvalidInput: It is of a newer format.
    """
    what = f"the manifest of backup {backup}"
    try:
        told = orjson.loads(content)
        format_, said, proof = int(told["format"]), told["manifest"], b64decode(told["proof"])
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        raise Damaged(what, "it is cut off, or no manifest") from error
    check_format(format_)
    if keyring is not None and said.get("sealed_by") is not None:
        proof = keyring.open(proof, _context(backup))
    is_proven = keyring is not None or said.get("sealed_by") is None
    if is_proven and proof != hashlib.sha256(_canonical(said)).digest():
        raise Damaged(what, "it is not what was written")
    try:
        return _manifest(said)
    except (KeyError, TypeError, ValueError) as error:
        raise Damaged(what, f"it does not say what a manifest says: {error}") from error


def _context(backup: str) -> bytes:
    return f"manifest of backup {backup}".encode()


def _said(manifest: Manifest) -> bytes:
    instants = {name: instant_to_wire(getattr(manifest, name)) for name in ("started_at", "ended_at")}
    parts = {content: [part.name for part in parts] for content, parts in manifest.parts.items()}
    return _canonical(asdict(manifest) | instants | {"parts": parts})


def _canonical(said: Mapping[str, Any]) -> bytes:
    return orjson.dumps(said, option=orjson.OPT_SORT_KEYS)


def _manifest(said: Mapping[str, Any]) -> Manifest:
    instants = {name: instant_from_wire(name, said[name]) for name in ("started_at", "ended_at")}
    parts = {content: [_part(name) for name in names] for content, names in said["parts"].items()}
    samples = [Sample(**each) for each in said["samples"]]
    return Manifest(**{**said, **instants, "parts": parts, "samples": samples})


def _part(name: str) -> Part:
    part = Part.named(name)
    if part is None:
        raise ValueError(name)
    return part
