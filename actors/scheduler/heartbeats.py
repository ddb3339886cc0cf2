"""What the scheduler tells of all tasks now and then: how many wait, and which should have succeeded by now."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from actors.settings import TaskSettings
from optionchain.expirations.exchanges import CalendarMissing
from optionchain.observing import Observer, attempted
from optionchain.ports.tasks import RunQueue
from optionchain.tasks import Task

SECONDS_BETWEEN = 10.0
# Between two looks for what is too old.
BEATS_BETWEEN_FORGETTING = 60
MOST_TASKS = 10_000


class Heartbeats:
    """Tells the observer of the queue and of schedules.

    Args:
        queue: Of tasks and runs.
        settings: What is overdue, and how long is remembered.
        observer: Told.
        clock: The instant.
    """

    def __init__(
        self, queue: RunQueue, settings: TaskSettings, observer: Observer, clock: Callable[[], datetime]
    ) -> None:
        self._queue = queue
        self._settings = settings
        self._observer = observer
        self._clock = clock
        self._kinds: set[str] = set()

    async def keep_house(self) -> None:
        """Tell again and again, and forget what is old; without end."""
        beats = 0
        while True:
            await attempted(self._observer, "task.tell", self.tell)
            if beats % BEATS_BETWEEN_FORGETTING == 0:
                await attempted(self._observer, "task.forget", self._forget)
            beats += 1
            await asyncio.sleep(SECONDS_BETWEEN)

    async def tell(self) -> None:
        """Tell how it is now."""
        depths = await self._queue.depths()
        tasks = await self._queue.repeated(limit=MOST_TASKS)
        self._kinds |= {kind for kind, _ in depths} | {task.order.kind for task in tasks}
        now = self._clock()
        late = [task.order.kind for task in tasks if self._is_overdue(task, now)]
        for kind in self._kinds:
            self._observer.counted("task.waiting", depths.get((kind, "scheduled"), 0), kind=kind)
            self._observer.counted("task.running", depths.get((kind, "running"), 0), kind=kind)
            self._observer.counted("task.overdue", late.count(kind), kind=kind)
        self._tell_successes(tasks)

    def _tell_successes(self, tasks: Sequence[Task]) -> None:
        named = [task for task in tasks if task.order.name and task.last_success_at is not None]
        for task in named[: self._settings.max_heartbeats]:
            assert task.last_success_at is not None  # noqa: S101  for mypy
            self._observer.counted("task.succeeded", task.last_success_at.timestamp(), task=task.order.name)

    def _is_overdue(self, task: Task, now: datetime) -> bool:
        """Whether there was a time, long enough ago, of which and since which no run has succeeded."""
        schedule = task.schedule
        patience = timedelta(seconds=self._settings.overdue_seconds + schedule.jitter_seconds)
        expected: datetime | None = None
        with suppress(CalendarMissing):
            expected = schedule.timing.before(now - patience)
        if expected is None or expected <= task.created_at:
            return False
        return task.last_success_for is None or task.last_success_for < expected

    async def _forget(self) -> None:
        await self._queue.forget(self._clock() - timedelta(days=self._settings.keep_days))
