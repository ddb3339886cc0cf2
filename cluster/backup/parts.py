"""A part of a backup: items of one kind as BSON, compressed, and sealed where there is a key.

Its name says how many items it holds, how many bytes they are and the SHA-256 of the file; its first document, where
reading goes on behind it. So a backup that was interrupted is known by its files alone.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

import bson
import pyarrow as pa
from bson.codec_options import CodecOptions
from bson.errors import InvalidBSON

from adapters.copies import Item
from adapters.encryption import Keyring
from optionchain.errors import Damaged, InvalidInput

FORMAT = 2
"""Of parts and manifests; a release reads its own and every earlier one."""

CODEC = "zstd"
_NAME = re.compile(
    r"(?P<content>[a-z_]+)/(?P<number>\d{6})-(?P<items>\d+)-(?P<size>\d+)-(?P<digest>[0-9a-f]{64})\.part"
)
_OPTIONS: CodecOptions[Item] = CodecOptions(tz_aware=True)


@dataclass(frozen=True, slots=True)
class Part:
    """A part as its name tells of it.

    Attributes:
        content: Which kind of items.
        number: From 0 for each kind.
        items: How many.
        size: Bytes before they were compressed.
        digest: SHA-256 of the file, in hexadecimal digits.
    """

    content: str
    number: int
    items: int
    size: int
    digest: str

    @property
    def name(self) -> str:
        """Of the file, in the folder of its backup."""
        return f"{self.content}/{self.number:06d}-{self.items}-{self.size}-{self.digest}.part"

    @classmethod
    def named(cls, name: str) -> Part | None:
        """The part of a file's name; None where it is none."""
        found = _NAME.fullmatch(name)
        if found is None:
            return None
        items, size = int(found["items"]), int(found["size"])
        return cls(found["content"], int(found["number"]), items, size, found["digest"])


@dataclass(frozen=True, slots=True)
class Coffer:
    """How the parts of one backup are packed.

    Attributes:
        backup: Its id.
        keyring: What seals; None for nothing.
    """

    backup: str
    keyring: Keyring | None

    def packed(
        self, content: str, number: int, items: Sequence[bytes], following: Item
    ) -> tuple[Part, bytes]:
        """A part, and the content of its file.

        Args:
            content: Which kind of items.
            number: Of the part.
            items: Each as BSON.
            following: Where reading goes on behind them.
        """
        head = bson.encode({"format": FORMAT, "content": content, "number": number, "next": following})
        plain = b"".join([head, *items])
        stored = pa.compress(plain, codec=CODEC, asbytes=True)
        if self.keyring is not None:
            stored = self.keyring.seal(stored, self._context(content, number))
        return Part(content, number, len(items), len(plain), hashlib.sha256(stored).hexdigest()), stored

    def unpacked(self, part: Part, stored: bytes) -> tuple[Item, list[Item]]:
        """Where reading goes on behind a part, and its items.

        Raises:
            Damaged: The file is not what was written.
            CannotOpen: It is sealed by a key that is not among ours.
            InvalidInput: It is of a newer format.
        """
        self.check(part, stored)
        if self.keyring is not None:
            stored = self.keyring.open(stored, self._context(part.content, part.number))
        try:
            plain = pa.decompress(stored, decompressed_size=part.size, codec=CODEC, asbytes=True)
            head, *items = bson.decode_all(plain, _OPTIONS)
        except (pa.ArrowException, InvalidBSON, ValueError) as error:
            raise Damaged(
                f"part {part.name} of backup {self.backup}", f"it cannot be read: {error}"
            ) from error
        check_format(head["format"])
        if (head["content"], head["number"], len(items)) != (part.content, part.number, part.items):
            raise Damaged(
                f"part {part.name} of backup {self.backup}", "it is another part than its name says"
            )
        return head["next"], items

    def check(self, part: Part, stored: bytes) -> None:
        """Refuse a file that is not what was written.

        Raises:
            Damaged: It is not.
        """
        if hashlib.sha256(stored).hexdigest() != part.digest:
            raise Damaged(
                f"part {part.name} of backup {self.backup}", "its bytes are not those that were written"
            )

    def _context(self, content: str, number: int) -> bytes:
        return f"backup {self.backup} {content} {number}".encode()


def check_format(format_: int) -> None:
    """Refuse what a newer release has written.

    Raises:
        InvalidInput: It is newer.
    """
    if format_ > FORMAT:
        raise InvalidInput(
            "backup",
            f"was made by a newer release: its format is {format_}, this release reads up to {FORMAT}. "
            "Restore it with that release",
        )
