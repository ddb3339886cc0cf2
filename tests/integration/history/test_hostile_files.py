"""A file to import may be anything inside, and much larger than it looks: it is refused or read in little memory."""

from __future__ import annotations

import gzip
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

MOST_MEGABYTES = 300.0
SECONDS = 60.0
# In a process of its own, whose peak is its alone.
READ = """
import resource, sys
from pathlib import Path
import polars, pyarrow.csv, pyarrow.parquet
from adapters.history_files.tables import open_table
from optionchain.errors import InvalidInput
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
before, rows, told = peak(), 0, ""
try:
    table = open_table(Path(sys.argv[1]))
    table.about_rows()
    for frame in table.frames():
        rows += len(frame)
except InvalidInput as refusal:
    told = refusal.reason
print(rows, peak() - before, told, sep="|")
"""
MEGABYTE = b"0" * (1 << 20)


def one_line(folder: Path) -> Path:
    with gzip.open(folder / "one_line.csv.gz", "wb", 1) as file:
        file.write(b"date,close\n")
        for _ in range(256):
            file.write(MEGABYTE)
    return folder / "one_line.csv.gz"


def long_lines(folder: Path) -> Path:
    with (
        zipfile.ZipFile(folder / "long_lines.zip", "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("a.csv", "w") as file,
    ):
        for _ in range(60):
            file.write(MEGABYTE[:-10] + b",1\n")
    return folder / "long_lines.zip"


def many_columns(folder: Path) -> Path:
    with gzip.open(folder / "many_columns.csv.gz", "wb") as file:
        file.write(b"a," * 400_000 + b"\n" + b"1," * 400_000 + b"\n")
    return folder / "many_columns.csv.gz"


def many_members(folder: Path) -> Path:
    with zipfile.ZipFile(folder / "many_members.zip", "w") as archive:
        for number in range(20_000):
            archive.writestr(f"{number}.csv", b"")
    return folder / "many_members.zip"


def sparse(folder: Path) -> Path:
    """Ten gigabytes, of which the disk has none."""
    with open(folder / "sparse.csv", "wb") as file:
        file.truncate(10 << 30)
    return folder / "sparse.csv"


def wide_parquet(folder: Path) -> Path:
    columns = {f"c{number}": [1] for number in range(3000)}
    pq.write_table(pa.table(columns), folder / "wide.parquet")
    return folder / "wide.parquet"


def many_rows(folder: Path) -> Path:
    """Two million rows in two hundred kilobytes."""
    with gzip.open(folder / "many_rows.csv.gz", "wb", 1) as file:
        file.write(b"date,open,high,low,close,volume\n")
        for _ in range(40):
            file.write(b"2024-01-02,1,1,1,1,1\n" * 50_000)
    return folder / "many_rows.csv.gz"


@pytest.mark.parametrize(
    ("made", "rows", "reason"),
    [
        (one_line, 0, "has a line of 1048576 bytes or more"),
        (long_lines, 0, "field larger than field limit"),
        (many_columns, 0, "columns: at most 2,000 are read"),
        (many_members, 0, "has 20000 files"),
        (sparse, 0, "has a line of 1048576 bytes or more"),
        (wide_parquet, 0, "has 3,000 columns"),
        (many_rows, 2_000_000, ""),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_it_is_refused_or_read_in_little_memory(
    made: Callable[[Path], Path], rows: int, reason: str, tmp_path: Path
) -> None:
    command = [sys.executable, "-c", READ, str(made(tmp_path))]
    read = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=True)

    found, megabytes, told = read.stdout.strip().split("|")
    assert int(found) == rows
    assert reason in told
    assert bool(reason) == bool(told)
    assert float(megabytes) < MOST_MEGABYTES
