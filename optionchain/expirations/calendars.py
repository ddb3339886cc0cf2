"""Which days an exchange trades on, as proleptic Gregorian day numbers (`date.toordinal`; day 1 is a Monday).

`weekdays_v1` knows weekends only. Any other name is an exchange of the `exchange_calendars` package, with its
holidays: see `optionchain.expirations.exchanges`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from optionchain.errors import InvalidInput
from optionchain.expirations import exchanges

WEEKDAYS_V1 = "weekdays_v1"

# The last day whose every wall-clock time is, in every time zone, an instant that `datetime` can hold.
LAST_DAY = date.max.toordinal() - 1


def weekday_of(day: int) -> int:
    """The weekday of a day number, Monday 0 to Sunday 6."""
    return (day - 1) % 7


class TradingCalendar(Protocol):
    """The days on which an exchange holds a session.

    Attributes:
        name: As asked for: ``weekdays_v1``, ``XNYS``.
        weekdays: Weekdays with regular sessions, Monday 0 to Sunday 6.
        first_day: The first that it knows.
        weeklies_moved_on: Weekdays whose weekly expirations a holiday moves to the next session.
    """

    @property
    def name(self) -> str: ...
    @property
    def weekdays(self) -> frozenset[int]: ...
    @property
    def first_day(self) -> int: ...
    @property
    def weeklies_moved_on(self) -> frozenset[int]: ...
    @property
    def has_hours(self) -> bool:
        """Whether it knows when its sessions open and close."""
        ...

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

    def session_on_or_after(self, day: int) -> int:
        """The earliest session that is not before `day`; errors as those of `session_on_or_before`."""
        ...

    def hours(self, session: int) -> tuple[datetime, datetime]:
        """When a session opens and closes, in UTC.

        Raises:
            InvalidInput: ``expiration_time``: the calendar has no hours.
        """
        ...

    def closes_early(self, session: int) -> bool:
        """Whether it is a half day."""
        ...


@dataclass(frozen=True, slots=True)
class WeekdaysCalendar:
    """Every Monday to Friday is a session; there are no holidays, and no hours."""

    name: str = WEEKDAYS_V1
    weekdays: frozenset[int] = frozenset(range(5))
    first_day: int = 1
    weeklies_moved_on: frozenset[int] = frozenset()
    has_hours: bool = False

    def sessions_from(self, day: int) -> Iterator[int]:
        return (session for session in range(day, LAST_DAY + 1) if weekday_of(session) < 5)

    def session_on_or_before(self, day: int) -> int:
        return day - max(0, weekday_of(day) - 4)

    def session_on_or_after(self, day: int) -> int:
        return day + (7 - weekday_of(day) if weekday_of(day) > 4 else 0)

    def hours(self, session: int) -> tuple[datetime, datetime]:
        raise InvalidInput(
            "expiration_time", f"must be a time of day: {self.name} has no sessions that open and close"
        )

    def closes_early(self, session: int) -> bool:
        return False


_WEEKDAYS = WeekdaysCalendar()


def trading_calendar(name: str) -> TradingCalendar:
    """Return the calendar of this name.

    Args:
        name: ``weekdays_v1``, or an exchange of `exchange_calendars`, such as ``XNYS``.

    Raises:
        InvalidInput: ``calendar``: there is none of this name.
        CalendarMissing: It has yet to be computed, and this process computes none.

    Example:
        >>> good_friday = date(2026, 4, 3).toordinal()
        >>> print(date.fromordinal(trading_calendar("XNYS").session_on_or_before(good_friday)))
        2026-04-02
    """
    return _WEEKDAYS if name == WEEKDAYS_V1 else exchanges.exchange_calendar(name)


def calendar_version(name: str) -> str | None:
    """The release of the package that knows this exchange's holidays, a replay input; None for ``weekdays_v1``."""
    return None if name == WEEKDAYS_V1 else exchanges.release()
