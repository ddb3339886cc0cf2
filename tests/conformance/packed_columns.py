"""Reads an export of ``format=packed`` by its description alone, as a browser would."""

from __future__ import annotations

import struct
from datetime import UTC, datetime, timedelta
from typing import Any

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FOOTER = 0xFFFF_FFFF
CODES = {0: "d", 1: "q", 2: "q", 3: "I", 4: "Q"}


class _Bytes:
    """What is left of a file."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.place = 0

    def take(self, form: str) -> tuple[Any, ...]:
        numbers = struct.unpack_from("<" + form, self.data, self.place)
        self.place += struct.calcsize("<" + form)
        return numbers

    def text(self) -> str:
        (length,) = self.take("I")
        (encoded,) = self.take(f"{length}s")
        return str(encoded.decode())

    def align(self, boundary: int = 8) -> None:
        self.place += -self.place % boundary


def columns_of(data: bytes) -> dict[str, list[Any]]:
    """The columns by name: numbers, None where one is absent, texts, and instants as RFC 3339.

    Raises:
        AssertionError: The file is no whole file of this kind, or a payload is where no typed array can view it.
    """
    rest = _Bytes(data)
    magic, version, _, texts = rest.take("4sIII")
    assert (magic, version) == (b"OCSP", 1)
    words = [rest.text() for _ in range(texts)]
    columns: dict[str, list[Any]] = {}
    kinds = []
    for _ in range(rest.take("I")[0]):
        columns[rest.text()] = []
        kind, is_nullable = rest.take("BB")
        assert is_nullable == (kind == 0)
        kinds.append(kind)
        rest.align(4)
    rest.align()
    while (rows := rest.take("I")[0]) != FOOTER:
        rest.align()
        for kind, column in zip(kinds, columns.values(), strict=True):
            column.extend(_payload(rest, kind, rows, words))
    rest.align()
    (total,) = rest.take("Q")
    assert rest.place == len(data)
    assert all(len(column) == total for column in columns.values())
    return columns


def _payload(rest: _Bytes, kind: int, rows: int, words: list[str]) -> list[Any]:
    bits = rest.take(f"{-(-rows // 8)}B") if kind == 0 else ()
    rest.align()
    values = rest.take(f"{rows}{CODES[kind]}")
    rest.align()
    match kind:
        case 0:
            return [value if bits[i // 8] >> i % 8 & 1 else None for i, value in enumerate(values)]
        case 2:
            return [_instant(value) for value in values]
        case 3:
            return [words[value] for value in values]
        case 4:
            labels = words[1:]
            return ["|".join(label for n, label in enumerate(labels) if value >> n & 1) for value in values]
    return list(values)


def _instant(nanoseconds: int) -> str:
    instant = EPOCH + timedelta(microseconds=nanoseconds // 1000)
    return instant.isoformat().replace("+00:00", "Z")
