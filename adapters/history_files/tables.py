"""CSV and Parquet files as a stream of frames: constant memory, every CSV cell as text."""

from __future__ import annotations

import codecs
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import polars as pl
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from optionchain.errors import InvalidInput

OnMalformed: TypeAlias = Callable[[str, str], None]

BLOCK_BYTES = 8 << 20
MAX_LINE_BYTES = 8 << 20
BATCH_ROWS = 200_000
DELIMITERS = ";,\t|"
SAMPLE_LINES = 50


@dataclass(frozen=True, slots=True)
class Table:
    """How a file is read.

    Attributes:
        path: The file; `.parquet`, or else CSV.
        delimiter: Of a CSV file.
        columns: Names as the file has them; ``column 1`` ... without a header.
        has_header: Whether the first line names the columns.
    """

    path: Path
    delimiter: str
    columns: tuple[str, ...]
    has_header: bool

    @property
    def is_parquet(self) -> bool:
        return self.path.suffix.lower() in (".parquet", ".pq")

    def frames(self, on_malformed: OnMalformed = lambda _reason, _text: None) -> Iterator[pl.DataFrame]:
        """The rows, with their number in the file (from 1) as ``row``.

        Args:
            on_malformed: Told of a line with too few or too many cells, which is no row and has no number.
        """
        batches = self._parquet() if self.is_parquet else self._csv(on_malformed)
        rows = 0
        for batch in batches:
            frame = pl.from_arrow(batch)
            assert isinstance(frame, pl.DataFrame)  # noqa: S101  what a batch becomes
            yield frame.with_row_index("row", offset=rows + 1)
            rows += len(frame)

    def sample(self) -> pl.DataFrame:
        """The first rows."""
        return next(self.frames(), pl.DataFrame()).head(1000)

    def _parquet(self) -> Iterator[pa.RecordBatch]:
        with pq.ParquetFile(self.path) as file:
            yield from file.iter_batches(BATCH_ROWS)

    def _csv(self, on_malformed: OnMalformed) -> Iterator[pa.RecordBatch]:
        def skip(row: pa_csv.InvalidRow) -> str:
            on_malformed(f"has {row.actual_columns} cells, not {row.expected_columns}", row.text)
            return "skip"

        parse = pa_csv.ParseOptions(delimiter=self.delimiter, invalid_row_handler=skip)
        convert = pa_csv.ConvertOptions(
            column_types=dict.fromkeys(self.columns, pa.string()), strings_can_be_null=True
        )
        # Not `open_csv`: it reads up to 32 blocks ahead.
        for block in self._blocks():
            read = pa_csv.ReadOptions(
                block_size=len(block), column_names=list(self.columns), use_threads=False
            )
            rows = pa_csv.read_csv(pa.BufferReader(block), read, parse, convert)
            yield from rows.combine_chunks().to_batches()

    def _blocks(self) -> Iterator[bytes]:
        """The lines of the file in parts of about `BLOCK_BYTES`, without the header."""
        with self.path.open("rb") as stream:
            rest = stream.readline().removeprefix(codecs.BOM_UTF8)
            while self.has_header and rest and not rest.strip():
                rest = stream.readline()
            if self.has_header:
                rest = b""
            while read := stream.read(BLOCK_BYTES):
                lines, newline, rest = (rest + read).rpartition(b"\n")
                if lines.strip():
                    yield lines + newline
                if len(rest) > MAX_LINE_BYTES:
                    raise InvalidInput("file", f"{self.path} has a line of more than {MAX_LINE_BYTES} bytes")
            if rest.strip():
                yield rest


def open_table(path: Path) -> Table:
    """Find out how a file is to be read.

    Raises:
        InvalidInput: It is empty or unreadable.
    """
    try:
        if path.suffix.lower() in (".parquet", ".pq"):
            return Table(path, ",", tuple(pq.read_schema(path).names), has_header=True)
        with path.open(encoding="utf-8-sig", errors="replace") as stream:
            lines = [line.rstrip("\r\n") for line in itertools.islice(stream, SAMPLE_LINES) if line.strip()]
    except (OSError, pa.ArrowInvalid) as error:
        raise InvalidInput("file", f"{path} cannot be read: {error}") from error
    if not lines:
        raise InvalidInput("file", f"{path} is empty")
    delimiter = _delimiter(lines)
    cells = [cell.strip().strip('"') for cell in lines[0].split(delimiter)]
    has_header = not any(cell[:1].isdigit() for cell in cells)
    names = cells if has_header else [f"column {number}" for number in range(1, len(cells) + 1)]
    unnamed = [name or f"column {number}" for number, name in enumerate(names, 1)]
    return Table(path, delimiter, tuple(unnamed), has_header)


def _delimiter(lines: list[str]) -> str:
    """What every line has most of; a space, which instants have as well, only where there is nothing else."""
    counts = {one: (min(line.count(one) for line in lines), lines[0].count(one)) for one in DELIMITERS}
    best = max(DELIMITERS, key=counts.__getitem__)
    return best if any(counts[best]) else " "
