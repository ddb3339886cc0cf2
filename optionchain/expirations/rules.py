"""On which days a product expires: the four kinds of rule, by arithmetic on day numbers from any day on."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, time
from itertools import chain, takewhile
from typing import ClassVar, Literal, TypeAlias, get_args

from optionchain.errors import InvalidInput
from optionchain.expirations.calendars import LAST_DAY, TradingCalendar, weekday_of
from optionchain.expirations.months import months_from, occurrence_of, within
from optionchain.validation import whole

MAX_EXPIRATIONS_PER_RULE = 256
MOST_SESSIONS_BEFORE = 30
LONGEST_LEAD = 366

Weekday: TypeAlias = Literal["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)
SessionTime: TypeAlias = Literal["open", "close"]
SESSION_TIMES: tuple[SessionTime, ...] = get_args(SessionTime)
AtExpiry: TypeAlias = Literal["AM", "PM"]
AT_EXPIRY: dict[AtExpiry, SessionTime] = {"AM": "open", "PM": "close"}
Move: TypeAlias = Literal["previous", "next"]
MOVES: tuple[Move, ...] = get_args(Move)
OCCURRENCES = (1, 2, 3, 4, 5, -1)

_RULE_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_ROOT = re.compile(r"[A-Z0-9]{1,6}")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Listed:
    """What every rule says of its contracts.

    Attributes:
        rule_id: The label of its expirations: 1 to 64 letters, digits, ``_`` and ``-``.
        target_count: How many expirations are kept alive, 1 to 256.
        expiration_time: Local time of its expirations, or the ``open`` or ``close`` of the session; None is that of
            the schedule.
        settlement: ``AM`` settles by the opening of the day and ``PM`` by its close, which are then the time of
            expiration where none is given.
        root: The root symbol of its contracts, 1 to 6 capital letters and digits; None is the underlying's symbol.
            Contracts with different roots are never one expiration.
        last_trade_sessions: How many sessions before the day of expiration trading ends, at that session's close, 0 to
            30; 0 is until they expire.
    """

    rule_id: str
    target_count: int
    expiration_time: time | SessionTime | None = None
    settlement: AtExpiry | None = None
    root: str | None = None
    last_trade_sessions: int = 0

    def __post_init__(self) -> None:
        if not isinstance(self.rule_id, str) or not _RULE_ID.fullmatch(self.rule_id):
            raise InvalidInput("rule_id", "must be 1 to 64 letters, digits, underscores and hyphens")
        count = whole("target_count", self.target_count, low=1, high=MAX_EXPIRATIONS_PER_RULE)
        object.__setattr__(self, "target_count", count)
        if self.expiration_time is not None:
            check_expiration_time(self.expiration_time)
        if self.settlement is not None:
            one_of("settlement", self.settlement, tuple(AT_EXPIRY))
        if self.root is not None and not (isinstance(self.root, str) and _ROOT.fullmatch(self.root)):
            raise InvalidInput("root", "must be 1 to 6 capital letters and digits")
        before = whole("last_trade_sessions", self.last_trade_sessions, low=0, high=MOST_SESSIONS_BEFORE)
        object.__setattr__(self, "last_trade_sessions", before)

    @property
    def own_time(self) -> time | SessionTime | None:
        """When its contracts expire, where it says so."""
        if self.expiration_time is None and self.settlement is not None:
            return AT_EXPIRY[self.settlement]
        return self.expiration_time


def check_expiration_time(value: object) -> None:
    """Raise `InvalidInput` for what is no local time of day and no time of a session."""
    if isinstance(value, str) and value in SESSION_TIMES:
        return
    if not isinstance(value, time) or value.tzinfo is not None or value.microsecond:
        raise InvalidInput(
            "expiration_time",
            "must be open, close, or a local time of day in whole seconds, without a time zone",
        )


def one_of(field: str, value: object, words: tuple[str, ...]) -> None:
    """Raise `InvalidInput` for what is none of the words."""
    if not isinstance(value, str) or value not in words:
        raise InvalidInput(field, f"must be one of {', '.join(words)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class DailyRule(_Listed):
    """Every session expires: the rolling 0DTE."""

    kind: ClassVar = "daily"

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
class _Moved(_Listed):
    """A rule whose days may be holidays.

    Attributes:
        holiday: Whether a holiday moves the expiration to the ``previous`` or the ``next`` session. None is as the
            exchange does it: in New York the Mondays of weekly rules go to the next, everything else to the previous.
        changed_on, changed_to: What would expire from this date on expires on this weekday instead, where the exchange
            has changed it; both or neither.
    """

    holiday: Move | None = None
    changed_on: date | None = None
    changed_to: Weekday | None = None

    def __post_init__(self) -> None:
        _Listed.__post_init__(self)
        if self.holiday is not None:
            one_of("holiday", self.holiday, MOVES)
        if (self.changed_on is None) != (self.changed_to is None):
            raise InvalidInput("changed_to", "and changed_on must be given together")
        if self.changed_on is not None:
            if type(self.changed_on) is not date:
                raise InvalidInput("changed_on", "must be a date")
            one_of("changed_to", self.changed_to, WEEKDAYS)

    def _sessions(self, nominal: Iterable[int], first: int, calendar: TradingCalendar) -> Iterator[int]:
        """The sessions to which nominal days are moved; those of days before `first` only where they moved beyond."""
        for day in nominal:
            is_early = day < first
            if is_early and (day < calendar.first_day or not self._goes_on(day, calendar)):
                continue
            moved = (
                calendar.session_on_or_after(day)
                if self._goes_on(day, calendar)
                else calendar.session_on_or_before(day)
            )
            if not is_early or moved >= first:
                yield moved

    def _goes_on(self, day: int, calendar: TradingCalendar) -> bool:
        return self.holiday == "next"

    def _of_month(self, weekday: Weekday, year: int, month: int, occurrence: int) -> int | None:
        """As `occurrence_of`, by the weekday of then."""
        day = occurrence_of(WEEKDAYS.index(weekday), year, month, occurrence)
        if self.changed_on is None or self.changed_to is None or (day or 0) < self.changed_on.toordinal():
            return day
        return occurrence_of(WEEKDAYS.index(self.changed_to), year, month, occurrence)


@dataclass(frozen=True, slots=True, kw_only=True)
class WeeklyRule(_Moved):
    """The named weekdays of every week expire.

    Attributes:
        weekdays: One or more of Mon to Sun, each once; kept in the order of the week.
    """

    kind: ClassVar = "weekly"
    weekdays: tuple[Weekday, ...]

    def __post_init__(self) -> None:
        _Moved.__post_init__(self)
        object.__setattr__(self, "weekdays", _in_week_order(self.weekdays))

    def days_from(self, day: int, calendar: TradingCalendar) -> Iterator[int]:
        """As `DailyRule.days_from`; a holiday gives a session beside it, so a day may be repeated."""
        offsets = [WEEKDAYS.index(weekday) for weekday in self.weekdays]
        mondays = range(max(day - weekday_of(day) - 7, 1), LAST_DAY + 1, 7)
        nominal: Iterator[int] = (monday + offset for monday in mondays for offset in offsets)
        if self.changed_on is not None and self.changed_to is not None:
            changed, offset = self.changed_on.toordinal(), WEEKDAYS.index(self.changed_to)
            before = takewhile(lambda each: each < changed, nominal)
            after = (monday + offset for monday in mondays)
            nominal = chain(before, (each for each in after if each >= changed))
        return self._sessions((each for each in nominal if each <= LAST_DAY), day, calendar)

    def _goes_on(self, day: int, calendar: TradingCalendar) -> bool:
        if self.holiday is not None:
            return self.holiday == "next"
        return weekday_of(day) in calendar.weeklies_moved_on


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthlyRule(_Moved):
    """One of a weekday in every month expires: the third where nothing else is said.

    Attributes:
        weekday: One of Mon to Sun.
        occurrence: Which of the month's: 1 to 5, or -1 for the last. A month without a fifth has no expiration.
        months: The months that have one, 1 to 12; None is all.
        lead_days: How many calendar days before that day they expire, 0 to 366; its holidays count first. VIX options
            expire 30 days before the third Friday of the month after.
    """

    kind: ClassVar = "monthly"
    weekday: Weekday
    occurrence: int = 3
    months: tuple[int, ...] | None = None
    lead_days: int = 0

    def __post_init__(self) -> None:
        _Moved.__post_init__(self)
        one_of("weekday", self.weekday, WEEKDAYS)
        _settle_occurrence(self)
        if self.months is not None:
            object.__setattr__(self, "months", _in_year_order(self.months))
        object.__setattr__(self, "lead_days", whole("lead_days", self.lead_days, low=0, high=LONGEST_LEAD))

    def days_from(self, day: int, calendar: TradingCalendar) -> Iterator[int]:
        """As `WeeklyRule.days_from`."""
        days = (found for year, month in months_from(day) if (found := self._of(year, month)) is not None)
        if not self.lead_days:
            return self._sessions(days, day, calendar)
        target = (each for each in days if each - self.lead_days >= max(day - 7, calendar.first_day))
        ahead = (calendar.session_on_or_before(each) - self.lead_days for each in target)
        return self._sessions(ahead, day, calendar)

    def _of(self, year: int, month: int) -> int | None:
        if self.months is not None and month not in self.months:
            return None
        return self._of_month(self.weekday, year, month, self.occurrence)


@dataclass(frozen=True, slots=True, kw_only=True)
class YearlyRule(_Moved):
    """One of a weekday in one month of every year expires: LEAPS, on the third Friday of January.

    Attributes:
        weekday: One of Mon to Sun.
        month: 1 to 12.
        occurrence: As for `MonthlyRule`.
    """

    kind: ClassVar = "yearly"
    weekday: Weekday
    month: int = 1
    occurrence: int = 3

    def __post_init__(self) -> None:
        _Moved.__post_init__(self)
        one_of("weekday", self.weekday, WEEKDAYS)
        object.__setattr__(self, "month", whole("month", self.month, low=1, high=12))
        _settle_occurrence(self)

    def days_from(self, day: int, calendar: TradingCalendar) -> Iterator[int]:
        """As `WeeklyRule.days_from`."""
        years = range(max(date.fromordinal(day).year - 1, 1), date.max.year + 1)
        found = (self._of_month(self.weekday, year, self.month, self.occurrence) for year in years)
        return self._sessions(within(found), day, calendar)


Rule: TypeAlias = DailyRule | WeeklyRule | MonthlyRule | YearlyRule


def monthly_third_friday(rule_id: str, target_count: int) -> MonthlyRule:
    """The standard monthly expirations of options on shares and indices."""
    return MonthlyRule(rule_id=rule_id, target_count=target_count, weekday="Fri", occurrence=3)


def leaps(rule_id: str, target_count: int) -> YearlyRule:
    """The third Friday of January, as long-dated options on shares have it."""
    return YearlyRule(rule_id=rule_id, target_count=target_count, weekday="Fri", month=1, occurrence=3)


def _settle_occurrence(rule: MonthlyRule | YearlyRule) -> None:
    occurrence = whole("occurrence", rule.occurrence, low=-1, high=5)
    if occurrence not in OCCURRENCES:
        raise InvalidInput("occurrence", "must be 1 to 5, or -1 for the last of the month")
    object.__setattr__(rule, "occurrence", occurrence)


def _in_year_order(months: object) -> tuple[int, ...]:
    if not isinstance(months, list | tuple | set | frozenset) or not months:
        raise InvalidInput("months", "must be a list of one or more months, 1 to 12")
    found = [whole("months", month, low=1, high=12) for month in months]
    if len(set(found)) < len(found):
        raise InvalidInput("months", "must name each month once")
    return tuple(sorted(found))


def _in_week_order(weekdays: object) -> tuple[Weekday, ...]:
    if not isinstance(weekdays, list | tuple | set | frozenset) or not weekdays:
        raise InvalidInput("weekdays", "must be a list of one or more weekdays such as Mon and Fri")
    for weekday in weekdays:
        one_of("weekdays", weekday, WEEKDAYS)
    if len(set(weekdays)) < len(weekdays):
        raise InvalidInput("weekdays", "must name each weekday once")
    return tuple(weekday for weekday in WEEKDAYS if weekday in weekdays)
