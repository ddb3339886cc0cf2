"""On which days a product expires: the four kinds of rule, by arithmetic on day numbers from any day on."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import ClassVar, Literal, TypeAlias, get_args

from optionchain.errors import InvalidInput
from optionchain.expirations.calendars import LAST_DAY, TradingCalendar, weekday_of
from optionchain.validation import whole

MAX_EXPIRATIONS_PER_RULE = 256

Weekday: TypeAlias = Literal["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)

_RULE_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class DailyRule:
    """Every session expires: the rolling 0DTE.

    Attributes:
        rule_id: The label of its expirations: 1 to 64 letters, digits, ``_`` and ``-``.
        target_count: How many expirations are kept alive, 1 to 256.
    """

    kind: ClassVar = "daily"
    rule_id: str
    target_count: int

    def __post_init__(self) -> None:
        _settle_rule(self)

    def days_from(self, day: int, calendar: TradingCalendar) -> Iterator[int]:
        """The days of expiration from `day` on, ascending.

        Args:
            day: Proleptic Gregorian day number, as `date.toordinal`.
            calendar: Tells the sessions.

        Raises:
            InvalidInput: ``calendar``: a day is beyond the dates that the calendar knows.
        """
        return calendar.sessions_from(day)


@dataclass(frozen=True, slots=True, kw_only=True)
class WeeklyRule:
    """The named weekdays of every week expire.

    Attributes:
        rule_id: As for `DailyRule`.
        target_count: As for `DailyRule`.
        weekdays: One or more of Mon to Sun, each once; kept in the order of the week.
    """

    kind: ClassVar = "weekly"
    rule_id: str
    target_count: int
    weekdays: tuple[Weekday, ...]

    def __post_init__(self) -> None:
        _settle_rule(self)
        object.__setattr__(self, "weekdays", _in_week_order(self.weekdays))

    def days_from(self, day: int, calendar: TradingCalendar) -> Iterator[int]:
        """As `DailyRule.days_from`; a holiday gives the session before it, so a day may be repeated."""
        offsets = [WEEKDAYS.index(weekday) for weekday in self.weekdays]
        mondays = range(day - weekday_of(day), LAST_DAY + 1, 7)
        return _moved_to_sessions(
            (monday + offset for monday in mondays for offset in offsets), day, calendar
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthlyRule:
    """The last of a weekday in every month expires.

    Attributes:
        rule_id: As for `DailyRule`.
        target_count: As for `DailyRule`.
        weekday: One of Mon to Sun.
    """

    kind: ClassVar = "monthly"
    rule_id: str
    target_count: int
    weekday: Weekday

    def __post_init__(self) -> None:
        _settle_rule(self)
        _check_weekday("weekday", self.weekday)

    def days_from(self, day: int, calendar: TradingCalendar) -> Iterator[int]:
        """As `WeeklyRule.days_from`."""
        years = range(date.fromordinal(day).year, date.max.year + 1)
        lasts = (_last(self.weekday, year, month) for year in years for month in range(1, 13))
        return _moved_to_sessions(lasts, day, calendar)


@dataclass(frozen=True, slots=True, kw_only=True)
class YearlyRule:
    """The last of a weekday in one month of every year expires: LEAPS.

    Attributes:
        rule_id: As for `DailyRule`.
        target_count: As for `DailyRule`.
        weekday: One of Mon to Sun.
        month: 1 to 12.
    """

    kind: ClassVar = "yearly"
    rule_id: str
    target_count: int
    weekday: Weekday
    month: int = 12

    def __post_init__(self) -> None:
        _settle_rule(self)
        _check_weekday("weekday", self.weekday)
        object.__setattr__(self, "month", whole("month", self.month, low=1, high=12))

    def days_from(self, day: int, calendar: TradingCalendar) -> Iterator[int]:
        """As `WeeklyRule.days_from`."""
        years = range(date.fromordinal(day).year, date.max.year + 1)
        return _moved_to_sessions((_last(self.weekday, year, self.month) for year in years), day, calendar)


Rule: TypeAlias = DailyRule | WeeklyRule | MonthlyRule | YearlyRule


def _moved_to_sessions(days: Iterator[int], first: int, calendar: TradingCalendar) -> Iterator[int]:
    return (calendar.session_on_or_before(day) for day in days if first <= day <= LAST_DAY)


@lru_cache(maxsize=4096)  # the next step asks for almost the same months
def _last(weekday: Weekday, year: int, month: int) -> int:
    """The day number of the last of a weekday in a month."""
    last = date(year, month, monthrange(year, month)[1]).toordinal()
    return last - (weekday_of(last) - WEEKDAYS.index(weekday)) % 7


def _settle_rule(rule: Rule) -> None:
    if not isinstance(rule.rule_id, str) or not _RULE_ID.fullmatch(rule.rule_id):
        raise InvalidInput("rule_id", "must be 1 to 64 letters, digits, underscores and hyphens")
    count = whole("target_count", rule.target_count, low=1, high=MAX_EXPIRATIONS_PER_RULE)
    object.__setattr__(rule, "target_count", count)


def _check_weekday(field: str, weekday: object) -> None:
    if not isinstance(weekday, str) or weekday not in WEEKDAYS:
        raise InvalidInput(field, f"must be one of {', '.join(WEEKDAYS)}")


def _in_week_order(weekdays: object) -> tuple[Weekday, ...]:
    if not isinstance(weekdays, list | tuple | set | frozenset) or not weekdays:
        raise InvalidInput("weekdays", "must be a list of one or more weekdays such as Mon and Fri")
    for weekday in weekdays:
        _check_weekday("weekdays", weekday)
    if len(set(weekdays)) < len(weekdays):
        raise InvalidInput("weekdays", "must name each weekday once")
    return tuple(weekday for weekday in WEEKDAYS if weekday in weekdays)
