"""Bounds what one actor does at a time, and how much may wait for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from optionchain.errors import Overloaded


class Gate:
    """Lets so many in at a time; so many more wait, and the rest are refused.

    Args:
        what: What is behind it, for the refusal.
        max_running: How many may be inside.
        max_waiting: How many may wait.
    """

    def __init__(self, what: str, *, max_running: int, max_waiting: int) -> None:
        self._what = what
        self._room = asyncio.Semaphore(max_running)
        self._most = max_running + max_waiting
        self._present = 0

    @asynccontextmanager
    async def entered(self) -> AsyncIterator[None]:
        """Be inside.

        Raises:
            Overloaded: Too many wait.
        """
        if self._present >= self._most:
            raise Overloaded(self._what)
        self._present += 1
        try:
            async with self._room:
                yield
        finally:
            self._present -= 1
