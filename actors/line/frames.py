"""Messages on a connection: each a frame of its length, the number of its call and its kind, and then its bytes."""

from __future__ import annotations

import struct
from typing import NamedTuple

_HEAD = struct.Struct("<IIB")
HEAD_BYTES = _HEAD.size
# Joined with their head to be sent in one piece; to copy more costs more than a second piece does.
SMALL_BYTES = 1 << 16


class BadFrame(Exception):
    """The other end does not speak as it should; the connection is of no use any more."""


class Frame(NamedTuple):
    """One message.

    Attributes:
        number: Of the call, the same in its answer; unique among those under way on the connection.
        kind: What the bytes are; the two ends agree on it.
        body: The bytes.
    """

    number: int
    kind: int
    body: bytes


def pieces(frame: Frame) -> list[bytes]:
    """A frame as it is sent, in one piece or two."""
    head = _HEAD.pack(len(frame.body), frame.number, frame.kind)
    return [head + frame.body] if len(frame.body) <= SMALL_BYTES else [head, frame.body]


class Frames:
    """Finds the frames in what arrives, however it is cut.

    Args:
        max_bytes: Of the body of one; a longer one is refused by its head, before it is read.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._rest = bytearray()

    def fed(self, data: bytes) -> list[Frame]:
        """The frames that are complete now.

        Raises:
            BadFrame: One is too long.
        """
        if self._rest:
            self._rest += data
            # Of what is not complete nothing is copied, however often more of it comes.
            if not self._is_complete():
                return []
            data = bytes(self._rest)
            self._rest.clear()
        found: list[Frame] = []
        position, end = 0, len(data)
        while end - position >= HEAD_BYTES:
            length, number, kind = _HEAD.unpack_from(data, position)
            self._check(length)
            begin = position + HEAD_BYTES
            if end - begin < length:
                break
            position = begin + length
            found.append(Frame(number, kind, data[begin:position]))
        self._rest += data[position:]
        return found

    def _is_complete(self) -> bool:
        """Whether the first of the rest is."""
        if len(self._rest) < HEAD_BYTES:
            return False
        length, _, _ = _HEAD.unpack_from(self._rest)
        self._check(length)
        return bool(len(self._rest) - HEAD_BYTES >= length)

    def _check(self, length: int) -> None:
        if length > self._max_bytes:
            raise BadFrame(f"a message of {length} bytes: at most {self._max_bytes} are read")
