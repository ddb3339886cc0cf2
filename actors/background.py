"""A task that runs beside the calls of an actor, as long as the actor."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

# Between two attempts to end it.
END_SECONDS = 0.1


class Background:
    """One task, begun with the first call: a constructor has no running loop.

    Args:
        run: What it does; without end.
    """

    def __init__(self, run: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._run = run
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Begin it, unless it runs; again, if it failed."""
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())

    async def end(self) -> None:
        """Cancel it, and return when it has ended.

        Until Python 3.12, `asyncio.wait_for` swallows a cancellation that comes together with what it waits for,
        and database drivers connect with it. So one cancellation may not do.
        """
        while self._task is not None and not self._task.done():
            self._task.cancel()
            await asyncio.wait([self._task], timeout=END_SECONDS)
