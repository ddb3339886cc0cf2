"""The Ray actor that fires tasks when they are due and hands their runs to workers.

There is one, and nothing depends on that: a time has one run whoever makes it, and a run is begun by one of several
who try. What it knows by itself is what it has handed out; all else is in the queue, so that it may die at any moment.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial

from actors.background import Background
from actors.calendars import Calendars
from actors.scheduler.heartbeats import Heartbeats, KeepStanding, nothing_stands
from actors.scheduler.runner import Runner
from actors.settings import TaskSettings
from actors.shared import SharedActor
from optionchain.errors import LeaseLost
from optionchain.observing import Observer, Operation, Unobserved, attempted
from optionchain.ports.tasks import RunQueue
from optionchain.tasks import Ending, Firing, Leases, Run, Task, Turns, due_at, firing

# Tasks that are fired at a look, and at a time.
FIRED_AT_A_LOOK, FIRED_TOGETHER = 2000, 32


@dataclass(frozen=True, slots=True)
class SchedulerSources:
    """What the actor opens.

    Attributes:
        queue: Of tasks and runs.
        runner: Has runs done.
        calendars: Those of exchanges.
        keep_standing: Schedules what is to be done by itself.
        most_of_kinds: Runs at a time of one kind, where it may not take all places.
    """

    queue: RunQueue
    runner: Runner
    calendars: Calendars
    keep_standing: KeepStanding = nothing_stands
    most_of_kinds: Mapping[str, int] = field(default_factory=dict)


class SchedulerActor(SharedActor):
    """Fires tasks, and has their runs done. Undecorated: `cluster` makes it a Ray actor, tests call it as it is.

    The constructor touches no network: a store that is down must not stop the actor for good.

    Args:
        open_sources: Opens them; clients do not travel between processes.
        settings: Bounds and rhythms.
        open_observer: Opens the observer of this process.
        clock: The instant, which may jump.
        monotonic: Seconds that never do.
    """

    def __init__(
        self,
        open_sources: Callable[[], SchedulerSources],
        settings: TaskSettings,
        open_observer: Callable[[], Observer] = Unobserved,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__("scheduler", open_observer())
        sources = open_sources()
        self._queue, self._runner, self._calendars = sources.queue, sources.runner, sources.calendars
        self._settings = settings
        self._clock = clock
        self._monotonic = monotonic
        self._leases = Leases(settings.lease_seconds)
        self._unwanted = Leases(settings.stop_seconds)
        self._turns = Turns(settings.max_running, settings.max_running_of_owner, sources.most_of_kinds)
        self._begun: dict[str, Run] = {}
        self._at_work: set[asyncio.Task[None]] = set()
        self._bell = asyncio.Event()
        self._serving = Background(self._serve)
        self._heartbeats = Heartbeats(self._queue, settings, self._observer, clock, sources.keep_standing)
        self._housekeeping = Background(self._heartbeats.keep_house)

    async def status(self) -> str:
        """Answers when the actor runs."""
        self._serving.begin()
        self._housekeeping.begin()
        return "up"

    async def close(self) -> None:
        """End what runs beside the calls; what was handed out is ended too, and taken up by the next one."""
        await self._serving.end()
        await self._housekeeping.end()
        for each in self._at_work:
            each.cancel()
        await asyncio.gather(*self._at_work, return_exceptions=True)

    async def look(self) -> float:
        """Fire what is due and begin what may begin; returns in how many seconds something more is known to be due."""
        now = self._clock()
        until_next = await self._fire(now)
        running = await self._queue.running()
        await self._tend(running)
        await self._begin(now, running)
        self._observer.counted("task.looked", now.timestamp())
        return until_next

    async def _serve(self) -> None:
        while True:
            self._bell.clear()
            wait = self._settings.look_seconds

            async def look() -> None:
                nonlocal wait
                wait = min(wait, await self.look())

            await attempted(self._observer, "task.look", look)
            with suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._bell.wait()

    async def _fire(self, now: datetime) -> float:
        """Make the runs of what is due; returns in how many seconds the next is, of those that are near."""
        horizon = now + timedelta(seconds=self._settings.look_seconds)
        near = await self._queue.due(horizon, limit=FIRED_AT_A_LOOK)
        starts = [(task, self._start_of(task)) for task in near]
        places = asyncio.Semaphore(FIRED_TOGETHER)

        async def fire(task: Task) -> None:
            async with places:
                await attempted(self._observer, "task.fire", partial(self._fire_one, task, now))

        await asyncio.gather(*(fire(task) for task, start in starts if start <= now))
        later = [(start - now).total_seconds() for _, start in starts if start > now]
        return min(later, default=self._settings.look_seconds)

    async def _fire_one(self, task: Task, now: datetime) -> None:
        async def found() -> Firing:
            return firing(task, now, grace_seconds=self._settings.grace_seconds)

        fired = await self._calendars.given(found)
        await self._queue.fire(task, fired.times, fired.next_for)
        if fired.has_missed:
            self._observer.counted("task.misfires", kind=task.order.kind)

    async def _tend(self, running: Sequence[Run]) -> None:
        """End what does not end by itself though nobody wants it, and take up whose worker is lost."""
        now, instant = self._monotonic(), self._clock()
        unwanted = (replace(run, beat=0) for run in running if not run.is_wanted)
        for run in self._unwanted.lost(unwanted, now):
            self._runner.kill(run.id)
            await self._end(run, "cancelled", instant)
        for run in self._leases.lost(running, now):
            if (begun := self._begun.get(run.id)) is not None:
                # One that has yet to claim it is on its way; one that has, and is silent, is ended, and then it is
                # handed out again.
                if run.token > begun.token:
                    self._runner.kill(run.id)
            elif not run.is_wanted:
                await self._end(run, "cancelled", instant)
            elif run.attempts >= run.order.max_attempts:
                await self._end(run, "failed", instant, "its worker died, again and again")
            else:
                self._hand_out(run)

    async def _end(self, run: Run, state: Ending, instant: datetime, error: str | None = None) -> None:
        with suppress(LeaseLost):  # it has ended, or somebody else has taken it up
            ended = await self._queue.finish(run, state, instant, error=error, log=run.log)
            self._tell(ended, run.available_at)

    async def _begin(self, now: datetime, running: Sequence[Run]) -> None:
        known = {run.id: run.order for run in (*running, *self._begun.values())}
        if len(known) >= self._settings.max_running:
            return
        most = self._settings.max_running + len(self._begun)
        full = self._turns.full(known.values())
        found = await self._queue.waiting(now, most_of_owner=most, without=full)
        waiting = {owner: [run for run in runs if run.id not in known] for owner, runs in found.items()}
        for run in self._turns.next(waiting, known.values()):
            self._hand_out(run)

    def _hand_out(self, run: Run) -> None:
        self._begun[run.id] = run
        task = asyncio.create_task(self._done(run))
        self._at_work.add(task)
        task.add_done_callback(self._at_work.discard)

    async def _done(self, run: Run) -> None:
        async def work() -> None:
            ended = await self._runner.run(run)
            if ended is not None:
                self._tell(ended, run.available_at)

        try:
            await attempted(self._observer, "task.hand_out", work)
        finally:
            del self._begun[run.id]
            self._bell.set()

    def _start_of(self, task: Task) -> datetime:
        assert task.next_for is not None  # noqa: S101  it is due
        return due_at(task.id, task.next_for, task.schedule.jitter_seconds)

    def _tell(self, run: Run, might_begin: datetime) -> None:
        """Tell of an attempt that is over."""
        if run.started_at is None:
            return
        ended_at = run.ended_at or self._clock()
        operation = Operation(
            "task.run",
            facts={
                "kind": run.order.kind,
                "state": "retried" if run.state == "scheduled" else run.state,
                "run": run.id,
                "late": max((run.started_at - run.due_at).total_seconds(), 0.0),
                "waited": max((run.started_at - might_begin).total_seconds(), 0.0),
            },
            seconds=max((ended_at - run.started_at).total_seconds(), 0.0),
        )
        self._observer.started(operation)
        self._observer.finished(operation)
        self._observer.counted("task.ended", kind=run.order.kind, state=str(operation.facts["state"]))
