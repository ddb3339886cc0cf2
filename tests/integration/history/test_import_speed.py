"""A million rows: how much processor time and memory their import takes, in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

ROWS_A_SECOND = 100_000  # of processor time; the requirement
# What the allocator makes of it; two million rows more are 100 MB in the file.
MEMORY_GROWTH_BYTES = 24 << 20
REPOSITORY = Path(__file__).parents[3]

IMPORT = """
import asyncio, json, sys, time
from pathlib import Path
from pydantic import SecretStr
from adapters.history_files import import_file, plan_import
from adapters.mongo.connection import open_mongo
from adapters.settings import MongoSettings
from adapters.mongo.history import MongoHistoricalRepository
from optionchain.time_frame import TimeFrame

class Nowhere:
    async def save_time_series(self, series): ...
    async def close(self): ...

def highest_memory():
    # Not getrusage: its peak may be that of the process that started this one.
    if not Path("/proc/self/status").exists():
        return 0
    with Path("/proc/self/status").open() as status:
        return next((int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM")), 0)

def opened(uri, database):
    settings = MongoSettings(uri=SecretStr(uri), database=database, timeout_seconds=30)
    return MongoHistoricalRepository(open_mongo(settings), database)

path, *place = sys.argv[1:]

async def run():
    repository = opened(*place) if place else Nowhere()
    begun = time.process_time()
    report = await import_file(plan_import(Path(path), asset="SPX", timeframe=TimeFrame.MINUTE), repository)
    seconds = time.process_time() - begun
    await repository.close()
    print(json.dumps({"stored": report.stored, "seconds": seconds, "bytes": highest_memory()}))

asyncio.run(run())
"""


def write(path: Path, rows: int) -> None:
    start = datetime(2020, 1, 1)
    minutes = pl.datetime_range(
        start, start + timedelta(minutes=rows - 1), interval="1m", eager=True
    ).dt.strftime("%Y-%m-%d %H:%M")
    price = pl.arange(0, rows, eager=True) % 977 / 7 + 100
    columns = {"open": price, "high": price + 1, "low": price - 1, "close": price, "volume": price * 3}
    pl.DataFrame({"date": minutes, **columns}).write_csv(path, float_precision=2)


def imported(file: Path, rows: int, *place: str) -> dict[str, float]:
    """What the import of so many rows took; without a place, they are read and not stored."""
    write(file, rows)
    answer = subprocess.run(
        [sys.executable, "-c", IMPORT, file, *place],
        capture_output=True,
        text=True,
        timeout=100,
        cwd=REPOSITORY,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    measured: dict[str, float] = json.loads(answer.stdout)
    assert measured["stored"] == rows
    return measured


@pytest.mark.parametrize("mongo", ["mongod"], indirect=True)
def test_a_million_rows_are_imported_at_the_required_speed(mongo, tmp_path):
    measured = imported(tmp_path / "bars.csv", 1_000_000, mongo.uri.get_secret_value(), mongo.database)

    assert measured["stored"] / measured["seconds"] >= ROWS_A_SECOND


@pytest.mark.skipif(sys.platform != "linux", reason="the peak of memory is read from /proc")
def test_three_million_rows_need_no_more_memory_than_one(tmp_path):
    one, three = (imported(tmp_path / "bars.csv", rows) for rows in (1_000_000, 3_000_000))

    assert three["bytes"] - one["bytes"] < MEMORY_GROWTH_BYTES
