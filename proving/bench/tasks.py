"""The queue of tasks by itself: runs that do nothing, and how late they begin when there are 10,000 schedules.

Workers are coroutines of this process, so that what is measured is the queue and not the start of processes; beside it
stands RQ on a Redis that syncs as ours does, with a worker that starts no process either.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
import uuid
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from pydantic import SecretStr
from pymongo import InsertOne

from actors.calendars import Calendars
from actors.scheduler.actor import SchedulerActor, SchedulerSources
from actors.settings import TaskSettings
from adapters.mongo.connection import open_mongo
from adapters.mongo.task_documents import task_document
from adapters.mongo.task_runs import MongoRunQueue
from adapters.mongo.tasks import MongoScheduler, TaskCollections
from adapters.settings import MongoSettings, RedisSettings
from cluster.instance.embedded_servers import embedded_mongo, embedded_redis, running
from cluster.instance.ports import free_ports
from cluster.settings import Settings
from cluster.tasks.kind import TaskParameters, kind
from cluster.tasks.work import HistoryCalls, Work
from cluster.tasks.worker import Worker
from optionchain.access.roles import Permission
from optionchain.errors import Unavailable
from optionchain.observing import Unobserved
from optionchain.tasks import At, Every, Order, Run, Schedule, Task
from optionchain.wire.instants import whole_milliseconds

RUNS = 500
SCHEDULES, OWNERS = 10_000, 100
# Of the schedules so many are due a second, for so long.
DUE_A_SECOND, DUE_SECONDS = 20, 20
# Until then all of them are stored.
LEAD_SECONDS = 10
PATIENCE_SECONDS = 120.0
AT_A_TIME = 16


def run() -> dict[str, float]:
    """Measure on servers of its own, or on the MongoDB of OCS_MONGO_URI."""
    with tempfile.TemporaryDirectory(prefix="optionchain-bench-") as folder, ExitStack() as stack:
        mongo, redis = _servers(Path(folder), stack)
        figures = asyncio.run(_measured(mongo))
        return figures | _of_rq(redis)


def nothing(_: Work, __: TaskParameters) -> Mapping[str, Any]:
    """What a run does here."""
    return {}


def nothing_of_rq() -> None:
    """The same for RQ."""


NOOP = kind("noop", "Nothing", TaskParameters, nothing, permission=Permission.RESEARCH)


@dataclass(frozen=True, slots=True)
class Here:
    """The `Runner` of this process."""

    worker: Worker

    async def run(self, run: Run) -> Run | None:
        return await self.worker.run(run)

    def kill(self, run_id: str) -> None:
        """There is no process."""


def _servers(folder: Path, stack: ExitStack) -> tuple[MongoSettings, RedisSettings]:
    ports, password = free_ports(2), uuid.uuid4().hex
    redis = embedded_redis(folder / "redis", ports[0], password, fsync=RedisSettings().fsync)
    stack.enter_context(running(redis, folder / "redis", patience_seconds=PATIENCE_SECONDS))
    uri = os.environ.get("OCS_MONGO_URI")
    if uri is None:
        mongo = embedded_mongo(folder / "mongo", ports[1])
        stack.enter_context(running(mongo, folder / "mongo", patience_seconds=PATIENCE_SECONDS))
        uri = mongo.url
    database = f"bench{uuid.uuid4().hex[:12]}"
    return (
        MongoSettings(uri=SecretStr(uri), database=database, timeout_seconds=60),
        RedisSettings(url=SecretStr(redis.url)),
    )


async def _measured(mongo: MongoSettings) -> dict[str, float]:
    client = open_mongo(mongo)
    try:
        collections = TaskCollections.of(client, mongo.database)
        await collections.prepare()
        scheduler = MongoScheduler(client, mongo.database, most_of_owner=RUNS)
        queue = MongoRunQueue(client, mongo.database)
        worker = Worker(queue, {NOOP.name: NOOP}, Settings(), _no_history, Unobserved())
        sources = SchedulerSources(queue, Here(worker), Calendars(Unobserved(), patience_seconds=8.0))
        settings = TaskSettings(max_running=AT_A_TIME, max_running_of_owner=AT_A_TIME)
        actor = SchedulerActor(lambda: sources, settings)
        figures = await _throughput(actor, scheduler, collections)
        return figures | await _lateness(actor, collections)
    finally:
        await client.drop_database(mongo.database)
        await client.close()


async def _throughput(
    actor: SchedulerActor, scheduler: MongoScheduler, collections: TaskCollections
) -> dict[str, float]:
    """So many runs that are all due now."""
    schedule = Schedule(timing=At(_now()))
    await asyncio.gather(
        *(scheduler.schedule_task(_order("desk"), schedule, task_id=f"now{number}") for number in range(RUNS))
    )
    began = time.perf_counter()
    await actor.status()
    await _succeeded(collections, RUNS)
    seconds = time.perf_counter() - began
    await actor.close()
    return {"noop_runs_per_second": RUNS / seconds}


async def _lateness(actor: SchedulerActor, collections: TaskCollections) -> dict[str, float]:
    """Many schedules, of which a few are due at any moment."""
    await collections.runs.delete_many({})
    began = _now() + timedelta(seconds=LEAD_SECONDS)
    tasks = [_hourly(number, began) for number in range(SCHEDULES)]
    await collections.tasks.bulk_write([InsertOne(task_document(task)) for task in tasks], ordered=False)
    process = psutil.Process()
    await actor.status()
    await _succeeded(collections, DUE_A_SECOND * DUE_SECONDS)
    memory = process.memory_info().rss
    await actor.close()
    runs = await collections.runs.find({"state": "succeeded"}).to_list()
    late = [(run["started_at"] - run["due_at"]).total_seconds() for run in runs]
    return {
        "schedules": SCHEDULES,
        "started_late_p50_milliseconds": float(np.quantile(late, 0.5)) * 1000,
        "started_late_p99_milliseconds": float(np.quantile(late, 0.99)) * 1000,
        "scheduler_megabytes": memory / 1e6,
    }


async def _succeeded(collections: TaskCollections, runs: int) -> None:
    """Return when so many runs have succeeded."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        done = 0
        while done < runs:
            await asyncio.sleep(0.05)
            done = await collections.runs.count_documents({"state": "succeeded"})


def _order(owner: str) -> Order:
    return Order(kind=NOOP.name, parameters={}, owner=owner)


def _hourly(number: int, began: datetime) -> Task:
    start = began + timedelta(milliseconds=1000 * number // DUE_A_SECOND)
    order, schedule = _order(f"owner{number % OWNERS}"), Schedule(timing=Every(3600.0, start))
    return Task(id=f"hourly{number}", order=order, schedule=schedule, created_at=began, next_for=start)


def _now() -> datetime:
    return whole_milliseconds(datetime.now(UTC))


def _no_history() -> HistoryCalls:
    raise Unavailable("the history service")


def _of_rq(redis: RedisSettings) -> dict[str, float]:
    """Jobs a second of RQ, where it is installed."""
    try:
        from redis import Redis  # noqa: PLC0415
        from rq import Queue, SimpleWorker  # noqa: PLC0415
    except ImportError:
        return {}
    assert redis.url is not None  # noqa: S101  it is ours
    with Redis.from_url(redis.url.get_secret_value()) as connection:
        queue = Queue(connection=connection)
        for _ in range(RUNS):
            queue.enqueue(nothing_of_rq)
        began = time.perf_counter()
        SimpleWorker([queue], connection=connection).work(burst=True, logging_level="ERROR")
        return {"rq_jobs_per_second": RUNS / (time.perf_counter() - began)}
