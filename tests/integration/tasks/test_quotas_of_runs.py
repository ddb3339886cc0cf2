"""What tasks export and import counts as what their owner asks for over HTTP does."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from adapters.mongo.connection import open_mongo
from adapters.mongo.quotas import MongoQuotas
from adapters.settings import MongoSettings
from cluster.quotas.opening import open_amounts
from cluster.settings import Settings
from cluster.tasks.exports import EXPORT
from cluster.tasks.imports import HISTORY_IMPORT
from cluster.tasks.kind import Kind
from cluster.tasks.work import Work
from optionchain.access.quotas import Quota, QuotaFull, QuotaUsedUp, TenantLimits
from optionchain.tasks import Order, Run
from tests.integration.tasks.scheduling import SIMULATION
from tests.servers import redis_server

NOW = datetime(2026, 1, 5, 21, tzinfo=UTC)
PRICES = "timestamp,open,high,low,close,volume\n2024-01-02,1,2,1,2,10\n"


@pytest.fixture(params=[True, False], ids=["on", "off"])
def settings(
    request: pytest.FixtureRequest, mongo: MongoSettings, tmp_path_factory: pytest.TempPathFactory
) -> Any:
    with redis_server(Path(tmp_path_factory.mktemp("redis"))) as redis:
        yield Settings(
            redis={"url": SecretStr(redis.url)},
            mongo=mongo.model_dump(),
            task={"places": str(tmp_path_factory.getbasetemp())},
            quota={"enabled": request.param, "export_rows_per_day": 1, "storage_bytes": len(PRICES) + 10},
        )


def done(settings: Settings, kind: Kind, parameters: dict[str, Any]) -> Any:
    """A run of the owner `desk`, as a worker does it."""
    order = Order(kind=kind.name, parameters=parameters, owner="desk")
    run = Run(id="r1", task_id="t1", scheduled_for=NOW, due_at=NOW, available_at=NOW, order=order)

    def no_history() -> Any:
        raise AssertionError("nothing of history is asked for")

    return kind.run(Work(run, settings, no_history), kind.read(parameters, settings))


async def allow(settings: Settings, rows: int) -> None:
    client = open_mongo(settings.mongo)
    limits = TenantLimits("desk", {Quota.EXPORT_ROWS: rows})
    await MongoQuotas(client, settings.mongo.database).save(limits)
    await client.close()


async def used(settings: Settings, quota: Quota) -> int:
    async with open_amounts(settings) as amounts:
        assert amounts is not None
        return (await amounts._counts.spend("desk", quota, 0, None)).used


def test_rows_of_an_export_count(settings: Settings, tmp_path: Path) -> None:
    wanted = {
        "url": f"{tmp_path}/rows.csv",
        "simulation": SIMULATION,
        "dataset": "underlying",
        "format": "csv",
    }
    asyncio.run(allow(settings, 15))

    first = done(settings, EXPORT, wanted)

    assert first["bytes"] > 0
    if not settings.quota.enabled:
        assert done(settings, EXPORT, wanted)["bytes"] == first["bytes"]
        return
    with pytest.raises(QuotaUsedUp, match="export_rows_per_day"):
        done(settings, EXPORT, wanted)
    assert asyncio.run(used(settings, Quota.EXPORT_ROWS)) == 10


def test_bytes_of_an_import_count_once(settings: Settings, tmp_path: Path) -> None:
    wanted = {"url": str(tmp_path), "asset": "SPX", "pattern": "*.csv"}
    (tmp_path / "one.csv").write_text(PRICES)

    assert done(settings, HISTORY_IMPORT, wanted)["files"] == 1
    assert done(settings, HISTORY_IMPORT, wanted)["files"] == 0
    (tmp_path / "two.csv").write_text(PRICES)

    if not settings.quota.enabled:
        assert done(settings, HISTORY_IMPORT, wanted)["files"] == 1
        return
    with pytest.raises(QuotaFull, match="storage_bytes"):
        done(settings, HISTORY_IMPORT, wanted)
    assert asyncio.run(used(settings, Quota.STORAGE)) == len(PRICES)
