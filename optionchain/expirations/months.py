"""Which days of months the weekdays are, by arithmetic on day numbers."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable, Iterator
from datetime import date
from functools import lru_cache

from optionchain.expirations.calendars import LAST_DAY, weekday_of


def months_from(day: int) -> Iterator[tuple[int, int]]:
    """Months from the one before a day's on: a holiday may move its last day into the next."""
    first = date.fromordinal(day)
    start = max(12 * first.year + first.month - 2, 12)
    return ((count // 12, count % 12 + 1) for count in range(start, 12 * (date.max.year + 1)))


def end_of_month(year: int, month: int) -> int:
    """The day number of its last day."""
    return date(year, month, monthrange(year, month)[1]).toordinal()


def within(days: Iterable[int | None]) -> Iterator[int]:
    """Those that there are, up to the last day."""
    return (day for day in days if day is not None and day <= LAST_DAY)


@lru_cache(maxsize=4096)  # the next step asks for almost the same months
def occurrence_of(weekday: int, year: int, month: int, occurrence: int) -> int | None:
    """The day number of one of a weekday, 0 for Monday; None where the month has none, or it is beyond the last day."""
    first, length = date(year, month, 1).toordinal(), monthrange(year, month)[1]
    offset = (weekday - weekday_of(first)) % 7
    offset += 7 * (occurrence - 1) if occurrence > 0 else 7 * ((length - 1 - offset) // 7)
    found = first + offset
    return found if offset < length and found <= LAST_DAY else None
