import pickle
from dataclasses import replace
from datetime import UTC, time

import pytest

from optionchain.errors import InvalidInput
from optionchain.expirations import DailyRule, MonthlyRule, Schedule, ScheduleLimits, WeeklyRule, YearlyRule

DAILY = DailyRule(rule_id="zero_dte", target_count=1)
SCHEDULE = Schedule(timezone="America/New_York", expiration_time=time(17), rules=(DAILY,))


def daily(rule_id, target_count=1):
    return DailyRule(rule_id=rule_id, target_count=target_count)


def refused_field(**changes):
    with pytest.raises(InvalidInput) as refused:
        replace(SCHEDULE, **changes)
    return refused.value.field


def test_rules_are_sorted_by_id():
    schedule = replace(SCHEDULE, rules=[daily("b"), daily("a"), daily("B")])

    assert [rule.rule_id for rule in schedule.rules] == ["B", "a", "b"]


def test_schedules_of_the_same_rules_in_another_order_are_equal():
    one, other = (replace(SCHEDULE, rules=rules) for rules in [(DAILY, daily("a")), (daily("a"), DAILY)])

    assert one == other
    assert hash(one) == hash(other)


def test_a_schedule_survives_pickling():
    assert pickle.loads(pickle.dumps(SCHEDULE)) == SCHEDULE


@pytest.mark.parametrize("timezone", ["EDT", "Mars/Olympus", "", None, 5, ["UTC"]])
def test_an_unknown_time_zone_is_refused(timezone):
    assert refused_field(timezone=timezone) == "timezone"


@pytest.mark.parametrize("calendar", ["weekdays_v2", "xnys", "", None, 5, ["XNYS"]])
def test_an_unknown_calendar_is_refused(calendar):
    assert refused_field(calendar=calendar) == "calendar"


@pytest.mark.parametrize("at", ["17:00", None, time(17, tzinfo=UTC), time(17, microsecond=1)])
def test_a_time_of_day_that_is_not_local_whole_seconds_is_refused(at):
    assert refused_field(expiration_time=at) == "expiration_time"


@pytest.mark.parametrize("rules", [(), None, "daily", (None,), ({"kind": "daily"},)])
def test_a_schedule_without_rules_is_refused(rules):
    assert refused_field(rules=rules) == "rules"


def test_a_repeated_rule_id_is_refused():
    assert refused_field(rules=(DAILY, daily("a"), DAILY)) == "rules[2].rule_id"


@pytest.mark.parametrize(
    ("rule", "field"),
    [
        (WeeklyRule(rule_id="w", target_count=1, weekdays=("Sat", "Sun")), "weekdays"),
        (WeeklyRule(rule_id="w", target_count=1, weekdays=("Fri", "Sat")), "weekdays"),
        (MonthlyRule(rule_id="m", target_count=1, weekday="Sat"), "weekday"),
        (YearlyRule(rule_id="y", target_count=1, weekday="Sun"), "weekday"),
    ],
)
@pytest.mark.parametrize("calendar", ["weekdays_v1", "XNYS"])
def test_a_weekday_without_sessions_is_refused(calendar, rule, field):
    assert refused_field(calendar=calendar, rules=(DAILY, rule)) == f"rules[1].{field}"


def test_the_weekdays_of_the_exchange_decide():
    sundays = WeeklyRule(rule_id="w", target_count=1, weekdays=("Sun",))
    fridays = WeeklyRule(rule_id="w", target_count=1, weekdays=("Fri",))

    assert replace(SCHEDULE, calendar="XSAU", rules=(sundays,)).rules == (sundays,)
    assert refused_field(calendar="XSAU", rules=(fridays,)) == "rules[0].weekdays"


def test_sixteen_rules_are_the_most():
    rules = tuple(daily(f"r{index}") for index in range(17))

    assert len(replace(SCHEDULE, rules=rules[:16]).rules) == 16
    assert refused_field(rules=rules) == "rules"


def test_512_expirations_are_the_most():
    most = (daily("a", 256), daily("b", 256))

    assert replace(SCHEDULE, rules=most).rules == most
    assert refused_field(rules=(*most, daily("c"))) == "rules"


@pytest.mark.parametrize(
    ("limits", "field"),
    [
        (ScheduleLimits(rules=1), "rules"),
        (ScheduleLimits(expirations_per_rule=4), "rules[1].target_count"),
        (ScheduleLimits(expirations=5), "rules"),
    ],
)
def test_limits_can_be_lowered(limits, field):
    with pytest.raises(InvalidInput) as refused:
        limits.check([daily("a"), daily("b", 5)])

    assert refused.value.field == field


def test_a_schedule_at_its_limits_is_allowed():
    ScheduleLimits(rules=2, expirations_per_rule=5, expirations=6).check([daily("a"), daily("b", 5)])
