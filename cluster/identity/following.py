"""Keeps what a process holds of a store current: it hears of changes, and reads again behind that.

A notice through Redis tells of a change, and may say enough to know it while the store is silent. Behind the notices
everything is read again at intervals: short ones while no notices can be heard.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import aclosing, suppress
from typing import Protocol

from actors.background import Background
from optionchain.errors import Unavailable
from optionchain.observing import Observer, attempted
from optionchain.patience import SILENT_CACHE_SECONDS
from optionchain.ports import Notices

LIST = "the list of API keys"
CHANGED = "changed"
# A process that hears no notices reads so often: a change reaches it within a second all the same.
UNHEARD_SECONDS = 0.5
# What has been read within so long lacks no change that is older than a second.
CURRENT_SECONDS = 1.0
# How often it is read for somebody who misses something: so often at once, and a second from then on.
LOOKS, LOOKS_A_SECOND = 10.0, 5.0


class Held(Protocol):
    """Something that a process holds of the store."""

    async def read(self) -> None:
        """Read it anew. Raises `Unavailable` when the store does not answer."""
        ...

    def know(self, notice: str) -> None:
        """Know what a notice says, if it is about this."""
        ...


class Following:
    """Follows the changes of what is held.

    Args:
        notices: Tell of changes.
        poll_seconds: Between two readings while notices are heard.
        observer: Told of failed attempts to hear and to read.
        clock: Unix time in seconds.
    """

    def __init__(
        self,
        notices: Notices,
        *,
        poll_seconds: float,
        observer: Observer,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._held: list[Held] = []
        self._notices = notices
        self._poll_seconds = poll_seconds
        self._observer = observer
        self._clock = clock
        self._hears = self._is_silent = False
        self._began = self._read_at = self._heard_at = -float("inf")
        self._looks, self._looked_at = LOOKS, clock()
        self._reading = asyncio.Lock()
        self._outdated, self._is_read = asyncio.Event(), asyncio.Event()
        self._listener = Background(self._listen)
        self._reader = Background(self._read_again_and_again)

    def follow(self, held: Held) -> None:
        """Keep this current too."""
        self._held.append(held)

    def begin(self) -> None:
        """Hear and read from now on, unless it does."""
        self._listener.begin()
        self._reader.begin()

    async def close(self) -> None:
        """Hear and read no more; whoever opened the stores closes them."""
        await self._listener.end()
        await self._reader.end()

    async def ping(self) -> None:
        """Raise `Unavailable` unless changes reach this process within a second."""
        self.begin()
        await self._is_read.wait()
        if not self.is_current:
            raise Unavailable(LIST)

    @property
    def hears(self) -> bool:
        """Whether notices reach this process."""
        return self._hears

    @property
    def is_current(self) -> bool:
        """Whether a change of a second ago is known."""
        return self._hears or self._clock() - self._read_at < CURRENT_SECONDS

    @property
    def deaf_seconds(self) -> float:
        """For how long no change could reach this process; 0 while it hears."""
        return 0.0 if self._hears else self._clock() - max(self._read_at, self._heard_at)

    def heard(self, notice: str) -> None:
        """Know what a notice says, and read again."""
        for held in self._held:
            held.know(notice)
        self._outdated.set()

    async def look(self) -> None:
        """Read, for somebody who misses what may be new: a few times at once, and then a few times a second.

        Raises:
            Unavailable: The store does not answer, or did not a moment ago.
        """
        self.begin()
        asked = self._clock()
        async with self._reading:
            if not self._is_silent and self._began < asked and self._may_look(asked):
                await self._read()
            if self._is_silent:
                raise Unavailable(LIST)

    def _may_look(self, now: float) -> bool:
        self._looks = min(self._looks + (now - self._looked_at) * LOOKS_A_SECOND, LOOKS)
        self._looked_at = now
        is_allowed = self._looks >= 1.0
        self._looks -= is_allowed
        return is_allowed

    async def _read_again_and_again(self) -> None:
        while True:
            self._outdated.clear()
            await attempted(self._observer, "keys.read", self._read_alone)
            self._observer.counted("keys.unheard", 0.0 if self.is_current else 1.0)
            is_calm = self._hears and self._clock() - self._read_at < self._poll_seconds
            with suppress(TimeoutError):
                async with asyncio.timeout(self._poll_seconds if is_calm else UNHEARD_SECONDS):
                    await self._outdated.wait()

    async def _read_alone(self) -> None:
        async with self._reading:
            await self._read()

    async def _read(self) -> None:
        self._began = self._clock()
        try:
            for held in self._held:
                await held.read()
        except Unavailable:
            self._is_silent = True
            raise
        self._is_silent = False
        self._read_at = self._clock()
        self._is_read.set()

    async def _listen(self) -> None:
        while True:
            await attempted(self._observer, "keys.listen", self._hear)
            await asyncio.sleep(SILENT_CACHE_SECONDS)

    async def _hear(self) -> None:
        try:
            async with aclosing(self._notices.heard()) as notices:
                async for notice in notices:
                    self._hears = True
                    # What was told while nobody listened is not known: everything is read again.
                    self.heard(CHANGED if notice is None else notice)
        finally:
            if self._hears:
                self._heard_at = self._clock()
                self._hears = False
                self._outdated.set()
