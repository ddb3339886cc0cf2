"""A run in the hands of the function that does it: what it is for, what to say, and when to stop."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, Self

from cluster.settings import Settings
from optionchain.context import Context
from optionchain.history.chains import DateRange
from optionchain.tasks import Run
from optionchain.time_frame import TimeFrame

MOST_LINES, LONGEST_LINE = 50, 300


class HistoryCalls(Protocol):
    """What kinds ask of the history service."""

    def on_behalf_of(self, context: Context) -> Self: ...
    async def closes(self, asset: str, timeframe: TimeFrame, steps: int, seed: int) -> tuple[float, ...]: ...
    async def recording(self, asset: str, period: DateRange) -> str: ...
    async def warm(self) -> int: ...


class Stopped(Exception):
    """The run is not wanted any more, or another worker has it."""


@dataclass(slots=True)
class Work:
    """What the function of a kind is given.

    Attributes:
        run: Whose `id` is the same at every attempt: what is written is named by it, or takes effect by a rename.
        settings: All settings, the servers that they name included.
        open_history: Opens the way to the history service.
    """

    run: Run
    settings: Settings
    open_history: Callable[[], HistoryCalls]
    _lines: deque[str] = field(default_factory=lambda: deque(maxlen=MOST_LINES))
    _stop: threading.Event = field(default_factory=threading.Event)

    @property
    def owner(self) -> str:
        """The tenant on whose behalf it is done."""
        return self.run.order.owner

    @property
    def scheduled_for(self) -> datetime:
        """The time that the run is for, however late it is done."""
        return self.run.scheduled_for

    @property
    def log(self) -> tuple[str, ...]:
        """The last lines that were said."""
        return tuple(self._lines)

    def say(self, line: str) -> None:
        """Add a line to the log that the owner sees."""
        self._lines.append(line[:LONGEST_LINE])

    def check(self) -> None:
        """Call this now and then, and just before what cannot be undone.

        Raises:
            Stopped: Do no more.
        """
        if self._stop.is_set():
            raise Stopped

    def stop(self) -> None:
        """Have `check` raise from now on."""
        self._stop.set()
