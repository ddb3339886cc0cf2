"""The primary of a replica set is killed while it takes writes: what was acknowledged survives."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest
from pydantic import SecretStr
from pymongo import MongoClient

from adapters.mongo_config import MongoConfigRepository
from adapters.mongo_connection import MongoSettings, open_mongo
from adapters.mongo_history import MongoHistoricalRepository
from optionchain.errors import Conflict, Unavailable
from optionchain.history import DateRange
from optionchain.price_series import joined
from optionchain.time_frame import TimeFrame
from tests.integration.history import mongo_servers as servers
from tests.unit.history.samples import prices

pytestmark = pytest.mark.anyio

MINUTES = 500
KILL_AFTER = 30


@pytest.fixture
def three_nodes(tmp_path):
    with servers.replica_set(tmp_path, 3) as started:
        yield started


def primary_index(uri):
    with MongoClient(uri) as client:
        client.admin.command("ping")
        hosts = uri.removeprefix("mongodb://").split("/")[0].split(",")
        return hosts.index("{}:{}".format(*client.primary))


async def test_nothing_acknowledged_is_lost_when_the_primary_is_killed(three_nodes):
    uri, processes = three_nodes
    settings = MongoSettings(uri=SecretStr(uri), timeout_seconds=3)
    client = open_mongo(settings)
    history = MongoHistoricalRepository(client, "failover")
    configurations = MongoConfigRepository(client, "failover")
    acknowledged, versions, failures = [], [], 0
    killed = False
    expected = 0

    for minute in range(MINUTES):
        if len(acknowledged) == KILL_AFTER and not killed:
            processes[primary_index(uri)].kill()
            killed = True
        bar = prices(
            [minute + 1.0],
            start=f"2024-01-02T{minute // 60:02d}:{minute % 60:02d}",
            timeframe=TimeFrame.MINUTE,
        )
        try:
            await history.save_time_series(bar)
            acknowledged.append(minute + 1.0)
            saved = await configurations.save_config(
                "simulator",
                {"minute": minute},
                expected_version=expected,
                saved_by="a",
                saved_at=datetime.now(UTC),
            )
            expected = saved.version
            versions.append(saved)
        except Unavailable:
            failures += 1
        except Conflict:
            # The write before was stored, and only its answer was lost.
            expected = (await configurations.get_config("simulator")).version
        if killed and len(acknowledged) >= 2 * KILL_AFTER:
            break
        await asyncio.sleep(0)

    days = DateRange(datetime(2024, 1, 2).date(), datetime(2024, 1, 2).date())
    stored = joined([part async for part in history.query_time_series("SPX", days, TimeFrame.MINUTE)])
    history_of_versions = await configurations.get_config_history("simulator", limit=1000)
    await client.close()
    assert len(acknowledged) >= 2 * KILL_AFTER, f"{failures} writes failed"
    assert set(acknowledged) <= set(stored.close.tolist())
    assert stored.close.size == len(set(stored.close.tolist()))
    assert {saved.version: saved for saved in versions}.items() <= {
        v.version: v for v in history_of_versions
    }.items()
