"""Runs as tasks of Ray: each takes a processor of the cluster, and its worker can be killed."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from adapters.mongo.connection import open_mongo
from adapters.mongo.tasks import MongoScheduler
from adapters.settings import MongoSettings
from cluster.settings import Settings
from cluster.tasks.ray_runner import RayRunner
from optionchain.errors import Unavailable
from optionchain.tasks import At, Order, Schedule
from tests.integration.sweeps.sweep_services import no_cluster
from tests.integration.tasks.scheduling import SIMULATION
from tests.waiting import until

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("ray_address")]

PATIENCE_SECONDS = 60.0
# For seconds, so that it can be killed meanwhile.
LONG = SIMULATION | {"steps": 2000, "days_to_expiration": 2000.0, "exercise": "american"}


async def test_a_run_takes_a_processor_until_its_worker_is_killed(
    mongo_there: MongoSettings, tmp_path: Path
) -> None:
    import ray

    def free() -> float:
        resources: dict[str, float] = ray.available_resources()  # type: ignore[no-untyped-call]
        return resources.get("CPU", 0.0)

    parameters = {"url": f"{tmp_path}/rows.csv", "simulation": LONG, "format": "csv"}
    order = Order(kind="export", parameters=parameters, owner="desk")
    runner = RayRunner(Settings(mongo=mongo_there, task={"places": str(tmp_path)}), no_cluster)
    async with open_mongo(mongo_there) as client:
        scheduler = MongoScheduler(client, mongo_there.database, most_of_owner=10)
        later = Schedule(timing=At(datetime.now(UTC) + timedelta(days=1)))
        task_id = await scheduler.schedule_task(order, later)
        run = await scheduler.run_now("desk", task_id)
        await until(lambda: free() == 2.0, "nothing else is at work", patience_seconds=PATIENCE_SECONDS)
        doing = asyncio.create_task(runner.run(run))

        async def state() -> str:
            _, (found,) = await scheduler.runs("desk", task_id, offset=0, limit=1)
            return found.state

        async def is_at_work() -> bool:
            return await state() == "running" and free() == 1.0

        await until(is_at_work, "it runs on a processor of its own", patience_seconds=PATIENCE_SECONDS)
        runner.kill(run.id)
        with pytest.raises(Unavailable):
            await doing
        await until(lambda: free() == 2.0, "the processor is free again", patience_seconds=PATIENCE_SECONDS)

        assert await state() == "running"  # until its lease runs out
