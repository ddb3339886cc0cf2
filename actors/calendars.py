"""Calendars of exchanges for a process with a loop: what is missing is computed in a process of its own.

Its first use takes seconds of processor time, in which nobody else would be served; a thread would share the
interpreter with the loop, so it is a process.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import TypeVar

from optionchain.errors import InvalidInput, Overloaded
from optionchain.expirations import trading_calendar
from optionchain.expirations.__main__ import REFUSED
from optionchain.expirations.exchanges import CalendarMissing, decoded, remember
from optionchain.observing import Observer, observed

# The slowest takes 8 s of a core, and the core may be another's for most of the time.
COMPUTE_SECONDS = 300.0
# As many as there are exchanges; more are names that somebody makes up.
MOST_COMING = 128
COMMAND = (sys.executable, "-m", "optionchain.expirations", "--encoded")

T = TypeVar("T")


class Calendars:
    """Provides this process with calendars, one at a time. The process has said `compute_apart`.

    Args:
        observer: Told of each that is computed.
        patience_seconds: How long a caller waits for one; it comes to be all the same.
        command: What computes one and writes it, given its name.
    """

    def __init__(
        self, observer: Observer, *, patience_seconds: float, command: tuple[str, ...] = COMMAND
    ) -> None:
        self._observer = observer
        self._patience_seconds = patience_seconds
        self._command = command
        self._one_at_a_time = asyncio.Lock()
        self._coming: dict[str, asyncio.Task[None]] = {}
        self._refusals: dict[str, InvalidInput] = {}

    async def provide(self, name: str) -> None:
        """Have a calendar in memory.

        Raises:
            InvalidInput: ``calendar``: there is none of this name.
            CalendarMissing: It takes longer than callers wait; it is being computed.
        """
        try:
            trading_calendar(name)
        except CalendarMissing:
            await self._provided(name)

    async def given(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do what needs calendars that only it knows: again, each time that one was missing.

        Raises:
            Exception: What the work raises, and as `provide`.
        """
        while True:
            try:
                return await work()
            except CalendarMissing as missing:
                await self.provide(missing.name)

    async def _provided(self, name: str) -> None:
        if name in self._refusals:
            raise self._refusals[name]
        coming = self._coming.get(name)
        if coming is None:
            if len(self._coming) >= MOST_COMING:
                raise Overloaded("the calendar service")
            coming = self._coming[name] = asyncio.create_task(self._compute(name))
            coming.add_done_callback(partial(self._come, name))
        # Whoever leaves takes nothing from those who wait on.
        done, _ = await asyncio.wait([coming], timeout=self._patience_seconds)
        if not done:
            raise CalendarMissing(name)
        coming.result()

    def _come(self, name: str, coming: asyncio.Task[None]) -> None:
        del self._coming[name]
        if not coming.cancelled():
            coming.exception()  # the observer was told of it; whoever waited for it may have left

    async def _compute(self, name: str) -> None:
        async with self._one_at_a_time:
            with suppress(
                CalendarMissing
            ):  # unless somebody else has computed it, or found out that there is none
                trading_calendar(name)
                return
            with observed(self._observer, "calendar.compute", calendar=name):
                remember(decoded(await asyncio.to_thread(self._computed, name)))

    def _computed(self, name: str) -> bytes:
        try:
            done = subprocess.run(  # noqa: S603  (the command is ours)
                [*self._command, name],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=COMPUTE_SECONDS,
                check=False,
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise CalendarMissing(name) from error
        if done.returncode == REFUSED:
            refusal = InvalidInput("calendar", done.stderr.decode().strip())
            if len(self._refusals) < MOST_COMING:
                self._refusals[name] = refusal
            raise refusal
        if done.returncode:
            raise CalendarMissing(name) from RuntimeError(done.stderr.decode(errors="replace"))
        return done.stdout
