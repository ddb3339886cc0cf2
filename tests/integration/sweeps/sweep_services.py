"""The service of sweeps without Ray: a queue in MongoDB, a scheduler in a thread, and engines that wait for a test."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

from actors.calendars import Calendars
from actors.scheduler.actor import SchedulerActor, SchedulerSources
from actors.scheduler.runner import Runner
from adapters.mongo.connection import open_mongo
from adapters.mongo.task_runs import MongoRunQueue
from adapters.settings import MongoSettings
from cluster.settings import Settings
from cluster.sweeps.gateway import SweepGateway
from cluster.sweeps.service import OVER, SweepService
from optionchain.errors import Unavailable
from optionchain.observing import Unobserved
from optionchain.sweeps import InProcess
from optionchain.sweeps.engine import Engine
from optionchain.sweeps.index import OpenIndex
from optionchain.tasks import Run
from tests.waiting import eventually

PATIENCE_SECONDS = 20.0
# A scheduler that looks often, and takes up soon what nobody is at.
TASKS = {"look_seconds": 0.05, "lease_seconds": 5.0, "max_running": 64, "max_running_of_owner": 64}


class Gated:
    """An engine that computes nothing until the gate is opened."""

    seconds_per_task = 0.0

    def __init__(self):
        self.gate = threading.Event()
        self.is_computing = threading.Event()

    def open(self):
        self.gate.set()

    observer = Unobserved()

    def check(self, sweep):
        return

    def outcomes(self, sweep, pending, folder):
        for outcome in InProcess(seconds_per_task=0.0).outcomes(sweep, pending, folder):
            yield outcome
            self.is_computing.set()
            assert self.gate.wait(PATIENCE_SECONDS)


class Sweeping:
    """Services of one folder and queue, one after the other, and the scheduler that hands runs out to the latest.

    Args:
        mongo: Where the queue is.
        output: The folder.
    """

    def __init__(self, mongo: MongoSettings, output: Path | str) -> None:
        self._mongo, self._output = mongo, str(output)
        self._opened: list[tuple[SweepService, Engine | None]] = []
        self._over: Callable[[], object] = lambda: None
        self._thread: threading.Thread | None = None

    def settings(self, **sweep: Any) -> Settings:
        return Settings(mongo=self._mongo, sweep={"output": self._output, **sweep}, task=TASKS)

    def open(
        self, engine: Engine | None = None, open_index: OpenIndex | None = None, **sweep: Any
    ) -> SweepService:
        """Another service."""
        settings = self.settings(**sweep)
        service = SweepService(lambda _: engine or InProcess(), settings, nothing_past, open_index)
        self._opened.append((service, engine))
        if self._thread is None:
            begun = threading.Event()
            self._thread = threading.Thread(
                target=lambda: asyncio.run(self._schedule(settings, begun)), daemon=True
            )
            self._thread.start()
            assert begun.wait(PATIENCE_SECONDS)
        return service

    def close(self) -> None:
        """All of them, and what they wait for."""
        for service, engine in self._opened:
            if isinstance(engine, Gated):
                engine.open()
            service.close()
        self._over()
        if self._thread is not None:
            self._thread.join(PATIENCE_SECONDS)

    async def run(self, run: Run) -> Run | None:
        """As `Runner.run`."""
        service, _ = self._opened[-1]
        return await asyncio.to_thread(service.work, run)

    def kill(self, run_id: str) -> None:
        """There is no process."""

    async def _schedule(self, settings: Settings, begun: threading.Event) -> None:
        over, loop = asyncio.Event(), asyncio.get_running_loop()
        self._over = lambda: loop.call_soon_threadsafe(over.set)
        async with scheduling(settings, self):
            begun.set()
            await over.wait()


@asynccontextmanager
async def scheduling(settings: Settings, runner: Runner) -> AsyncIterator[None]:
    """A scheduler that hands the runs of sweeps out to a runner."""
    async with open_mongo(settings.mongo) as client:
        sources = SchedulerSources(
            MongoRunQueue(client, settings.mongo.database),
            runner,
            Calendars(Unobserved(), patience_seconds=8.0),
            most_of_kinds={"sweep": settings.sweep.max_running},
        )
        actor, over = SchedulerActor(lambda: sources, settings.task), asyncio.Event()

        async def look() -> None:
            # To its end each time: a connection that is cut off while it is made is lost.
            while not over.is_set():
                with suppress(Unavailable):
                    await actor.look()
                with suppress(TimeoutError):
                    await asyncio.wait_for(over.wait(), settings.task.look_seconds)

        looking = asyncio.create_task(look())
        try:
            yield
        finally:
            over.set()
            await looking
            await actor.close()


@contextmanager
def sweeping(mongo: MongoSettings, output: Path | str) -> Iterator[Sweeping]:
    """As `Sweeping`, closed afterwards."""
    found = Sweeping(mongo, output)
    try:
        yield found
    finally:
        found.close()


def wait(service, owner, identity):
    def shown():
        status = service.status(owner, identity)
        return status if status["state"] in OVER else None

    return eventually(shown, "the sweep is over", patience_seconds=PATIENCE_SECONDS)


def nothing_past() -> Any:
    """Nothing is asked of history here."""


def no_cluster(_: Settings) -> Any:
    raise Unavailable("the cluster")


class Here(SweepGateway):
    """The service behind the routes without an actor between them."""

    def __init__(self, service, **sweep):
        super().__init__(Settings(sweep=sweep), no_cluster)
        self._service = service
        self.calls = []

    async def _call(self, context, method, *arguments):
        self.calls.append(method)
        return await asyncio.to_thread(getattr(self._service, method), *arguments)
