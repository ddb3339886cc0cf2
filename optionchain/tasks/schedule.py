"""When a task is due, and what of it when nobody was there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, TypeAlias

from optionchain.errors import InvalidInput
from optionchain.tasks.timing import Timing
from optionchain.wire.instants import instant_to_wire

Misfire: TypeAlias = Literal["run_late", "skip"]
# An instant that has passed while the request was under way is still one.
JUST_NOW_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """When, and how strictly.

    Attributes:
        timing: When it is due.
        jitter_seconds: Each time is put off by a part of this that follows from the task and the time, so that what
            is due together begins apart.
        misfire: What becomes of times that nobody was there for.
        catch_up: With ``run_late``: how many of them are made up for, the latest ones; 1 is once, however many.
        ends_at: No time is later; None for no end.
    """

    timing: Timing
    jitter_seconds: float = 0.0
    misfire: Misfire = "run_late"
    catch_up: int = 1
    ends_at: datetime | None = None

    def first_after(self, instant: datetime) -> datetime | None:
        """The first time after an instant; None where it is over."""
        found = self.timing.after(instant)
        return None if found is None or (self.ends_at is not None and found > self.ends_at) else found

    def first_time(self, now: datetime) -> datetime:
        """The first time of what is scheduled now.

        Raises:
            InvalidInput: ``timing`` or ``ends_at``: there is none.
            CalendarMissing: The calendar of an exchange has yet to be computed.
        """
        if not self.timing.is_repeated:
            now -= timedelta(seconds=JUST_NOW_SECONDS)
        try:
            found = self.timing.after(now)
        except InvalidInput as error:  # there is no such calendar
            raise error.under("timing") from None
        if found is None:
            raise InvalidInput("timing", "is never due" if self.timing.is_repeated else "has passed")
        if self.ends_at is not None and found > self.ends_at:
            raise InvalidInput("ends_at", "is before the first time")
        return found

    def to_wire(self) -> dict[str, Any]:
        """As `optionchain.tasks.wire` reads it."""
        return {
            "timing": self.timing.to_wire(),
            "jitter_seconds": self.jitter_seconds,
            "misfire": self.misfire,
            "catch_up": self.catch_up,
            "ends_at": None if self.ends_at is None else instant_to_wire(self.ends_at),
        }
