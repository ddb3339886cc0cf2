"""The planner's arithmetic against a planner that looks at every day, one after the other."""

from datetime import UTC, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from optionchain.expirations import (
    DailyRule,
    ExpirationPlan,
    MonthDayRule,
    MonthEndRule,
    MonthlyRule,
    Schedule,
    WeeklyRule,
    YearlyRule,
)
from optionchain.expirations.listed import WEEKDAYS

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
TRADING_WEEKDAYS = WEEKDAYS[:5]
CALENDARS = ["weekdays_v1", "XNYS", "XLON"]
ZONES = ["UTC", "America/New_York", "Europe/Madrid", "Australia/Lord_Howe", "Africa/Cairo", "Pacific/Apia"]


@cache
def known(calendar):
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import exchange_calendars

        return exchange_calendars.get_calendar(calendar, start="1990-01-01", end="2040-01-01")


@cache
def sessions(calendar):
    return {session.date() for session in known(calendar).sessions}


@cache
def closes_of_half_days(calendar):
    if calendar == "weekdays_v1":
        return {}
    found = known(calendar)
    return {day.date(): found.session_close(day).to_pydatetime() for day in found.early_closes}


def is_session(day, calendar):
    return day.weekday() < 5 if calendar == "weekdays_v1" else day in sessions(calendar)


def names(rule, day):
    """Whether the rule names this day, holiday or not."""
    weekday = WEEKDAYS[day.weekday()]
    match rule:
        case WeeklyRule():
            return weekday in rule.weekdays
        case MonthlyRule():
            return (
                weekday == rule.weekday
                and is_occurrence(day, rule.occurrence)
                and day.month in (rule.months or range(13))
            )
        case MonthEndRule():
            return (day + DAY).month != day.month and day.month in (rule.months or range(13))
        case MonthDayRule():
            is_last = (day + DAY).month != day.month
            return day.day == rule.day or (is_last and day.day < rule.day)
        case YearlyRule():
            return weekday == rule.weekday and is_occurrence(day, rule.occurrence) and day.month == rule.month


def is_occurrence(day, occurrence):
    """Whether it is this one of its weekday in its month."""
    if occurrence == -1:
        return (day + 7 * DAY).month != day.month
    return (day.day + 6) // 7 == occurrence


def goes_on(rule, day, calendar):
    """Whether a holiday moves this day to the next session: Cboe's Mondays, or as the rule says."""
    if getattr(rule, "holiday", None) is not None:
        return rule.holiday == "next"
    return calendar == "XNYS" and isinstance(rule, WeeklyRule) and day.weekday() == 0


def expiration_days(rule, first, calendar):
    day = first
    while True:
        if isinstance(rule, DailyRule):
            if is_session(day, calendar):
                yield day
        elif names(rule, day):
            moved = day
            while not is_session(moved, calendar):
                moved += DAY if goes_on(rule, day, calendar) else -DAY
            for _ in range(getattr(rule, "sessions_before", 0)):
                moved -= DAY
                while not is_session(moved, calendar):
                    moved -= DAY
            yield moved
        day += DAY


def instant(local, zone):
    """Tries the minutes from `local` on until the clocks of the zone show one of them."""
    while True:
        found = local.replace(tzinfo=zone).astimezone(UTC)
        if found.astimezone(zone).replace(tzinfo=None) == local:
            return found
        local = local.replace(second=0) + MINUTE


def brute_force(schedule, now):
    zone, labels = ZoneInfo(schedule.timezone), {}
    for rule in schedule.rules:
        alive = set()
        for day in expiration_days(rule, now.date() - 8 * DAY, schedule.calendar):
            expires_at = instant(datetime.combine(day, schedule.expiration_time), zone)
            expires_at = min(expires_at, closes_of_half_days(schedule.calendar).get(day, expires_at))
            if expires_at > now:
                alive.add(expires_at)
            if len(alive) == rule.target_count:
                break
        for expires_at in alive:
            labels.setdefault(expires_at, []).append(rule.rule_id)
    return [(expires_at, tuple(sorted(labels[expires_at]))) for expires_at in sorted(labels)]


weekdays = st.sampled_from(TRADING_WEEKDAYS)
daily = st.builds(DailyRule, rule_id=st.just("d"), target_count=st.integers(1, 12))
weekly = st.builds(
    WeeklyRule,
    rule_id=st.just("w"),
    target_count=st.integers(1, 8),
    weekdays=st.lists(weekdays, min_size=1, max_size=5, unique=True),
    holiday=st.sampled_from([None, "previous", "next"]),
)
occurrences = st.sampled_from([1, 2, 3, 4, -1])  # a fifth comes too rarely to look at every day for it
monthly = st.builds(
    MonthlyRule,
    rule_id=st.just("m"),
    target_count=st.integers(1, 4),
    weekday=weekdays,
    occurrence=occurrences,
    months=st.none() | st.lists(st.integers(1, 12), min_size=1, unique=True),
    holiday=st.sampled_from([None, "previous", "next"]),
)
yearly = st.builds(
    YearlyRule,
    rule_id=st.just("y"),
    target_count=st.integers(1, 2),
    weekday=weekdays,
    month=st.integers(1, 12),
    occurrence=st.sampled_from([1, 2, 3, 4, -1]),
)
month_end = st.builds(
    MonthEndRule,
    rule_id=st.just("e"),
    target_count=st.integers(1, 4),
    months=st.none() | st.lists(st.integers(1, 12), min_size=1, unique=True),
)
month_day = st.builds(
    MonthDayRule,
    rule_id=st.just("b"),
    target_count=st.integers(1, 4),
    day=st.integers(1, 31),
    sessions_before=st.integers(0, 7),
)
schedules = st.builds(
    Schedule,
    timezone=st.sampled_from(ZONES),
    expiration_time=st.times().map(lambda at: at.replace(microsecond=0))
    | st.sampled_from([time(0), time(0, 30), time(2, 15), time(2, 30), time(16), time(23, 59, 59)]),
    rules=st.lists(
        daily | weekly | monthly | yearly | month_end | month_day,
        min_size=1,
        max_size=3,
        unique_by=lambda rule: rule.rule_id,
    ),
    calendar=st.sampled_from(CALENDARS),
)
instants = st.datetimes(datetime(2000, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))


@settings(derandomize=True, max_examples=500, deadline=None)
@given(schedule=schedules, now=instants)
def test_the_plan_is_what_looking_at_every_day_finds(schedule, now):
    active = ExpirationPlan(schedule).active(now)

    assert [(expiration.expires_at, expiration.labels) for expiration in active] == brute_force(schedule, now)


@settings(derandomize=True, max_examples=60, deadline=None)
@given(schedule=schedules, now=instants)
def test_the_instants_around_an_expiration_are_what_looking_at_every_day_finds(schedule, now):
    plan = ExpirationPlan(schedule)
    first = plan.active(now)[0].expires_at

    for moment in (first, first - timedelta(microseconds=1), first + timedelta(seconds=1)):
        active = [(expiration.expires_at, expiration.labels) for expiration in plan.active(moment)]
        assert active == brute_force(schedule, moment)


@settings(derandomize=True, max_examples=60, deadline=None)
@given(
    schedule=schedules,
    steps=st.lists(st.integers(0, 2000), min_size=2, max_size=12),
    start=st.datetimes(datetime(2000, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),
)
def test_any_order_of_questions_gets_the_same_answers(schedule, steps, start):
    shared = ExpirationPlan(schedule)

    for step in steps:
        moment = start + step * timedelta(hours=3)
        assert shared.active(moment) == ExpirationPlan(schedule).active(moment)
