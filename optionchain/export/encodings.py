"""Record batches as the bytes of a file, piece by piece: JSON, CSV, Arrow or Parquet."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from enum import StrEnum
from typing import Any, Literal, TypeAlias, assert_never

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from optionchain.chains.columns import GREEK_SETS, SIDES
from optionchain.chains.contracts import COLUMNS, greek_labels
from optionchain.expirations.listing import EPOCH
from optionchain.export.packed import packed
from optionchain.tables.spreadsheets import without_formulas
from optionchain.wire.instants import instant_to_wire

Codec: TypeAlias = Literal["zstd", "snappy"]

# The quickest level: columns that repeat themselves still shrink to a hundredth, and twice as fast as at level 1.
_ZSTD_LEVEL = -20
# What a model computed differs in its 52 random bits from row to row: zstd would save a tenth for half of the time.
_INCOMPRESSIBLE = {"price"}.union(
    (column.full_label for column in COLUMNS if column.side is not None),
    (column.label for column in COLUMNS if column.is_greek),
    (f"{side}_{label}" for side in SIDES for label in greek_labels(*GREEK_SETS)),
)
# Text has many more bytes a row than a batch: it is written in parts, so that a piece stays below 10 MB.
_TEXT_CELLS = 18 << 14
_WITH_STATISTICS = ["step", "expires_at", "expiration", "strike"]


class Format(StrEnum):
    """How an export is written."""

    JSON = "json"
    """One array of row objects."""
    CSV = "csv"
    """RFC 4180: a header, CRLF, quotes where needed, an absent number as an empty field."""
    ARROW = "arrow"
    """Arrow IPC stream."""
    PACKED = "packed"
    """Columns that a browser's typed arrays view; see `optionchain.export.packed`."""
    PARQUET = "parquet"

    @property
    def media_type(self) -> str:
        """The content type of a file of it."""
        return _MEDIA_TYPES[self]

    @property
    def ending(self) -> str:
        """What the name of a file of it ends with."""
        return "ocsp" if self is Format.PACKED else self.value

    def pieces(
        self,
        batches: Iterable[pa.RecordBatch],
        schema: pa.Schema,
        *,
        texts: Sequence[str] = (),
        codec: Codec = "zstd",
    ) -> Iterator[bytes]:
        """Write batches, each as soon as it is there.

        Args:
            batches: Of `schema`, each with rows.
            schema: The columns.
            texts: Every text that a row can have, as a packed file begins with them.
            codec: Compresses a Parquet file.

        Returns:
            Pieces of the file, none empty; the same for the same batches.
        """
        return filter(None, self._written(batches, schema, texts, codec))

    def _written(
        self, batches: Iterable[pa.RecordBatch], schema: pa.Schema, texts: Sequence[str], codec: Codec
    ) -> Iterator[bytes]:
        match self:
            case Format.JSON:
                return _json(batches)
            case Format.CSV:
                return _csv(batches, schema)
            case Format.ARROW:
                return _arrow(batches, schema)
            case Format.PACKED:
                return packed(batches, schema, texts)
            case Format.PARQUET:
                return _parquet(batches, schema, codec)
        assert_never(self)


_MEDIA_TYPES = {
    Format.JSON: "application/json",
    Format.CSV: "text/csv; charset=utf-8; header=present",
    Format.ARROW: "application/vnd.apache.arrow.stream",
    Format.PACKED: "application/octet-stream",
    Format.PARQUET: "application/vnd.apache.parquet",
}


def _json(batches: Iterable[pa.RecordBatch]) -> Iterator[bytes]:
    yield b"["
    for index, frame in enumerate(_text_frames(batches)):
        rows = io.BytesIO()
        frame.write_json(rows)
        yield (b"," if index else b"") + rows.getbuffer()[1:-1]
    yield b"]"


def _csv(batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> Iterator[bytes]:
    yield ",".join(schema.names).encode() + b"\r\n"
    texts = [field.name for field in schema if pa.types.is_string(field.type)]
    for frame in _text_frames(batches):
        rows = io.BytesIO()
        without_formulas(frame, texts).write_csv(rows, include_header=False, line_terminator="\r\n")
        yield rows.getvalue()


def _arrow(batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> Iterator[bytes]:
    sink = _Pieces()
    with pa.ipc.new_stream(sink, schema) as writer:
        yield sink.take()
        for batch in batches:
            writer.write_batch(batch)
            yield sink.take()
    yield sink.take()


def _parquet(batches: Iterable[pa.RecordBatch], schema: pa.Schema, codec: Codec) -> Iterator[bytes]:
    sink = _Pieces()
    compressed = [name for name in schema.names if name not in _INCOMPRESSIBLE]
    writer = pq.ParquetWriter(
        sink,
        schema,
        compression={name: codec if name in compressed else "none" for name in schema.names},
        compression_level=dict.fromkeys(compressed, _ZSTD_LEVEL) if codec == "zstd" else None,
        use_dictionary=False,
        write_statistics=[name for name in _WITH_STATISTICS if name in schema.names],
    )
    with writer:
        yield sink.take()
        for batch in batches:
            writer.write_batch(batch)
            yield sink.take()
    yield sink.take()


def _text_frames(batches: Iterable[pa.RecordBatch]) -> Iterator[pl.DataFrame]:
    for batch in batches:
        columns = {
            field.name: _text_instants(column) if pa.types.is_timestamp(field.type) else column
            for field, column in zip(batch.schema, batch.columns, strict=True)
        }
        frame = pl.from_arrow(pa.table(columns))
        assert isinstance(frame, pl.DataFrame)  # noqa: S101  what a table becomes
        yield from frame.iter_slices(_TEXT_CELLS // frame.width)


def _text_instants(column: pa.Array) -> pa.Array:
    """RFC 3339, each distinct instant written once."""
    distinct = pc.dictionary_encode(column.cast(pa.int64()))
    instants = (EPOCH + timedelta(microseconds=value) for value in distinct.dictionary.to_pylist())
    return pa.array([instant_to_wire(instant) for instant in instants]).take(distinct.indices)


class _Pieces(io.RawIOBase):
    """A file that keeps what was written until it is taken."""

    def __init__(self) -> None:
        self._pieces: list[Any] = []

    def writable(self) -> bool:
        return True

    def write(self, piece: Any) -> int:
        self._pieces.append(
            piece
        )  # an Arrow buffer keeps what it shows, so it is copied once, when it is taken
        return len(piece)

    def take(self) -> bytes:
        """Everything written since the last call."""
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)
