"""The command line of history, on real servers."""

from __future__ import annotations

import asyncio
import csv
import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from pydantic import SecretStr
from pymongo import MongoClient
from typer.testing import CliRunner

from actors.history.cache_keys import ASSETS, chain_key, generation_key, range_key
from adapters.mongo.history import MongoHistoricalRepository
from adapters.redis.cache import RedisCacheService
from adapters.redis.connection import open_redis
from adapters.settings import RedisSettings
from cluster.commands.history import app
from optionchain.errors import Unavailable
from tests.waiting import eventually

REPOSITORY = Path(__file__).parents[3]
KILLED_ROWS = 700_000  # three batches
CHAINS = (
    "underlying_symbol,underlying_price,option_type,expiration,quote_date,strike,bid,ask\n"
    "SPX,101,call,2024-01-19,2024-01-02,100,3,3.2\nSPX,101,put,2024-01-19,2024-01-02,100,1,1.2\n"
)
CSV = "date,open,high,low,close\n2024-01-02,1,3,1,2\n2024-01-03,2,4,2,3\n"


@pytest.fixture
def run(mongo, redis, monkeypatch):
    monkeypatch.setenv("OCS_MONGO_URI", mongo.uri.get_secret_value())
    monkeypatch.setenv("OCS_MONGO_DATABASE", mongo.database)
    monkeypatch.setenv("OCS_REDIS_URL", redis.url)
    return lambda *arguments: CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_a_dry_run_shows_the_mapping_and_stores_nothing(run, tmp_path):
    file = tmp_path / "spx.csv"
    file.write_text(CSV)

    shown = run("import", file, "--asset", "SPX", "--dry-run")
    exported = run("export", tmp_path / "out.parquet", "--asset", "SPX")

    assert shown.exit_code == 0
    assert "%Y-%m-%d" in shown.output
    assert exported.exit_code == 1
    assert "prices not found: SPX Day" in " ".join(exported.output.split())


def test_what_is_imported_is_exported(run, tmp_path):
    file = tmp_path / "spx.csv"
    file.write_text(CSV)

    imported = run("import", file, "--asset", "SPX")
    exported = run("export", tmp_path / "out.parquet", "--asset", "SPX")

    assert (imported.exit_code, exported.exit_code) == (0, 0)
    assert "2 of 2 rows stored" in " ".join(imported.output.split())
    assert "2 rows in" in " ".join(exported.output.split())


def test_rejected_rows_end_with_a_failure_and_say_where_they_are(run, tmp_path):
    file = tmp_path / "spx.csv"
    file.write_text(CSV + "never,1,1,1,1\n")

    result = run("import", file, "--asset", "SPX")

    assert result.exit_code == 1
    assert "1 rows rejected" in " ".join(result.output.split())
    assert (tmp_path / "spx.csv.rejects.csv").exists()


@pytest.mark.parametrize("mongo", ["mongod"], indirect=True)
def test_an_import_that_was_killed_goes_on_where_it_was(run, mongo, tmp_path):
    file = tmp_path / "spx.csv"
    times = np.datetime64("2020-01-01", "us") + np.arange(KILLED_ROWS) * np.timedelta64(60_000_000, "us")
    pl.DataFrame({"date": times, "open": 1, "high": 3, "low": 1, "close": 2}).write_csv(file)
    progress = tmp_path / "spx.csv.import.json"
    arguments = ["history", "import", file, "--asset", "SPX", "--timeframe", "Minute"]
    killed = subprocess.Popen([sys.executable, "-m", "cluster.cli", *arguments], cwd=REPOSITORY)

    def is_under_way():
        assert killed.poll() is None, "it ended before it could be killed"
        return progress.exists()

    eventually(is_under_way, "a batch is stored", patience_seconds=60.0, pause_seconds=0.002)
    killed.kill()
    killed.wait()
    before = heads(mongo)

    again = run(*arguments[1:])

    assert again.exit_code == 0, again.output
    assert f"{KILLED_ROWS:,} of {KILLED_ROWS:,} rows stored" in " ".join(again.output.split())
    after = heads(mongo)
    assert sum(bars for _, bars in after.values()) == KILLED_ROWS
    # A day whose revision is the old one was not stored again.
    assert set(before.values()) & set(after.values())
    assert not progress.exists()


def heads(mongo):
    """The revision of each stretch of prices, and how many bars it has."""
    with MongoClient(mongo.uri.get_secret_value()) as client:
        found = client[mongo.database]["historical_prices_heads"].find()
        return {head["chunk"]: (head["revision"], head["bars"]) for head in found}


def test_an_export_that_fails_leaves_what_was_there(run, tmp_path):
    out = tmp_path / "out.parquet"
    out.write_bytes(b"mine")

    for arguments in (("--asset", "NONE"), ("--asset", "NONE", "--what", "chains")):
        assert run("export", out, *arguments).exit_code == 1

    assert out.read_bytes() == b"mine"
    assert [*tmp_path.iterdir()] == [out]


def test_the_rows_of_one_asset_are_taken_from_a_file_of_many(run, tmp_path):
    file = tmp_path / "all.csv"
    file.write_text("Name,date,open,high,low,close\nAAPL,2024-01-02,9,9,9,9\nSPX,2024-01-02,1,3,1,2\n")

    shown = run("import", file, "--asset", "SPX", "--dry-run")
    imported = run("import", file, "--asset", "SPX")

    assert "Name SPX" in shown.output
    assert imported.exit_code == 0
    said = " ".join(imported.output.split())
    assert "1 of 2 rows stored 1 rows passed over, which are not of Name SPX" in said


def test_files_of_one_day_add_up_until_they_replace_it(run, tmp_path):
    header, call, put = CHAINS.splitlines(keepends=True)
    for name, rows in (("calls", call), ("puts", put), ("later", call.replace("01-19", "02-16"))):
        (tmp_path / f"{name}.csv").write_text(header + rows)

    def stored(*arguments):
        said = run("import", *arguments, "--asset", "SPX")
        exported = run("export", tmp_path / "out.csv", "--asset", "SPX", "--what", "chains")
        assert (said.exit_code, exported.exit_code) == (0, 0), said.output
        quoted = [
            row for row in csv.DictReader((tmp_path / "out.csv").read_text().splitlines()) if row["bid"]
        ]
        return {(row["expiration"], row["option_type"]) for row in quoted}, " ".join(said.output.split())

    added, _ = stored(tmp_path / "calls.csv", tmp_path / "puts.csv")
    more, _ = stored(tmp_path / "later.csv")
    again, updated = stored(tmp_path / "puts.csv")
    replaced, dropped = stored("--replace", tmp_path / "calls.csv", tmp_path / "later.csv")

    assert added == {("2024-01-19", "call"), ("2024-01-19", "put")}
    assert more == again == added | {("2024-02-16", "call")}
    assert "1 calls and puts were stored already, and are replaced by the file's" in updated
    assert replaced == {("2024-01-19", "call"), ("2024-02-16", "call")}
    assert "3 calls and puts that were stored of these days were dropped" in dropped


def test_the_price_of_the_underlying_is_taken_from_the_closes_that_are_stored(run, tmp_path):
    (tmp_path / "prices.csv").write_text(CSV)
    (tmp_path / "chains.csv").write_text(
        "date,act_symbol,expiration,strike,call_put,bid,ask,vol\n2024-01-02,SPX,2024-01-19,2,Call,1,1.2,0.2\n"
        "2024-01-03,SPX,2024-01-19,2,Call,1,1.2,0.2\n"
    )

    run("import", tmp_path / "prices.csv", "--asset", "SPX")
    chains = run("import", tmp_path / "chains.csv", "--asset", "SPX", "--underlying-price", "closes")
    run("export", tmp_path / "out.csv", "--asset", "SPX", "--what", "chains")

    assert chains.exit_code == 0, chains.output
    rows = list(csv.DictReader((tmp_path / "out.csv").read_text().splitlines()))
    assert [float(row["underlying_price"]) for row in rows if row["bid"]] == [2.0, 3.0]


def test_an_import_that_stores_nothing_fails(run, tmp_path):
    text = CHAINS.replace("bid,ask", "bid,ask,root").replace("2\n", "2,SPX\n")
    (tmp_path / "chains.csv").write_text(text)

    result = run("import", tmp_path / "chains.csv", "--asset", "SPX", "--root", "SPXW")

    assert result.exit_code == 1
    assert "0 of 2 rows stored" in " ".join(result.output.split())


@pytest.mark.parametrize(
    "wrong",
    [
        ("--asset", "$where"),
        ("--format", "excel"),
        ("--timeframe", "Eon"),
        ("--date", "today"),
        ("--decimal", "x"),
        ("--only", "SPX"),
        ("--only", "no=SPX"),
        ("--column", "=x"),
        ("--column", "clsoe=close"),
        ("--column", "close=Last"),
        ("--replace",),
        ("--root", "SPX"),
        ("--underlying-price", "high"),
        ("--volatility-unit", "bp"),
        ("--expiration", "soon"),
    ],
)
def test_a_wrong_option_is_one_line_that_names_it(run, tmp_path, wrong):
    file = tmp_path / "spx.csv"
    file.write_text(CSV)

    result = run("import", file, "--asset", "SPX", *wrong)

    assert result.exit_code == 1
    assert result.output.startswith(wrong[0].removeprefix("--"))


@pytest.mark.parametrize("is_interrupted", [False, True])
def test_an_import_leaves_nothing_old_in_the_cache_of_the_service(run, tmp_path, monkeypatch, is_interrupted):
    file = tmp_path / "chains.csv"
    file.write_text(CHAINS)
    keys = [chain_key("SPX", date(2024, 1, 2)), range_key("SPX"), ASSETS, generation_key("SPX")]
    asyncio.run(with_cache(lambda cache: [cache.set(key, b"old", 60) for key in keys]))
    save = MongoHistoricalRepository.merge_historical_chain

    async def save_and_break(self, chain):
        await save(self, chain)
        raise Unavailable("mongodb")

    if is_interrupted:
        monkeypatch.setattr(MongoHistoricalRepository, "merge_historical_chain", save_and_break)
    result = run("import", file, "--asset", "SPX")

    assert result.exit_code == is_interrupted
    found = asyncio.run(with_cache(lambda cache: [cache.exists(key) for key in keys]))
    assert found == [False] * 4


async def with_cache(calls):
    """Do something with the cache of the service, as another process."""
    cache = RedisCacheService(open_redis(RedisSettings(url=SecretStr(os.environ["OCS_REDIS_URL"]))))
    results = [await call for call in calls(cache)]
    await cache.close()
    return results
