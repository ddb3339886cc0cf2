"""Record batches in the layout that a browser reads without a library: columns that typed arrays can view.

Little-endian. Every payload begins at a multiple of eight bytes, so that ``new Float64Array(buffer, offset, rows)``
copies nothing::

    file    = "OCSP" u32:version u32:rows_of_a_block u32:texts text* u32:columns column* (pad to 8) block* footer
    text    = u32:length utf-8
    column  = u32:length utf-8:name u8:type u8:is_nullable (pad to 4)
    block   = u32:rows (pad to 8) payload*                  one payload a column
    payload = [validity bits (pad to 8)] values (pad to 8)  validity, lowest bit first, where it is nullable
    footer  = u32:0xffffffff (pad to 8) u64:rows            without it the download was cut off

Types: 0 is f64, nullable; 1 is i64; 2 is nanoseconds from 1970 as i64; 3 is the index of a text as u32; 4 is the labels
of an expiration as bits of a u64, bit n for text n + 1: the first text is the symbol. It is version 1 of the layout of
the service that this one replaces: what reads that reads this.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

MAGIC, VERSION, FOOTER = b"OCSP", 1, 0xFFFF_FFFF
LABELS = "labels"
_ALIGNMENT = 8
_FLOAT, _WHOLE, _INSTANT, _TEXT, _MASK = range(5)


def packed(
    batches: Iterable[pa.RecordBatch], schema: pa.Schema, texts: Sequence[str], rows: int = 1 << 16
) -> Iterator[bytes]:
    """Write batches, a block each.

    Args:
        batches: Of `schema`, each with rows.
        schema: Columns of numbers, instants and texts.
        texts: Every text that a row can have: the symbol, then the ids of rules, sorted, then others.
        rows: Of a block, about.
    """
    yield _header(schema, texts, rows)
    total = 0
    for batch in batches:
        total += batch.num_rows
        yield _block(batch, schema, texts)
    yield _padded(struct.pack("<I", FOOTER)) + struct.pack("<Q", total)


def _header(schema: pa.Schema, texts: Sequence[str], rows: int) -> bytes:
    parts = [MAGIC, struct.pack("<III", VERSION, rows, len(texts))]
    parts += map(_sized, texts)
    header = b"".join([*parts, struct.pack("<I", len(schema))])
    for field in schema:
        kind = _kind(field)
        header = _padded(header + _sized(field.name) + bytes([kind, kind == _FLOAT]), 4)
    return _padded(header)


def _block(batch: pa.RecordBatch, schema: pa.Schema, texts: Sequence[str]) -> bytes:
    payloads = (
        _padded(payload)
        for field, column in zip(schema, batch.columns, strict=True)
        for payload in _payload(_kind(field), column, texts)
    )
    return _padded(struct.pack("<I", batch.num_rows)) + b"".join(payloads)


def _payload(kind: int, column: pa.Array, texts: Sequence[str]) -> Iterator[bytes]:
    if kind == _FLOAT:
        is_valid = np.ones(len(column), bool)
        if column.null_count:
            is_valid = column.is_valid().to_numpy(zero_copy_only=False)
        yield np.packbits(is_valid, bitorder="little").tobytes()
        yield column.fill_null(0.0).to_numpy().astype("<f8", copy=False).tobytes()
    elif kind == _INSTANT:
        yield (1000 * column.cast(pa.int64()).to_numpy().astype("<i8")).tobytes()
    elif kind == _TEXT:
        yield _numbered(column, texts.index, "<u4")
    elif kind == _MASK:
        yield _numbered(column, lambda joined: _mask(joined, texts), "<u8")
    else:
        yield column.to_numpy().astype("<i8").tobytes()


def _numbered(column: pa.Array, number_of: Callable[[str], int], type: str) -> bytes:
    """A number for each text, looked up once for each distinct one."""
    distinct = pc.dictionary_encode(column.fill_null(""))
    numbers = np.array([number_of(text) for text in distinct.dictionary.to_pylist()], dtype=type)
    found: bytes = numbers[distinct.indices.to_numpy()].tobytes()
    return found


def _mask(joined: str, texts: Sequence[str]) -> int:
    """The bits of labels that are joined by bars; a label may be called as the symbol is."""
    return sum(1 << texts.index(label, 1) - 1 for label in joined.split("|") if label)


def _kind(field: pa.Field) -> int:
    if pa.types.is_floating(field.type):
        return _FLOAT
    if pa.types.is_timestamp(field.type):
        return _INSTANT
    if pa.types.is_string(field.type):
        return _MASK if field.name == LABELS else _TEXT
    return _WHOLE


def _sized(text: str) -> bytes:
    encoded = text.encode()
    return struct.pack("<I", len(encoded)) + encoded


def _padded(part: bytes, boundary: int = _ALIGNMENT) -> bytes:
    return part + bytes(-len(part) % boundary)
