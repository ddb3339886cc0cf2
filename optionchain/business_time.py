"""A clock that knows trading days: how fast variance passes, a day with a session counting more than one without."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from optionchain.arrays import Floats
from optionchain.expirations.calendars import trading_calendar
from optionchain.expirations.listing import microseconds

_DAY = 86_400_000_000
_EPOCH = date(1970, 1, 1).toordinal()
_YEAR_DAYS = 365.0
_BLOCK = 64


@dataclass(frozen=True, slots=True)
class BusinessClock:
    """Variance by the day, from midnight to midnight of a time zone.

    Attributes:
        calendar: Name of the calendar of sessions.
        zone: Whose midnights.
        closed_day_weight: What a day without a session counts, in [0, 1]; a day with one counts 1.
    """

    calendar: str
    zone: ZoneInfo
    closed_day_weight: float

    def pace(self, quoted_at: NDArray[np.int64], years: Floats) -> tuple[Floats, Floats]:
        """How much more or less variance passes than by the calendar.

        Args:
            quoted_at: ``[ladders]`` microseconds from 1970.
            years: ``[ladders]`` to expiration, >= 0.

        Returns:
            ``[ladders]`` on average until then, and at the moment; 1 is as by the calendar. A week without holidays has
            the variance of a week.
        """
        if not quoted_at.size:
            return np.ones_like(years), np.ones_like(years)
        until = quoted_at + np.rint(years * _YEAR_DAYS * _DAY).astype(np.int64)
        first, last = int(quoted_at.min()) // _DAY - 1, int(until.max()) // _DAY + 2
        # By blocks, so that the next step finds what this one computed.
        days = _days(self.calendar, self.zone, first // _BLOCK * _BLOCK, -(-last // _BLOCK) * _BLOCK)
        length, open_time = until - quoted_at, days.open_until(until) - days.open_until(quoted_at)
        of_week = len(trading_calendar(self.calendar).weekdays)
        usual = (of_week + (7 - of_week) * self.closed_day_weight) / 7.0
        now = np.where(days.is_open_at(quoted_at), 1.0, self.closed_day_weight)
        weighed = open_time + self.closed_day_weight * (length - open_time)
        average = np.where(length > 0, weighed / np.maximum(length, 1), now)
        return average / usual, now / usual


@dataclass(frozen=True, slots=True, eq=False)
class _Days:
    """Some days: their midnights in microseconds from 1970, whether each has a session, and the time of those before.

    Counted in whole numbers, so that which other days are known changes no bit.
    """

    midnights: NDArray[np.int64]
    is_open: NDArray[np.bool_]
    open_before: NDArray[np.int64]

    def open_until(self, instants: NDArray[np.int64]) -> NDArray[np.int64]:
        """Microseconds of days with a session until each instant."""
        day = self._day(instants)
        return self.open_before[day] + np.where(self.is_open[day], instants - self.midnights[day], 0)

    def is_open_at(self, instants: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether the day of each instant has a session."""
        return self.is_open[self._day(instants)]

    def _day(self, instants: NDArray[np.int64]) -> NDArray[np.intp]:
        return np.searchsorted(self.midnights, instants, side="right") - 1


@lru_cache(maxsize=64)
def _days(calendar: str, zone: ZoneInfo, first: int, last: int) -> _Days:
    """The days from `first` to `last`, counted from 1970."""
    sessions = _sessions(calendar, first + _EPOCH, last + _EPOCH)
    days = range(first + _EPOCH, last + _EPOCH + 1)
    midnights = np.array(
        [microseconds(datetime.combine(date.fromordinal(day), time(), zone).astimezone(UTC)) for day in days]
    )
    is_open = np.array([day in sessions for day in days])
    lengths = np.where(is_open[:-1], np.diff(midnights), 0)
    return _Days(midnights, is_open, np.concatenate([[0], np.cumsum(lengths)]))


def _sessions(calendar: str, first: int, last: int) -> frozenset[int]:
    found = set()
    for session in trading_calendar(calendar).sessions_from(first):
        if session > last:
            break
        found.add(session)
    return frozenset(found)
