"""A clock that knows trading days: how fast variance passes, by days with and without a session, by day and night."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from optionchain.arrays import Floats
from optionchain.expirations.calendars import trading_calendar
from optionchain.expirations.listing import EPOCH, microseconds

_DAY = 86_400_000_000
_EPOCH = EPOCH.toordinal()
_YEAR_DAYS = 365.0
_BLOCK = 64


@dataclass(frozen=True, slots=True)
class BusinessClock:
    """Variance by the day, from midnight to midnight of a time zone.

    Attributes:
        calendar: Name of the calendar of sessions.
        zone: Whose midnights.
        closed_day_weight: What a day without a session counts, in [0, 1]; a day with one counts 1.
        night_weight: What an hour outside the session counts, in [0, 1], on a day with one, where an hour within it
            counts 1. The whole day counts what it does without it.
        events: Days from 1970, and what each counts in the place of what its kind does, >= 0.
    """

    calendar: str
    zone: ZoneInfo
    closed_day_weight: float = 1.0
    night_weight: float = 1.0
    events: tuple[tuple[int, float], ...] = ()

    def pace(self, quoted_at: NDArray[np.int64], years: Floats) -> tuple[Floats, Floats]:
        """How much more or less variance passes than by the calendar.

        Args:
            quoted_at: ``[ladders]`` microseconds from 1970.
            years: ``[ladders]`` to expiration, >= 0.

        Returns:
            ``[ladders]`` on average until then, and at the moment; 1 is as by the calendar. A week without holidays and
            events has the variance of a week.
        """
        if not quoted_at.size:
            return np.ones_like(years), np.ones_like(years)
        until = quoted_at + np.rint(years * _YEAR_DAYS * _DAY).astype(np.int64)
        first, last = int(quoted_at.min()) // _DAY - 1, int(until.max()) // _DAY + 2
        # By blocks, so that the next step finds what this one computed.
        first, last = first // _BLOCK * _BLOCK, -(-last // _BLOCK) * _BLOCK
        days = _days(self.calendar, self.zone, first, last)
        length, open_time = until - quoted_at, days.open_until(until) - days.open_until(quoted_at)
        of_week = len(trading_calendar(self.calendar).weekdays)
        usual = (of_week + (7 - of_week) * self.closed_day_weight) / 7.0
        now = np.where(days.is_open_at(quoted_at), 1.0, self.closed_day_weight)
        weighed = open_time + self.closed_day_weight * (length - open_time)
        if self.night_weight != 1.0 or self.events:
            uneven = _uneven(self, first, last)
            weighed, now = weighed + uneven.between(quoted_at, until), now + uneven.at(quoted_at)
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


@dataclass(frozen=True, slots=True, eq=False)
class _Uneven:
    """What nights and events add to the variance of days, and take from it, between some instants.

    Attributes:
        edges: ``[parts + 1]`` microseconds from 1970, ascending.
        rates: ``[parts]`` of a day's variance by the day.
        before: ``[parts + 1]`` microseconds of variance, in whole numbers as those of `_Days`.
    """

    edges: NDArray[np.int64]
    rates: Floats
    before: NDArray[np.int64]

    def at(self, instants: NDArray[np.int64]) -> Floats:
        """The rate of then."""
        return np.asarray(self.rates[self._part(instants)])

    def between(self, first: NDArray[np.int64], last: NDArray[np.int64]) -> NDArray[np.int64]:
        """Microseconds of variance from each instant to another."""
        return self._until(last) - self._until(first)

    def _until(self, instants: NDArray[np.int64]) -> NDArray[np.int64]:
        part = self._part(instants)
        within = np.rint(self.rates[part] * (instants - self.edges[part])).astype(np.int64)
        return np.asarray(self.before[part] + within)

    def _part(self, instants: NDArray[np.int64]) -> NDArray[np.intp]:
        return np.searchsorted(self.edges, instants, side="right") - 1


@lru_cache(maxsize=64)
def _uneven(clock: BusinessClock, first: int, last: int) -> _Uneven:
    """What a clock's nights and events do to the days from `first` to `last`, counted from 1970."""
    days = _days(clock.calendar, clock.zone, first, last)
    opens, closes = _hours(clock, first, last)
    edges = np.unique(np.concatenate([days.midnights, opens, closes]))
    edges = edges[(edges >= days.midnights[0]) & (edges <= days.midnights[-1])]
    starts, lengths = edges[:-1], np.diff(edges)
    day = np.searchsorted(days.midnights, starts, side="right") - 1
    has_session = days.is_open[day]
    is_night = has_session & (
        np.searchsorted(opens, starts, side="right") == np.searchsorted(closes, starts, side="right")
    )
    shape = np.where(is_night, clock.night_weight, 1.0)
    of_day = np.bincount(day, shape * lengths) / np.bincount(day, lengths)
    # A day counts what it does, however its hours share in it.
    shape = np.where(of_day[day] > 0.0, shape / np.where(of_day > 0.0, of_day, 1.0)[day], 1.0)
    usual = np.where(has_session, 1.0, clock.closed_day_weight)
    weights = usual.copy()
    for number, weight in clock.events:
        weights[day == number - first] = weight
    rates = weights * shape - usual
    variance = np.rint(rates * lengths).astype(np.int64)
    return _Uneven(edges, rates, np.concatenate([[0], np.cumsum(variance)]))


def _hours(clock: BusinessClock, first: int, last: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """When sessions open and close; none where nights are as days. One may begin on the evening before its day."""
    if clock.night_weight == 1.0:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    calendar = trading_calendar(clock.calendar)
    sessions = sorted(_sessions(clock.calendar, first + _EPOCH - 1, last + _EPOCH + 1))
    hours = [[microseconds(at) for at in calendar.hours(session)] for session in sessions]
    opens, closes = np.array(hours, dtype=np.int64).reshape(-1, 2).T
    return opens, closes


def _sessions(calendar: str, first: int, last: int) -> frozenset[int]:
    found = set()
    for session in trading_calendar(calendar).sessions_from(first):
        if session > last:
            break
        found.add(session)
    return frozenset(found)
