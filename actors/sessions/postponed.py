"""Calls that wait until the calendar of their session has been computed; others are served meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from actors.calendars import Calendars
from actors.sessions.turns import Waiting, settle
from optionchain.errors import OptionChainError


class Postponed:
    """The calls of one host that wait.

    Args:
        calendars: Provides what they wait for.
        enter: Takes calls that wait no more.
    """

    def __init__(self, calendars: Calendars, enter: Callable[[Sequence[Waiting]], None]) -> None:
        self._calendars = calendars
        self._enter = enter
        self._tasks: set[asyncio.Task[None]] = set()

    def add(self, calls: Sequence[Waiting], calendar: str) -> None:
        """Have calls wait for a calendar; without one they are refused."""
        task = asyncio.create_task(self._wait(calls, calendar))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _wait(self, calls: Sequence[Waiting], calendar: str) -> None:
        try:
            await self._calendars.provide(calendar)
        except OptionChainError as error:
            for waiting in calls:
                settle(waiting, error)
        else:
            self._enter(calls)
