"""The queue of tasks for the threads of the sweep actor: a sweep that is posted is a task that is due at once."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Collection, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

from adapters.mongo.connection import open_mongo
from adapters.mongo.task_runs import MongoRunQueue
from adapters.mongo.tasks import MongoScheduler
from cluster.settings import Settings
from cluster.tasks.sweeps import SWEEP, PostedSweep
from cluster.tasks.work import HistoryCalls, Work
from cluster.tasks.worker import Worker
from optionchain.errors import NotFound
from optionchain.observing import Observer
from optionchain.patience import MOST_RUN_ATTEMPTS
from optionchain.tasks import At, Order, Run, Schedule, Task

T = TypeVar("T")


class SweepQueue:
    """What the sweep actor asks of the queue. Its methods block; each raises `Unavailable` where MongoDB is silent.

    Args:
        settings: Where the queue is.
        open_history: Opens the way to the history service.
        compute: Computes the sweep of a run.
        observer: Told of each attempt.
    """

    def __init__(
        self,
        settings: Settings,
        open_history: Callable[[], HistoryCalls],
        compute: Callable[[Work, Any], Mapping[str, Any]],
        observer: Observer,
    ) -> None:
        self._loop = asyncio.new_event_loop()
        # Those that stop may be there still when others begin.
        self._loop.set_default_executor(ThreadPoolExecutor(2 * settings.sweep.max_running))
        self._client = open_mongo(settings.mongo, observer)
        database = settings.mongo.database
        self._scheduler = MongoScheduler(self._client, database, most_of_owner=settings.task.max_tasks)
        self._runs = MongoRunQueue(self._client, database)
        self._scheduled, self._posted = (
            Worker(self._runs, {kind.name: kind}, settings, open_history, observer)
            for kind in (replace(SWEEP, run=compute), replace(SWEEP, run=compute, parameters=PostedSweep))
        )
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def schedule(self, owner: str, sweep: str, task: str, instant: datetime) -> None:
        """Have a posted sweep computed.

        Args:
            owner: Whose it is.
            sweep: Its id.
            task: The id of its task; the same again is the same task.
            instant: When it is due.

        Raises:
            Overloaded: The owner has too many tasks.
        """
        order = Order(
            kind=SWEEP.name,
            parameters={"sweep_id": sweep},
            owner=owner,
            is_posted=True,
            # Each restart of the actor costs one, and what was done is gone on with.
            max_attempts=MOST_RUN_ATTEMPTS,
        )
        self._done(self._scheduler.schedule_task(order, Schedule(timing=At(instant)), task_id=task))

    def cancel(self, owner: str, task: str) -> None:
        """Let a task begin no more, and tell what runs to stop; one that there is not is none of ours."""
        try:
            self._done(self._scheduler.cancel_task(owner, task))
        except NotFound:
            return

    def task(self, owner: str, task: str) -> Task | None:
        """A task; None where there is none."""
        try:
            return self._done(self._scheduler.task(owner, task))
        except NotFound:
            return None

    def runs(self, ids: Collection[str]) -> Mapping[str, Run]:
        """As `RunQueue.found`."""
        return self._done(self._runs.found(ids))

    def work(self, run: Run) -> Run | None:
        """As `Worker.run`."""
        worker = self._posted if "sweep_id" in run.order.parameters else self._scheduled
        return self._done(worker.run(run))

    def close(self) -> None:
        """Release the connections, when nothing is at work any more."""
        self._done(self._client.close())
        self._done(self._loop.shutdown_default_executor())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _done(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()
