"""What expires, where and when: the rules of rolling expirations, checked against each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import time
from typing import assert_never

from optionchain.errors import InvalidInput
from optionchain.expirations.calendars import WEEKDAYS_V1, TradingCalendar, trading_calendar
from optionchain.expirations.listed import (
    MAX_EXPIRATIONS_PER_RULE,
    WEEKDAYS,
    SessionTime,
    Weekday,
    check_expiration_time,
)
from optionchain.expirations.local_time import load_zone
from optionchain.expirations.rules import (
    DailyRule,
    MonthDayRule,
    MonthEndRule,
    MonthlyRule,
    Rule,
    WeeklyRule,
    YearlyRule,
)

MAX_RULES = 16
MAX_EXPIRATIONS = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleLimits:
    """How much one schedule may ask for; the defaults are the most there is.

    Attributes:
        rules: Rules of one schedule.
        expirations_per_rule: Highest `target_count` of a rule.
        expirations: Sum of the target counts, before coincident expirations are merged.
    """

    rules: int = MAX_RULES
    expirations_per_rule: int = MAX_EXPIRATIONS_PER_RULE
    expirations: int = MAX_EXPIRATIONS

    def check(self, rules: Sequence[Rule]) -> None:
        """Raise `InvalidInput`, naming ``rules`` or one of them, when they ask for more."""
        if len(rules) > self.rules:
            raise InvalidInput("rules", f"must be at most {self.rules} rules, not {len(rules)}")
        for index, rule in enumerate(rules):
            if rule.target_count > self.expirations_per_rule:
                raise InvalidInput(
                    f"rules[{index}].target_count", f"must be at most {self.expirations_per_rule}"
                )
        expirations = sum(rule.target_count for rule in rules)
        if expirations > self.expirations:
            reason = f"must ask for at most {self.expirations} expirations in all, not {expirations}"
            raise InvalidInput("rules", reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """The rolling expirations of a simulation.

    Attributes:
        timezone: IANA name of the zone in which things expire.
        expiration_time: Local wall-clock time of every expiration, whole seconds; or ``open`` or ``close``, when the
            session does. Nothing expires after the close of a half day. None is the close of an exchange.
        rules: 1 to 16 rules with different ids; kept sorted by `rule_id`.
        calendar: ``weekdays_v1`` (Monday to Friday, no holidays), or an exchange such as ``XNYS``: an
            expiration on one of its holidays moves to the session before, or where its rule says so to the next.

    Raises:
        InvalidInput: A value is out of range; the error names it, a rule by its place in `rules`.

    Example:
        >>> weeklies = WeeklyRule(rule_id="weeklies", target_count=3, weekdays=("Mon", "Wed", "Fri"))
        >>> schedule = Schedule(timezone="America/New_York", expiration_time=time(16), rules=(weeklies,))
        >>> schedule.calendar
        'weekdays_v1'
    """

    timezone: str
    expiration_time: time | SessionTime | None = None
    rules: tuple[Rule, ...]
    calendar: str = WEEKDAYS_V1

    def __post_init__(self) -> None:
        _check_text("timezone", self.timezone)
        _check_text("calendar", self.calendar)
        load_zone(self.timezone)
        calendar = trading_calendar(self.calendar)
        if self.expiration_time is None:
            if not calendar.has_hours:
                raise InvalidInput(
                    "expiration_time", f"is required: {self.calendar} has no sessions that close"
                )
            object.__setattr__(self, "expiration_time", "close")
        check_expiration_time(self.expiration_time)
        _check_hours("expiration_time", self.expiration_time, calendar)
        _check_rules(self.rules, calendar)
        object.__setattr__(self, "rules", tuple(sorted(self.rules, key=lambda rule: rule.rule_id)))


def _check_text(field: str, value: object) -> None:
    if not isinstance(value, str):
        raise InvalidInput(field, "must be a text")


def _check_hours(field: str, at: object, calendar: TradingCalendar) -> None:
    if isinstance(at, str) and not calendar.has_hours:
        raise InvalidInput(
            field, f"must be a time of day: {calendar.name} has no sessions that open and close"
        )


def _check_rules(rules: object, calendar: TradingCalendar) -> None:
    if not isinstance(rules, (list, tuple)) or not all(isinstance(rule, Rule) for rule in rules):
        raise InvalidInput("rules", "must be a list of rules")
    if not rules:
        raise InvalidInput("rules", "must have at least one rule")
    ScheduleLimits().check(rules)
    seen: set[str] = set()
    for index, rule in enumerate(rules):
        if rule.rule_id in seen:
            raise InvalidInput(f"rules[{index}].rule_id", f"{rule.rule_id} is the id of another rule")
        seen.add(rule.rule_id)
        _check_trades(rule, f"rules[{index}]", calendar)
        field = "settlement" if rule.expiration_time is None else "expiration_time"
        _check_hours(f"rules[{index}].{field}", rule.own_time, calendar)


def _check_trades(rule: Rule, path: str, calendar: TradingCalendar) -> None:
    """Refuse a weekday without sessions, which would silently never expire."""
    field, weekdays = _named_weekdays(rule)
    for weekday in weekdays:
        if WEEKDAYS.index(weekday) not in calendar.weekdays:
            raise InvalidInput(f"{path}.{field}", f"{weekday} is never a session of {calendar.name}")
    later = getattr(rule, "changed_to", None)
    if later is not None and WEEKDAYS.index(later) not in calendar.weekdays:
        raise InvalidInput(f"{path}.changed_to", f"{later} is never a session of {calendar.name}")


def _named_weekdays(rule: Rule) -> tuple[str, tuple[Weekday, ...]]:
    match rule:
        case DailyRule() | MonthEndRule() | MonthDayRule():
            return "", ()
        case WeeklyRule():
            return "weekdays", rule.weekdays
        case MonthlyRule() | YearlyRule():
            return "weekday", (rule.weekday,)
    assert_never(rule)
