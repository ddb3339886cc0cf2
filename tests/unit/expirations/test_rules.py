from dataclasses import replace
from datetime import date
from itertools import islice

import numpy as np
import pytest

from optionchain.errors import InvalidInput
from optionchain.expirations import (
    DailyRule,
    MonthlyRule,
    WeeklyRule,
    YearlyRule,
    leaps,
    monthly_third_friday,
    trading_calendar,
)

DAILY = DailyRule(rule_id="zero_dte", target_count=1)
WEEKLY = WeeklyRule(rule_id="weeklies", target_count=3, weekdays=("Mon", "Wed", "Fri"))
MONTHLY = MonthlyRule(rule_id="monthlies", target_count=12, weekday="Fri", occurrence=-1)
YEARLY = YearlyRule(rule_id="leaps", target_count=2, weekday="Fri", month=12, occurrence=-1)


def days(rule, first, count, calendar="weekdays_v1"):
    found = rule.days_from(first.toordinal(), trading_calendar(calendar))
    return [date.fromordinal(day) for day in islice(found, count)]


def test_a_daily_rule_expires_on_weekdays_only():
    assert days(DAILY, date(2026, 1, 9), 2) == [date(2026, 1, 9), date(2026, 1, 12)]


def test_a_weekly_rule_goes_on_in_the_next_week():
    assert days(WEEKLY, date(2026, 1, 7), 3) == [date(2026, 1, 7), date(2026, 1, 9), date(2026, 1, 12)]


def test_weekdays_are_kept_in_the_order_of_the_week():
    assert replace(WEEKLY, weekdays=["Fri", "Mon"]).weekdays == ("Mon", "Fri")


def test_a_monthly_rule_expires_on_the_last_of_its_weekday():
    fridays = [date(2026, 1, 30), date(2026, 2, 27), date(2026, 3, 27), date(2026, 4, 24), date(2026, 5, 29)]

    assert days(MONTHLY, date(2026, 1, 1), 5) == fridays


def test_a_month_whose_expiration_has_passed_is_left_out():
    assert days(MONTHLY, date(2026, 1, 31), 1) == [date(2026, 2, 27)]


def test_a_monthly_rule_crosses_the_year():
    assert days(MONTHLY, date(2026, 12, 26), 2) == [date(2027, 1, 29), date(2027, 2, 26)]


def test_a_leap_day_can_expire():
    assert days(replace(MONTHLY, weekday="Thu"), date(2024, 2, 1), 1) == [date(2024, 2, 29)]


def test_a_yearly_rule_expires_in_december():
    assert days(YEARLY, date(2026, 12, 26), 2) == [date(2027, 12, 31), date(2028, 12, 29)]


def test_a_yearly_rule_can_have_another_month():
    assert days(replace(YEARLY, month=1, weekday="Mon"), date(2026, 1, 1), 1) == [date(2026, 1, 26)]


def test_a_weekday_changes_within_a_week():
    # From Wednesday on, Thursdays and Mondays give way to Fridays.
    changed = replace(WEEKLY, weekdays=("Mon", "Thu"), changed_on=date(2026, 1, 14), changed_to="Fri")

    assert days(changed, date(2026, 1, 8), 4) == [date(2026, 1, day) for day in (8, 12, 16, 23)]
    assert days(changed, date(2026, 2, 1), 1) == [date(2026, 2, 6)]


def test_the_weekday_of_months_and_years_changes():
    monthly = replace(MONTHLY, occurrence=3, changed_on=date(2026, 2, 20), changed_to="Tue")
    yearly = replace(YEARLY, changed_on=date(2026, 12, 26), changed_to="Mon")

    assert days(monthly, date(2026, 1, 1), 3) == [date(2026, 1, 16), date(2026, 2, 17), date(2026, 3, 17)]
    assert days(yearly, date(2025, 12, 1), 3) == [date(2025, 12, 26), date(2026, 12, 25), date(2027, 12, 27)]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"changed_on": date(2026, 1, 14)}, "changed_to"),
        ({"changed_to": "Fri"}, "changed_to"),
        ({"changed_on": "2026-01-14", "changed_to": "Fri"}, "changed_on"),
        ({"changed_on": date(2026, 1, 14), "changed_to": "friday"}, "changed_to"),
    ],
)
def test_a_change_is_of_a_date_and_a_weekday(changes, field):
    with pytest.raises(InvalidInput) as refused:
        replace(WEEKLY, **changes)

    assert refused.value.field == field


def test_a_holiday_moves_the_expiration_to_the_session_before():
    assert days(replace(WEEKLY, weekdays=("Fri",)), date(2026, 4, 1), 1, "XNYS") == [date(2026, 4, 2)]


@pytest.mark.parametrize(
    ("rule", "last"),
    [
        (DAILY, date(9999, 12, 30)),
        (WEEKLY, date(9999, 12, 29)),
        (MONTHLY, date(9999, 11, 26)),  # the last Friday of December is the last day of all
        (YEARLY, date(9998, 12, 25)),
    ],
)
def test_days_end_one_before_the_last_that_dates_can_hold(rule, last):
    *_, end = rule.days_from(date(9998, 12, 1).toordinal(), trading_calendar("weekdays_v1"))

    assert date.fromordinal(end) == last


@pytest.mark.parametrize("rule", [DAILY, WEEKLY, MONTHLY, YEARLY])
@pytest.mark.parametrize("rule_id", ["", "a" * 65, "a b", "a|b", "é", "a\n", 7, None])
def test_a_malformed_rule_id_is_refused(rule, rule_id):
    with pytest.raises(InvalidInput) as refused:
        replace(rule, rule_id=rule_id)

    assert refused.value.field == "rule_id"


@pytest.mark.parametrize("rule", [DAILY, WEEKLY, MONTHLY, YEARLY])
@pytest.mark.parametrize("count", [0, -1, 257, 1.0, True, "3", None, 10**30])
def test_a_target_count_out_of_range_is_refused(rule, count):
    with pytest.raises(InvalidInput) as refused:
        replace(rule, target_count=count)

    assert refused.value.field == "target_count"


@pytest.mark.parametrize(
    "weekdays",
    [
        (),
        ("Mon", "Mon"),
        ("Monday",),
        "Mon",
        None,
        3,
        (["Mon"],),
        (0,),
        np.array(3),
        np.array(["Mon", "Fri"]),
    ],
)
def test_weekdays_that_name_no_week_are_refused(weekdays):
    with pytest.raises(InvalidInput) as refused:
        replace(WEEKLY, weekdays=weekdays)

    assert refused.value.field == "weekdays"


@pytest.mark.parametrize("rule", [MONTHLY, YEARLY])
@pytest.mark.parametrize("weekday", ["Friday", "fri", "", None, ["Fri"], np.array(["Fri", "Mon"])])
def test_an_unknown_weekday_is_refused(rule, weekday):
    with pytest.raises(InvalidInput) as refused:
        replace(rule, weekday=weekday)

    assert refused.value.field == "weekday"


def test_numpys_whole_numbers_are_kept_as_pythons():
    rule = replace(YEARLY, target_count=np.int64(3), month=np.uint8(6))

    assert (rule.target_count, rule.month) == (3, 6)
    assert {type(rule.target_count), type(rule.month)} == {int}


@pytest.mark.parametrize("month", [0, 13, 1.5, "12", None])
def test_an_unknown_month_is_refused(month):
    with pytest.raises(InvalidInput) as refused:
        replace(YEARLY, month=month)

    assert refused.value.field == "month"


def test_the_third_friday_is_what_a_monthly_rule_of_python_means():
    found = days(MonthlyRule(rule_id="m", target_count=1, weekday="Fri"), date(2026, 1, 1), 4, "XNYS")

    assert found == [date(2026, 1, 16), date(2026, 2, 20), date(2026, 3, 20), date(2026, 4, 17)]
    assert monthly_third_friday("m", 1) == MonthlyRule(rule_id="m", target_count=1, weekday="Fri")


def test_leaps_expire_on_the_third_friday_of_january():
    # The Options Clearing Corporation's calendars of 2027 to 2029.
    found = days(leaps("leaps", 3), date(2026, 2, 2), 3, "XNYS")

    assert found == [date(2027, 1, 15), date(2028, 1, 21), date(2029, 1, 19)]


def test_months_without_a_fifth_of_the_weekday_have_no_expiration():
    fifth = replace(MONTHLY, occurrence=5)

    assert days(fifth, date(2026, 1, 1), 3) == [date(2026, 1, 30), date(2026, 5, 29), date(2026, 7, 31)]


def test_only_some_months_can_have_one():
    quarterly = replace(MONTHLY, months=[12, 3, 6, 9])

    assert quarterly.months == (3, 6, 9, 12)
    assert days(quarterly, date(2025, 2, 1), 2) == [date(2025, 3, 28), date(2025, 6, 27)]


@pytest.mark.parametrize(
    ("monday", "expiration"),
    [
        (date(2024, 1, 15), date(2024, 1, 16)),  # Martin Luther King's
        (date(2024, 5, 27), date(2024, 5, 28)),  # Memorial Day
        (date(2025, 9, 1), date(2025, 9, 2)),  # Labor Day
    ],
)
def test_a_monday_that_is_a_holiday_expires_on_tuesday_in_new_york(monday, expiration):
    mondays = replace(WEEKLY, weekdays=("Mon",))

    assert days(mondays, monday, 1, "XNYS") == [expiration]
    assert days(mondays, expiration, 1, "XNYS") == [expiration]
    assert days(replace(mondays, holiday="previous"), monday, 2, "XNYS")[0] < monday


def test_a_wednesday_that_is_a_holiday_expires_the_day_before_unless_the_rule_says_otherwise():
    wednesdays = replace(WEEKLY, weekdays=("Wed",))
    juneteenth = date(2024, 6, 19)

    assert days(wednesdays, juneteenth, 1, "XNYS") == [date(2024, 6, 18)]
    assert days(replace(wednesdays, holiday="next"), juneteenth, 1, "XNYS") == [date(2024, 6, 20)]


@pytest.mark.parametrize("occurrence", [0, 6, -2, 1.5, "3", None])
def test_an_occurrence_that_no_month_has_is_refused(occurrence):
    with pytest.raises(InvalidInput) as refused:
        replace(MONTHLY, occurrence=occurrence)

    assert refused.value.field == "occurrence"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("months", ()),
        ("months", (13,)),
        ("months", (3, 3)),
        ("lead_days", -1),
        ("holiday", "skip"),
        ("settlement", "noon"),
        ("root", "spx"),
        ("root", "TOOLONG"),
        ("expiration_time", "16:00"),
    ],
)
def test_what_a_rule_may_not_say_is_named(field, value):
    with pytest.raises(InvalidInput) as refused:
        replace(MONTHLY, **{field: value})

    assert refused.value.field == field
