"""Which days an exchange trades on, as proleptic Gregorian day numbers (`date.toordinal`; day 1 is a Monday).

`weekdays_v1` knows weekends only. Any other name is an exchange of the `exchange_calendars` package, with its
holidays, imported when first asked for (it takes a second) and kept for the life of the process.
"""

from __future__ import annotations

import warnings
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.metadata import version
from typing import Any, Protocol

from optionchain.errors import InvalidInput
from optionchain.extras import brought_by

WEEKDAYS_V1 = "weekdays_v1"

# The last day whose every wall-clock time is, in every time zone, an instant that `datetime` can hold.
LAST_DAY = date.max.toordinal() - 1

# The rules of the holidays that the package computes begin and end here (pandas' AbstractHolidayCalendar).
_FIRST_KNOWN, _LAST_KNOWN = date(1970, 1, 1), date(2199, 12, 31)
_EPOCH = date(1970, 1, 1).toordinal()


def weekday_of(day: int) -> int:
    """The weekday of a day number, Monday 0 to Sunday 6."""
    return (day - 1) % 7


class TradingCalendar(Protocol):
    """The days on which an exchange holds a session.

    Attributes:
        name: As asked for: ``weekdays_v1``, ``XNYS``.
        weekdays: Weekdays with regular sessions, Monday 0 to Sunday 6.
    """

    @property
    def name(self) -> str: ...
    @property
    def weekdays(self) -> frozenset[int]: ...

    def sessions_from(self, day: int) -> Iterator[int]:
        """The sessions on or after `day`, ascending; ends with `LAST_DAY`.

        Raises:
            InvalidInput: ``calendar``: beyond the dates that the calendar knows.
        """
        ...

    def session_on_or_before(self, day: int) -> int:
        """The latest session that is not after `day`.

        Raises:
            InvalidInput: ``calendar``: beyond the dates that the calendar knows.
        """
        ...


@dataclass(frozen=True, slots=True)
class WeekdaysCalendar:
    """Every Monday to Friday is a session; there are no holidays."""

    name: str = WEEKDAYS_V1
    weekdays: frozenset[int] = frozenset(range(5))

    def sessions_from(self, day: int) -> Iterator[int]:
        return (session for session in range(day, LAST_DAY + 1) if weekday_of(session) < 5)

    def session_on_or_before(self, day: int) -> int:
        return day - max(0, weekday_of(day) - 4)


@dataclass(frozen=True, slots=True, eq=False)
class ExchangeCalendar:
    """The sessions of an exchange between two dates, both included, and an error outside them."""

    name: str
    weekdays: frozenset[int]
    first_day: int
    last_day: int
    sessions: array[int]

    def sessions_from(self, day: int) -> Iterator[int]:
        self._require_known(day)
        for position in range(bisect_left(self.sessions, day), len(self.sessions)):
            yield self.sessions[position]
        self._require_known(self.last_day + 1)

    def session_on_or_before(self, day: int) -> int:
        self._require_known(day)
        position = bisect_right(self.sessions, day) - 1
        if position < 0:
            self._require_known(self.first_day - 1)
        return self.sessions[position]

    def _require_known(self, day: int) -> None:
        if not self.first_day <= day <= self.last_day:
            first, last = date.fromordinal(self.first_day), date.fromordinal(self.last_day)
            raise InvalidInput(
                "calendar", f"the sessions of {self.name} are known from {first} to {last} only"
            )


@cache
def trading_calendar(name: str) -> TradingCalendar:
    """Return the calendar of this name.

    Args:
        name: ``weekdays_v1``, or an exchange of `exchange_calendars`, such as ``XNYS``.

    Raises:
        InvalidInput: ``calendar``: there is none of this name.

    Example:
        >>> good_friday = date(2026, 4, 3).toordinal()
        >>> print(date.fromordinal(trading_calendar("XNYS").session_on_or_before(good_friday)))
        2026-04-02
    """
    return WeekdaysCalendar() if name == WEEKDAYS_V1 else _exchange_calendar(name)


@cache
def calendar_version(name: str) -> str | None:
    """The release of the package that knows this exchange's holidays, a replay input; None for ``weekdays_v1``."""
    return None if name == WEEKDAYS_V1 else version("exchange_calendars")


def _exchange_calendar(name: str) -> ExchangeCalendar:
    with warnings.catch_warnings():
        # The package's own use of pandas raises deprecation warnings that say nothing about our input.
        warnings.simplefilter("ignore")
        with brought_by("calendars", purpose=f"calendar {name}"):
            import exchange_calendars  # noqa: PLC0415

        if name not in exchange_calendars.get_calendar_names():
            reason = f"must be {WEEKDAYS_V1} or the name of an exchange calendar such as XNYS"
            raise InvalidInput("calendar", reason)
        try:
            bounds = exchange_calendars.get_calendar(name)
            first = max(_FIRST_KNOWN, _day(bounds.bound_min()) or _FIRST_KNOWN)
            last = min(_LAST_KNOWN, _day(bounds.bound_max()) or _LAST_KNOWN)
            calendar = exchange_calendars.get_calendar(name, start=first, end=last)
        except (ValueError, NotImplementedError) as error:
            # Some calendars of some releases do not work with some releases of pandas, for any dates.
            raise InvalidInput("calendar", f"{name} is not available in this installation") from error
    days = calendar.sessions.to_numpy().astype("datetime64[D]").astype("int64") + _EPOCH
    return ExchangeCalendar(
        name=name,
        weekdays=frozenset(weekday for weekday, trades in enumerate(calendar.weekmask) if trades == "1"),
        first_day=first.toordinal(),
        last_day=last.toordinal(),
        sessions=array("q", days.tobytes()),
    )


def _day(timestamp: Any) -> date | None:
    return None if timestamp is None else timestamp.date()
