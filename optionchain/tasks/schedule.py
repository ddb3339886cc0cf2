"""When a task is due, and what of it when nobody was there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, TypeAlias, get_args

from optionchain.errors import InvalidInput
from optionchain.tasks.timing import Timing, timing_from_wire
from optionchain.validation import finite, whole
from optionchain.wire.instants import instant_from_wire, instant_to_wire

Misfire: TypeAlias = Literal["run_late", "skip"]
LONGEST_JITTER_SECONDS = 3600.0
MOST_CATCH_UP = 100
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
        """As `schedule_from_wire` reads it."""
        return {
            "timing": self.timing.to_wire(),
            "jitter_seconds": self.jitter_seconds,
            "misfire": self.misfire,
            "catch_up": self.catch_up,
            "ends_at": None if self.ends_at is None else instant_to_wire(self.ends_at),
        }


def schedule_from_wire(wire: Mapping[str, Any], now: datetime) -> Schedule:
    """Read ``timing``, and what else there is of ``jitter_seconds``, ``misfire``, ``catch_up`` and ``ends_at``.

    Raises:
        InvalidInput: Naming the field.
    """
    misfire: Misfire = wire.get("misfire") or "run_late"
    if misfire not in get_args(Misfire):
        raise InvalidInput("misfire", "must be run_late or skip")
    ends_at = wire.get("ends_at")
    return Schedule(
        timing=timing_from_wire(wire.get("timing"), now),
        jitter_seconds=finite(
            "jitter_seconds", wire.get("jitter_seconds") or 0.0, low=0.0, high=LONGEST_JITTER_SECONDS
        ),
        misfire=misfire,
        catch_up=whole("catch_up", wire.get("catch_up", 1), low=1, high=MOST_CATCH_UP),
        ends_at=None if ends_at is None else instant_from_wire("ends_at", ends_at),
    )
