"""A scheduler as a process that can be killed, with processes for workers, by a clock that runs and jumps.

::

    python -m tests.chaos.scheduler_process FOLDER MONGO_URI DATABASE

Workers outlive a scheduler that is killed, as those of a cluster may: whoever takes their runs up meets them.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from actors.calendars import Calendars
from actors.scheduler.actor import SchedulerActor, SchedulerSources
from actors.settings import TaskSettings
from adapters.mongo.connection import open_mongo
from adapters.mongo.task_runs import MongoRunQueue, open_run_queue
from adapters.settings import MongoSettings
from cluster.settings import Settings
from cluster.tasks.kind import TaskParameters, kind
from cluster.tasks.work import Work
from cluster.tasks.worker import Worker
from optionchain.access.roles import Permission
from optionchain.errors import Unavailable
from optionchain.observing import Unobserved
from optionchain.tasks import Run
from tests.integration.tasks.scheduling import no_history
from tests.waiting import take

START = datetime(2026, 1, 5, 14, 30, tzinfo=UTC)
# A minute of the tasks is a second of ours.
SPEED = 60.0
PARTS = 20
TASKS = TaskSettings(
    max_running=8,
    max_running_of_owner=6,
    look_seconds=0.2,
    lease_seconds=3.0,
    stop_seconds=3.0,
    grace_seconds=60,
)


@dataclass(frozen=True)
class Ground:
    """Where it all happens: the folder of effects and of the clock, and the database."""

    folder: Path
    uri: str
    database: str

    @property
    def mongo(self) -> MongoSettings:
        return MongoSettings(uri=SecretStr(self.uri), database=self.database, timeout_seconds=5)

    def now(self) -> datetime:
        """What every process takes for the time; somebody may have put it forward or back."""
        began, jumped = map(float, (self.folder / "clock").read_text().split())
        return START + timedelta(seconds=(time.monotonic() - began) * SPEED + jumped)

    def tell(self, *words: object) -> None:
        """Add a line to the record, whole whoever else writes."""
        line = " ".join(map(str, (f"{time.monotonic():.3f}", *words))) + "\n"
        place = os.open(self.folder / "record", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(place, line.encode())
        os.close(place)


class Marks(TaskParameters):
    """How long a run takes."""

    seconds: float = 0.1
    folder: str


def mark(work: Work, parameters: Marks) -> Mapping[str, Any]:
    """Leave a file of the run's name, in parts, and by a rename."""
    ground = Ground(Path(parameters.folder), "", "")
    ground.tell("begun", work.run.id, work.run.token, os.getpid())
    for _ in range(PARTS):
        take(parameters.seconds / PARTS)
        work.check()
    apart = ground.folder / f"{work.run.id}.{work.run.token}.part"
    apart.write_text(work.run.id)
    work.check()
    apart.rename(ground.folder / "effects" / work.run.id)
    ground.tell("effect", work.run.id, work.run.token)
    return {}


KINDS = {"mark": kind("mark", "Leaves a mark", Marks, mark, permission=Permission.RESEARCH)}


def work(ground: Ground, run: Run) -> None:
    """What a worker process does."""

    async def worked() -> None:
        client = open_mongo(ground.mongo)
        queue = MongoRunQueue(client, ground.database)
        await Worker(queue, KINDS, Settings(), no_history, Unobserved(), clock=ground.now).run(run)
        await client.close()

    asyncio.run(worked())


class Processes:
    """The `Runner` that starts a process for each run."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["tests.chaos.scheduler_process"])
        self._running: dict[str, Any] = {}

    async def run(self, run: Run) -> Run | None:
        process = self._context.Process(target=work, args=(self._ground, run))
        process.start()
        self._running[run.id] = process
        try:
            await asyncio.to_thread(process.join)
        finally:
            del self._running[run.id]
        if process.exitcode:
            raise Unavailable("the worker of a task")
        return None

    def kill(self, run_id: str) -> None:
        if run_id in self._running:
            self._running[run_id].kill()


async def main(ground: Ground) -> None:
    """Schedule until somebody ends it."""
    queue = open_run_queue(ground.mongo)
    sources = SchedulerSources(queue, Processes(ground), Calendars(Unobserved(), patience_seconds=8.0))
    actor = SchedulerActor(lambda: sources, TASKS, clock=ground.now)
    await actor.status()
    await asyncio.Event().wait()


if __name__ == "__main__":
    # Under its own name, so that worker processes find it.
    from tests.chaos import scheduler_process

    folder, uri, database = sys.argv[1:]
    asyncio.run(scheduler_process.main(scheduler_process.Ground(Path(folder), uri, database)))
