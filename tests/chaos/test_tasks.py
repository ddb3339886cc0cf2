"""Schedulers, workers and MongoDB's primary are killed, clocks jump: every due time has its effect once."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from adapters.mongo.connection import open_mongo
from adapters.mongo.tasks import MongoScheduler
from optionchain.errors import Unavailable
from optionchain.tasks import Cron, Every, Order, Run, Schedule, Task
from optionchain.tasks.timing import Timing
from proving.groups.replica_set import ReplicaSet, hosts_of
from tests.chaos.scheduler_process import START, Ground
from tests.integration.history import mongo_servers as servers
from tests.waiting import passing, until

pytestmark = pytest.mark.anyio

MINUTE = timedelta(minutes=1)
TIMINGS: dict[str, tuple[Timing, float]] = {
    "minutely": (Every(60.0, START), 0.0),
    "odd": (Every(97.0, START), 0.0),
    "late": (Every(180.0, START), 20.0),
    "cron": (Cron("*/2 * * * *", "Europe/Madrid"), 0.0),
}
# What was begun just before is told just after; what hears of a cancellation has a second for it, if not more.
BEGUN_SECONDS, STOPPED_SECONDS = 1.0, 6.0


@dataclass
class Chaos:
    """What is broken, and may be broken."""

    ground: Ground
    members: ReplicaSet
    folder: Path
    stack: contextlib.ExitStack
    schedulers: list[subprocess.Popen[bytes]] = field(default_factory=list)
    kills: Counter[str] = field(default_factory=Counter)
    jumped: float = 0.0

    def schedule_again(self) -> None:
        """One more scheduler, beside those there are."""
        ground = self.ground
        command = [sys.executable, "-m", "tests.chaos.scheduler_process"]
        with (self.folder / "scheduler.log").open("ab") as log:
            process = subprocess.Popen(
                [*command, str(ground.folder), ground.uri, ground.database], stdout=log, stderr=log
            )
        self.schedulers.append(process)
        self.stack.callback(_end, process)

    def kill_scheduler(self) -> None:
        _end(self.schedulers.pop(0))
        self.kills["scheduler"] += 1
        self.schedule_again()

    def kill_worker(self, rng: random.Random) -> None:
        """One that is at work, if there is one at this moment."""
        at_work = self.workers()
        if at_work:
            with contextlib.suppress(ProcessLookupError):
                os.kill(rng.choice(at_work), signal.SIGKILL)
                self.kills["worker"] += 1

    def workers(self) -> list[int]:
        """The processes of runs that have begun lately and had no effect yet."""
        record = self.ground.folder / "record"
        lines = record.read_text().splitlines()[-60:] if record.exists() else []
        at_work: dict[tuple[str, str], int] = {}
        for _, what, run, token, *pid in map(str.split, lines):
            if what == "begun":
                at_work[run, token] = int(pid[0])
            else:
                at_work.pop((run, token), None)
        return [pid for pid in at_work.values() if _is_worker(pid)]

    def kill_primary(self) -> None:
        """The primary; it comes back at once as a secondary."""
        with (
            contextlib.suppress(PyMongoError),
            MongoClient(self.ground.uri, serverSelectionTimeoutMS=9000) as client,
        ):
            primary = client.admin.command("hello")["primary"]
            index = hosts_of(self.ground.uri).index(primary)
            self.members.kill(index)
            self.kills["primary"] += 1
            self.members.start_again(index)

    def jump(self) -> None:
        """An hour forward, or back to where it would be."""
        self.jumped = 3600.0 - self.jumped
        began = (self.ground.folder / "clock").read_text().split()[0]
        new = self.ground.folder / "clock.new"
        new.write_text(f"{began} {self.jumped}")
        new.rename(self.ground.folder / "clock")
        self.kills["jump"] += 1


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait(10)


def _is_worker(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return b"forkserver" in Path(f"/proc/{pid}/cmdline").read_bytes()
    return False


@pytest.fixture
def chaos(tmp_path: Path) -> Iterator[Chaos]:
    with servers.replica_set(tmp_path, 3) as members, contextlib.ExitStack() as stack:
        folder = tmp_path / "ground"
        (folder / "effects").mkdir(parents=True)
        (folder / "clock").write_text(f"{time.monotonic()} 0.0")
        found = Chaos(Ground(folder, members.uri, "chaos"), members, tmp_path, stack)
        yield found
        for process in found.schedulers:
            _end(process)
        for pid in found.workers():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


@pytest.fixture
async def scheduler(chaos: Chaos) -> AsyncIterator[MongoScheduler]:
    client = open_mongo(chaos.ground.mongo)
    yield MongoScheduler(client, "chaos", most_of_owner=100, clock=chaos.ground.now)
    await client.close()


@pytest.mark.timeout(240)
async def test_every_due_time_has_its_effect_once(chaos: Chaos, scheduler: MongoScheduler) -> None:
    await _torment(chaos, scheduler, rounds=2, seconds_between=1.5)


@pytest.mark.long
@pytest.mark.timeout(3000)
async def test_every_due_time_has_its_effect_once_through_fifty_kills_of_each_kind(
    chaos: Chaos, scheduler: MongoScheduler
) -> None:
    effects = await _torment(chaos, scheduler, rounds=50, seconds_between=1.5)

    assert effects >= 1000
    assert min(chaos.kills[what] for what in ("scheduler", "worker", "primary", "jump")) >= 50


async def _torment(chaos: Chaos, scheduler: MongoScheduler, *, rounds: int, seconds_between: float) -> int:
    """Break everything in turn, then let it come to rest, and check; returns how many effects there are."""
    rng = random.Random(rounds)
    tasks = {name: await _schedule(scheduler, chaos, name) for name in TIMINGS}
    doomed = await _schedule(scheduler, chaos, "minutely", owner="other")
    for _ in range(2):  # two of them, as in an upgrade
        chaos.schedule_again()
    await until(
        lambda: any((chaos.ground.folder / "effects").iterdir()), "the first run is done", patience_seconds=60
    )
    cancelled_at = 0.0
    for number in range(rounds):
        what = [chaos.kill_scheduler, chaos.kill_primary, chaos.jump, lambda: chaos.kill_worker(rng)]
        rng.shuffle(what)
        for hit in what:
            await asyncio.to_thread(hit)
            await passing(seconds_between)
        while chaos.kills["worker"] <= number:  # there was none to be killed
            await asyncio.to_thread(chaos.kill_worker, rng)
            await passing(0.05)
        if number == rounds // 2:
            cancelled_at = await _cancel(scheduler, doomed)
    return await _check(chaos, scheduler, tasks, doomed, cancelled_at)


async def _schedule(scheduler: MongoScheduler, chaos: Chaos, name: str, owner: str = "desk") -> str:
    timing, jitter = TIMINGS[name]
    order = Order(
        kind="mark",
        parameters={"folder": str(chaos.ground.folder), "seconds": 0.4},
        owner=owner,
        max_attempts=20,
        name=name,
    )
    return await scheduler.schedule_task(order, Schedule(timing=timing, jitter_seconds=jitter, catch_up=100))


async def _cancel(scheduler: MongoScheduler, task_id: str) -> float:
    async def acknowledged() -> bool:
        try:
            await scheduler.cancel_task("other", task_id)
        except Unavailable:
            return False
        return True

    await until(acknowledged, "the cancellation is acknowledged", patience_seconds=60)
    return time.monotonic()


async def _check(
    chaos: Chaos, scheduler: MongoScheduler, tasks: dict[str, str], doomed: str, cancelled_at: float
) -> int:
    ends = {name: await _at_rest(scheduler, task_id) for name, task_id in tasks.items()}
    effects = {path.name for path in (chaos.ground.folder / "effects").iterdir()}
    expected = set()
    for name, (task, runs) in ends.items():
        times, moment = [], TIMINGS[name][0].after(task.created_at)
        while moment is not None and task.next_for is not None and moment < task.next_for:
            times.append(moment)
            moment = TIMINGS[name][0].after(moment)
        assert [run.scheduled_for for run in runs] == times, f"{name}: a time was lost, or made up"
        assert {run.state for run in runs} == {"succeeded"}, Counter(run.error for run in runs)
        expected |= {run.id for run in runs}
    lines = [line.split() for line in (chaos.ground.folder / "record").read_text().splitlines()]
    of_doomed = [words for words in lines if words[2].startswith(doomed)]
    assert {name for name in effects if not name.startswith(doomed)} == expected
    assert max(float(words[0]) for words in of_doomed if words[1] == "begun") < cancelled_at + BEGUN_SECONDS
    assert (
        max(float(words[0]) for words in of_doomed if words[1] == "effect") < cancelled_at + STOPPED_SECONDS
    )
    _, left = await scheduler.runs("other", doomed, offset=0, limit=10_000)
    assert {run.state for run in left} <= {"succeeded", "cancelled"}
    every = [*left, *(run for _, runs in ends.values() for run in runs)]
    taken_up = sum(run.attempts > 1 for run in every)
    assert taken_up, "nobody was killed at work"
    print(f"{len(expected)} times, {dict(chaos.kills)}, {taken_up} taken up")
    return len(expected)


async def _at_rest(scheduler: MongoScheduler, task_id: str) -> tuple[Task, list[Run]]:
    """A task that is paused, and its runs, once all are over."""

    async def over() -> tuple[Task, list[Run]] | None:
        try:
            task = await scheduler.pause("desk", task_id)
            _, runs = await scheduler.runs("desk", task_id, offset=0, limit=10_000)
        except Unavailable:
            return None
        return (task, list(runs)[::-1]) if all(run.is_over for run in runs) else None

    found = await until(over, f"the runs of {task_id} are over", patience_seconds=150)
    assert found is not None
    return found
