"""Files that take their place when they are whole: what fails leaves nothing, and what was there as it was."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TypeAlias

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from optionchain.history.chains import HistoricalChain

# Writes the chain of a day, and returns how many rows that made.
ChainWriter: TypeAlias = Callable[[HistoricalChain], int]


@contextmanager
def written_table(path: Path, schema: pa.Schema) -> Iterator[pq.ParquetWriter | pa_csv.CSVWriter]:
    """A table to write to: CSV where the name ends in `.csv`, Parquet elsewhere."""
    part = path.with_name(path.name + ".part")
    try:
        with part.open("wb") as stream, _writer(stream, schema, is_csv=path.suffix == ".csv") as file:
            yield file
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def written_folder(path: Path) -> Iterator[Path]:
    """A folder to write to, whose files then go into `path`, among those that are there."""
    part = path.with_name(path.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    try:
        part.mkdir()
        yield part
        for file in sorted(file for file in part.rglob("*") if file.is_file()):
            place = path / file.relative_to(part)
            place.parent.mkdir(parents=True, exist_ok=True)
            file.replace(place)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _writer(stream: IO[bytes], schema: pa.Schema, *, is_csv: bool) -> pq.ParquetWriter | pa_csv.CSVWriter:
    if not is_csv:
        return pq.ParquetWriter(stream, schema, compression="zstd")
    # No cell of ours needs the quotes that its own header, and its texts, would have.
    stream.write(f"{','.join(schema.names)}\n".encode())
    options = pa_csv.WriteOptions(include_header=False, quoting_style="none")
    return pa_csv.CSVWriter(stream, schema, write_options=options)
