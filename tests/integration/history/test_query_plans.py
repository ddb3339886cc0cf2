"""The main queries use an index: every read that the repositories send is sent again through `explain`."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from pymongo import AsyncMongoClient, MongoClient
from pymongo.monitoring import CommandListener

from adapters.mongo.config import MongoConfigRepository
from adapters.mongo.history import MongoHistoricalRepository
from optionchain.history.chains import DateRange
from optionchain.time_frame import TimeFrame
from tests.unit.history.samples import chain, prices

pytestmark = pytest.mark.anyio

DAY = date(2024, 1, 2)
PERIOD = DateRange(date(2024, 1, 1), date(2024, 2, 1))
EXPLAINABLE = {"find", "aggregate", "distinct"}
SENT_BY_THE_DRIVER = {"lsid", "$clusterTime", "$readPreference", "$db", "txnNumber", "maxTimeMS"}


class Reads(CommandListener):
    """Remembers the reads that a client sends."""

    def __init__(self):
        self.commands = []

    def started(self, event):
        if event.command_name in EXPLAINABLE:
            command = {key: event.command[key] for key in event.command if key not in SENT_BY_THE_DRIVER}
            self.commands.append(command)

    def succeeded(self, event):
        pass

    def failed(self, event):
        pass


@pytest.fixture
async def watched(mongo):
    reads = Reads()
    client = AsyncMongoClient(mongo.uri.get_secret_value(), event_listeners=[reads], tz_aware=True)
    history = MongoHistoricalRepository(client, mongo.database)
    configurations = MongoConfigRepository(client, mongo.database)
    await history.save_historical_chain(chain())
    await history.save_time_series(prices([1.0, 2.0, 3.0]))
    await configurations.save_config("x", {}, expected_version=0, saved_by="a", saved_at=datetime.now(UTC))
    reads.commands.clear()
    yield history, configurations, reads
    await client.close()


def stages(plan):
    """Every stage of a plan, wherever it is nested."""
    if isinstance(plan, dict):
        if isinstance(plan.get("stage"), str):
            yield plan["stage"]
        for inner in plan.values():
            yield from stages(inner)
    elif isinstance(plan, list):
        for inner in plan:
            yield from stages(inner)


async def chain_of_a_day(history, _):
    await history.get_historical_chain("SPX", DAY)


async def bars_of_a_period(history, _):
    [part async for part in history.query_time_series("SPX", PERIOD, TimeFrame.DAY)]


async def smiles_of_a_period(history, _):
    await history.query_volatility("SPX", PERIOD)


async def realised_volatility_of_a_period(history, _):
    await history.query_realised_volatility("SPX", PERIOD)


async def range_of_an_asset(history, _):
    await history.get_date_range_for_asset("SPX")


async def revisions_that_count(history, _):
    await history.drop_abandoned(datetime.now(UTC) + timedelta(days=1))


async def latest_configuration(_, configurations):
    await configurations.get_config("x")


async def versions_of_a_configuration(_, configurations):
    await configurations.get_config_history("x")


@pytest.mark.parametrize(
    "query",
    [
        chain_of_a_day,
        bars_of_a_period,
        smiles_of_a_period,
        realised_volatility_of_a_period,
        range_of_an_asset,
        revisions_that_count,
        latest_configuration,
        versions_of_a_configuration,
    ],
    ids=lambda query: query.__name__,
)
async def test_a_query_uses_an_index(mongo, watched, query):
    history, configurations, reads = watched

    await query(history, configurations)

    assert reads.commands
    with MongoClient(mongo.uri.get_secret_value()) as client:
        for command in reads.commands:
            plan = client[mongo.database].command("explain", command, verbosity="queryPlanner")
            used = list(stages(plan))
            assert "COLLSCAN" not in used, command
            assert {"IXSCAN", "DISTINCT_SCAN", "COUNT_SCAN"} & set(used), (command, plan)
