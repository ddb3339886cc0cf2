"""What the scheduler does now and then: tell how many runs wait and which are overdue, forget, keep standing tasks."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial
from typing import TypeAlias

from actors.settings import TaskSettings
from optionchain.observing import Observer, attempted
from optionchain.ports.tasks import RunQueue

SECONDS_BETWEEN = 10.0
# Between two looks for what is too old.
BEATS_BETWEEN_FORGETTING = 60

KeepStanding: TypeAlias = Callable[[datetime], Awaitable[None]]
"""Schedules what is to be done by itself, at an instant, unless it is scheduled."""


async def nothing_stands(_now: datetime) -> None:
    """There is no such task."""


class Heartbeats:
    """Tells the observer of the queue and of schedules.

    Args:
        queue: Of tasks and runs.
        settings: What is overdue, and how long is remembered.
        observer: Told.
        clock: The instant.
        keep_standing: Schedules what is to be done by itself.
    """

    def __init__(
        self,
        queue: RunQueue,
        settings: TaskSettings,
        observer: Observer,
        clock: Callable[[], datetime],
        keep_standing: KeepStanding = nothing_stands,
    ) -> None:
        self._queue = queue
        self._settings = settings
        self._observer = observer
        self._clock = clock
        self._keep_standing = keep_standing
        self._kinds: set[str] = set()

    async def keep_house(self) -> None:
        """Tell again and again, keep standing tasks, and forget what is old; without end."""
        beats = 0
        while True:
            await attempted(self._observer, "task.tell", self.tell)
            if beats % BEATS_BETWEEN_FORGETTING == 0:
                await attempted(self._observer, "task.stand", partial(self._keep_standing, self._clock()))
                await attempted(self._observer, "task.forget", self._forget)
            beats += 1
            await asyncio.sleep(SECONDS_BETWEEN)

    async def tell(self) -> None:
        """Tell how it is now."""
        depths = await self._queue.depths()
        overdue = await self._queue.overdue(self._clock() - timedelta(seconds=self._settings.overdue_seconds))
        self._kinds |= overdue.keys() | {kind for kind, _ in depths}
        for kind in self._kinds:
            self._observer.counted("task.waiting", depths.get((kind, "scheduled"), 0), kind=kind)
            self._observer.counted("task.running", depths.get((kind, "running"), 0), kind=kind)
            self._observer.counted("task.overdue", overdue.get(kind, 0), kind=kind)
        for name, instant in (await self._queue.successes(limit=self._settings.max_heartbeats)).items():
            self._observer.counted("task.succeeded", instant.timestamp(), task=name)

    async def _forget(self) -> None:
        await self._queue.forget(self._clock() - timedelta(days=self._settings.keep_days))
