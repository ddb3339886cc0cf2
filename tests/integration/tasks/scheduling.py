"""A scheduler in the process of a test: real stores, workers as coroutines, and a clock that the test turns."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from actors.calendars import Calendars
from actors.scheduler.actor import SchedulerActor, SchedulerSources
from actors.scheduler.heartbeats import KeepStanding, nothing_stands
from actors.settings import TaskSettings
from adapters.mongo.connection import open_mongo
from adapters.mongo.task_runs import MongoRunQueue
from adapters.mongo.tasks import MongoScheduler
from adapters.settings import MongoSettings
from cluster.settings import Settings
from cluster.tasks.kind import Kind, TaskParameters, kind
from cluster.tasks.work import HistoryCalls, Work
from cluster.tasks.worker import Worker
from optionchain.access.roles import Permission
from optionchain.errors import Unavailable
from optionchain.observing import Observer, Unobserved
from optionchain.tasks import Every, Order, Run, Schedule, Task
from optionchain.tasks.timing import Timing
from tests.waiting import until

START = datetime(2026, 1, 5, 14, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
# What an export may be of.
SIMULATION: dict[str, Any] = {
    "symbol": "SPX",
    "steps": 10,
    "initial_price": 5000.0,
    "days_to_expiration": 30.0,
    "volatility": 0.2,
    "seed": 7,
    "method": {"GeometricBrownian": {"dt": 0.00274, "drift": 0.03, "volatility": 0.2}},
}


class Anything(TaskParameters):
    """What the kinds of tests are told."""

    say: str = ""


@dataclass
class Workers:
    """A `Runner` whose workers are coroutines of this process, which can be killed as a process is."""

    worker: Worker
    at_work: dict[str, asyncio.Task[Run | None]] = field(default_factory=dict)
    slow_start: asyncio.Event | None = None

    async def run(self, run: Run) -> Run | None:
        task = self.at_work[run.id] = asyncio.create_task(self._started(run))
        try:
            return await task
        except asyncio.CancelledError:
            # The scheduler ends, and its workers with it.
            if (caller := asyncio.current_task()) is not None and caller.cancelling():
                raise
            raise Unavailable("the worker of a task") from None
        finally:
            self.at_work.pop(run.id, None)

    def kill(self, run_id: str) -> None:
        if task := self.at_work.get(run_id):
            task.cancel()

    async def _started(self, run: Run) -> Run | None:
        if self.slow_start is not None:
            await self.slow_start.wait()
        return await self.worker.run(run)


@dataclass
class World:
    """A scheduler and what it stands on.

    Attributes:
        effects: What the runs have done, by the run's id: each takes effect once.
        now: What the clock shows.
    """

    mongo: MongoSettings
    settings: TaskSettings
    kinds: Mapping[str, Kind]
    now: datetime = START
    seconds: float = 0.0
    actors: list[SchedulerActor] = field(default_factory=list)
    workers: list[Workers] = field(default_factory=list)
    clients: list[Any] = field(default_factory=list)

    def open(self) -> Any:
        client = open_mongo(self.mongo)
        self.clients.append(client)
        return client

    @property
    def scheduler(self) -> MongoScheduler:
        return MongoScheduler(self.open(), self.mongo.database, most_of_owner=1000, clock=lambda: self.now)

    def actor(
        self, keep_standing: KeepStanding = nothing_stands, *, observer: Observer | None = None
    ) -> SchedulerActor:
        """Another scheduler, which looks when it is told to."""
        queue = MongoRunQueue(self.open(), self.mongo.database)
        worker = Worker(
            queue, self.kinds, Settings(mongo=self.mongo), no_history, Unobserved(), clock=lambda: self.now
        )
        workers = Workers(worker)
        calendars = Calendars(Unobserved(), patience_seconds=8.0)
        sources = SchedulerSources(queue, workers, calendars, keep_standing)
        actor = SchedulerActor(
            lambda: sources,
            self.settings,
            lambda: observer or Unobserved(),
            clock=lambda: self.now,
            monotonic=lambda: self.seconds,
        )
        self.actors.append(actor)
        self.workers.append(workers)
        return actor

    async def turn(self, by: timedelta, *, of_wall: timedelta | None = None) -> None:
        """Let time go by, and leases with it; a clock on the wall may jump elsewhere."""
        self.seconds += by.total_seconds()
        self.now += by if of_wall is None else of_wall

    async def task(
        self, kind: str, *, owner: str = "desk", timing: Timing | None = None, **order: Any
    ) -> str:
        schedule = Schedule(timing=timing or Every(60.0, START + MINUTE), catch_up=100)
        given = {"parameters": {}} | order
        return await self.scheduler.schedule_task(Order(kind=kind, owner=owner, **given), schedule)

    async def runs(self, task_id: str, owner: str = "desk") -> list[Run]:
        _, found = await self.scheduler.runs(owner, task_id, offset=0, limit=1000)
        return sorted(found, key=lambda run: run.scheduled_for)

    async def shown(self, task_id: str, owner: str = "desk") -> Task:
        return await self.scheduler.task(owner, task_id)

    async def states(self, task_id: str, *states: str, owner: str = "desk") -> list[Run]:
        """The runs of a task, once they are in these states."""

        async def there() -> list[Run] | None:
            found = await self.runs(task_id, owner)
            return found if [run.state for run in found] == list(states) else None

        found = await until(there, f"{task_id} has {states}")
        assert found is not None
        return found


def no_history() -> HistoryCalls:
    raise Unavailable("the history service")


def a_kind(name: str, run: Callable[[Work, Any], Mapping[str, Any]]) -> Kind:
    """A kind of tests."""
    return kind(name, "Of tests", Anything, run, permission=Permission.RESEARCH)


@asynccontextmanager
async def world(mongo: MongoSettings, *kinds: Kind, **settings: Any) -> AsyncIterator[World]:
    """A world without a scheduler yet."""
    given = {"lease_seconds": 15.0, "max_running": 8, "max_running_of_owner": 8} | settings
    found = World(mongo, TaskSettings(**given), {each.name: each for each in kinds})
    try:
        yield found
    finally:
        for actor in found.actors:
            await actor.close()
        for client in found.clients:
            await client.close()
