"""The command line of history, on real servers."""

from __future__ import annotations

import asyncio
import os
from datetime import date

import pytest
from pydantic import SecretStr
from typer.testing import CliRunner

from actors.history_keys import ASSETS, chain_key, range_key
from adapters.mongo_history import MongoHistoricalRepository
from adapters.redis_cache import RedisCacheService
from adapters.redis_connection import RedisSettings, open_redis
from cluster.history_cli import app
from optionchain.errors import Unavailable

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


@pytest.mark.parametrize(
    "wrong", [("--asset", "$where"), ("--format", "excel"), ("--timeframe", "Eon"), ("--date", "today")]
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
    keys = [chain_key("SPX", date(2024, 1, 2)), range_key("SPX"), ASSETS]
    asyncio.run(with_cache(lambda cache: [cache.set(key, b"old", 60) for key in keys]))
    save = MongoHistoricalRepository.save_historical_chain

    async def save_and_break(self, chain):
        await save(self, chain)
        raise Unavailable("mongodb")

    if is_interrupted:
        monkeypatch.setattr(MongoHistoricalRepository, "save_historical_chain", save_and_break)
    result = run("import", file, "--asset", "SPX")

    assert result.exit_code == is_interrupted
    found = asyncio.run(with_cache(lambda cache: [cache.exists(key) for key in keys]))
    assert found == [False] * 3


async def with_cache(calls):
    """Do something with the cache of the service, as another process."""
    cache = RedisCacheService(open_redis(RedisSettings(url=SecretStr(os.environ["OCS_REDIS_URL"]))))
    results = [await call for call in calls(cache)]
    await cache.close()
    return results
