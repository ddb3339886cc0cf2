"""On which days a product expires: the kinds of rule, by arithmetic on day numbers from any day on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import chain, takewhile
from typing import ClassVar, Literal, TypeAlias, get_args

from optionchain.declared.checks import whole
from optionchain.errors import InvalidInput
from optionchain.expirations.calendars import LAST_DAY, TradingCalendar, weekday_of
from optionchain.expirations.listed import MOST_SESSIONS_BEFORE, WEEKDAYS, Listed, Weekday, one_of
from optionchain.expirations.months import end_of_month, months_from, occurrence_of, within

LONGEST_LEAD = 366

Move: TypeAlias = Literal["previous", "next"]
MOVES: tuple[Move, ...] = get_args(Move)
OCCURRENCES = (1, 2, 3, 4, 5, -1)


@dataclass(frozen=True, slots=True, kw_only=True)
class DailyRule(Listed):
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
class _Moved(Listed):
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
        Listed.__post_init__(self)
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


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthEndRule(Listed):
    """The last session of every month expires, or of some: of quarters.

    Attributes:
        months: The months that have one, 1 to 12; None is all.
    """

    kind: ClassVar = "month_end"
    months: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        Listed.__post_init__(self)
        if self.months is not None:
            object.__setattr__(self, "months", _in_year_order(self.months))

    def days_from(self, day: int, calendar: TradingCalendar) -> Iterator[int]:
        """As `DailyRule.days_from`."""
        for year, month in months_from(day):
            end = end_of_month(year, month)
            if end > LAST_DAY:
                return
            if end >= day and (self.months is None or month in self.months):
                last = calendar.session_on_or_before(end)
                if last >= day:
                    yield last


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthDayRule(Listed):
    """Some sessions before a day of every month expire: options on NYMEX crude oil, six before the 25th.

    Attributes:
        day: Of the month, 1 to 31; of shorter months the last. A holiday is the session before it.
        sessions_before: 0 to 30.
    """

    kind: ClassVar = "month_day"
    day: int
    sessions_before: int = 0

    def __post_init__(self) -> None:
        Listed.__post_init__(self)
        object.__setattr__(self, "day", whole("day", self.day, low=1, high=31))
        before = whole("sessions_before", self.sessions_before, low=0, high=MOST_SESSIONS_BEFORE)
        object.__setattr__(self, "sessions_before", before)

    def days_from(self, day: int, calendar: TradingCalendar) -> Iterator[int]:
        """As `DailyRule.days_from`."""
        for year, month in months_from(day):
            nominal = min(date(year, month, 1).toordinal() + self.day - 1, end_of_month(year, month))
            if nominal > LAST_DAY:
                return
            if nominal < day:
                continue
            session = calendar.session_on_or_before(nominal)
            for _ in range(self.sessions_before):
                session = calendar.session_on_or_before(session - 1)
            if session >= day:
                yield session


Rule: TypeAlias = DailyRule | WeeklyRule | MonthlyRule | YearlyRule | MonthEndRule | MonthDayRule


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
