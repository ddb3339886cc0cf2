"""CSV and Parquet files, also compressed, as a stream of frames: constant memory, every CSV cell as text."""

from __future__ import annotations

import csv
import re
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, TypeAlias

import polars as pl
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from adapters.history_files.packed import is_compressed, opened
from optionchain.errors import InvalidInput

OnMalformed: TypeAlias = Callable[[str, str], None]

BLOCK_BYTES = 8 << 20
# A file that is packed may be anything inside: what would be held at once is bounded.
MAX_LINE_BYTES = 1 << 20
MAX_COLUMNS = 2000
MAX_SAMPLE_BYTES = 4 << 20
BATCH_ROWS = 200_000
DELIMITERS = ";,\t|"
SAMPLE_LINES = 50
SAMPLE_ROWS = 1000
# A number, a date or a clock: no name of a column, though `52W H` is one.
VALUE = re.compile(r"[+-]?[.,]?\d[\d\s.,:/+TZ-]*([eE][+-]?\d+)?")
# What is no CSV, by how it begins.
OTHER_KINDS = {
    r"\{\s*\"|\[\s*[\[{]": "JSON",
    r"PK\x03\x04|\xd0\xcf\x11\xe0|ÐÏ\x11à": "a spreadsheet",
    r"(?i)<(!doctype|html|\?xml|table)": "a page of HTML or XML",
}
# What files without a declared encoding are in, where they are not UTF-8.
OTHER_ENCODING = "cp1252"


@dataclass(frozen=True, slots=True)
class Table:
    """How a file is read.

    Attributes:
        path: The file; `.parquet`, or else CSV, as it is or in a `.gz`, `.bz2`, `.zst` or `.zip`.
        delimiter: Of a CSV file.
        columns: Names as the file has them; ``column 1`` ... without a header.
        has_header: Whether a line names the columns.
        lines_before: Lines of a CSV file before its rows: the header, and what stands above it.
    """

    path: Path
    delimiter: str
    columns: tuple[str, ...]
    has_header: bool
    lines_before: int = 0

    @property
    def is_parquet(self) -> bool:
        return _is_parquet(self.path)

    def frames(self, on_malformed: OnMalformed = lambda _reason, _text: None) -> Iterator[pl.DataFrame]:
        """The rows, with their number in the file (from 1) as ``row``.

        Args:
            on_malformed: Told of a line with too few or too many cells, which is no row and has no number.

        Raises:
            InvalidInput: The file is damaged.
        """
        rows = 0
        with _readable(self.path):
            for batch in self._parquet() if self.is_parquet else self._csv(on_malformed):
                frame = pl.from_arrow(batch)
                assert isinstance(frame, pl.DataFrame)  # noqa: S101  what a batch becomes
                yield frame.with_row_index("row", offset=rows + 1)
                rows += len(frame)

    def sample(self) -> pl.DataFrame:
        """The first rows."""
        return next(self.frames(), pl.DataFrame()).head(SAMPLE_ROWS)

    def about_rows(self) -> int | None:
        """How many rows it has, about; None where only reading all of it would tell."""
        with _readable(self.path):
            if self.is_parquet:
                return int(pq.read_metadata(self.path).num_rows)
            if is_compressed(self.path):
                return None
            with opened(self.path) as stream:
                start = stream.read(1 << 16)
            return self.path.stat().st_size * max(start.count(b"\n"), 1) // max(len(start), 1)

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
        """The lines of the rows in parts of about `BLOCK_BYTES`."""
        with opened(self.path) as stream:
            for _ in range(self.lines_before):
                _check_line(self.path, stream.readline(MAX_LINE_BYTES))
            rest = b""
            while read := stream.read(BLOCK_BYTES):
                lines, newline, rest = (rest + read).rpartition(b"\n")
                if lines.strip():
                    yield _utf_8(lines + newline)
                _check_line(self.path, rest)
            if rest.strip():
                yield _utf_8(rest)


def open_table(path: Path) -> Table:
    """Find out how a file is to be read.

    Raises:
        InvalidInput: It is empty or unreadable.
    """
    with _readable(path):
        if _is_parquet(path):
            names = tuple(pq.read_schema(path).names)
            _check_columns(path, len(names))
            return Table(path, ",", names, has_header=True)
        with opened(path) as stream:
            lines = [_utf_8(line).decode().rstrip("\r\n") for line in _first_lines(path, stream)]
    if not any(line.strip() for line in lines):
        raise InvalidInput("file", f"{path} is empty")
    _check_is_table(path, lines)
    delimiter, first = _shape(lines)
    _check_columns(path, lines[first].count(delimiter) + 1)
    with _readable(path):
        rows = list(csv.reader(lines[first : first + 3], delimiter=delimiter))
    cells = [cell.strip() for cell in rows[0]]
    if cells[0] == "Price" and [row[0] for row in rows[1:]] in (["Ticker", "Date"], ["Ticker", "Datetime"]):
        return Table(path, delimiter, _names(_of_one_ticker(rows)), has_header=True, lines_before=first + 3)
    has_header = not any(VALUE.fullmatch(cell) for cell in cells)
    found = _names(cells if has_header else [""] * len(cells))
    return Table(path, delimiter, found, has_header, lines_before=first + has_header)


def _check_is_table(path: Path, lines: Sequence[str]) -> None:
    """Refuse what programs write that is no table of text, by how it begins."""
    text = "".join(lines).lstrip()
    kind = next((kind for beginning, kind in OTHER_KINDS.items() if re.match(beginning, text)), None)
    if kind is not None:
        raise InvalidInput("file", f"{path} is {kind}: write it as CSV or Parquet, a row a bar or a contract")


def _first_lines(path: Path, stream: IO[bytes]) -> Iterator[bytes]:
    """Lines of a file to learn from, as many as there are and no more than enough."""
    size = 0
    for line in islice(iter(lambda: stream.readline(MAX_LINE_BYTES), b""), SAMPLE_LINES):
        _check_line(path, line)
        size += len(line)
        if size > MAX_SAMPLE_BYTES:
            return
        yield line


def _check_line(path: Path, line: bytes) -> None:
    if len(line) >= MAX_LINE_BYTES:
        raise InvalidInput("file", f"{path} has a line of {MAX_LINE_BYTES} bytes or more")


def _check_columns(path: Path, count: int) -> None:
    if count > MAX_COLUMNS:
        raise InvalidInput("file", f"{path} has {count:,} columns: at most {MAX_COLUMNS:,} are read")


def _is_parquet(path: Path) -> bool:
    return path.suffix.lower() in (".parquet", ".pq")


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """What is wrong with a file, as ours."""
    try:
        yield
    except (OSError, EOFError, pa.ArrowException, zipfile.BadZipFile, csv.Error) as error:
        raise InvalidInput("file", f"{path} cannot be read: {error}") from error


def _utf_8(lines: bytes) -> bytes:
    try:
        lines.decode()
    except UnicodeDecodeError:
        return lines.decode(OTHER_ENCODING, "replace").encode()
    return lines


def _shape(lines: Sequence[str]) -> tuple[str, int]:
    """The delimiter, and the index of the first line that has as many cells as most.

    It is what most lines have the same number of, outside quotes; a space, which instants have as well, only where
    there is nothing else.
    """
    bare = [re.sub(r'"[^"]*"', "", line) for line in lines]

    def usual(delimiter: str) -> tuple[int, int]:
        counts = Counter(line.count(delimiter) for line in bare if line.strip())
        count, lines_with = max(counts.items(), key=lambda item: (item[0] > 0, item[1], item[0]))
        return (lines_with, count) if count else (0, 0)

    best = max(DELIMITERS, key=usual)
    _, count = usual(best)
    if not count:
        return " ", next(index for index, line in enumerate(lines) if line.strip())
    return best, next(index for index, line in enumerate(bare) if line.count(best) == count)


def _of_one_ticker(rows: Sequence[Sequence[str]]) -> list[str]:
    """The names in the three lines of headers that `yfinance.download` makes."""
    fields, tickers, (index, *_) = rows
    if len(set(tickers[1:])) != 1:
        raise InvalidInput(
            "file", f"has the prices of {', '.join(sorted(set(tickers[1:])))}: write a file of each"
        )
    return [index, *fields[1:]]


def _names(cells: Sequence[str]) -> tuple[str, ...]:
    """The names of columns: each has one, and each its own."""
    names: list[str] = []
    for number, cell in enumerate(cells, 1):
        name = cell.strip()
        names.append(name if name and name not in names else f"{name} column {number}".strip())
    return tuple(names)
