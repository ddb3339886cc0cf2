from dataclasses import replace
from datetime import date
from itertools import islice

import numpy as np
import pytest

from optionchain.errors import InvalidInput
from optionchain.expirations import DailyRule, MonthlyRule, WeeklyRule, YearlyRule, trading_calendar

DAILY = DailyRule(rule_id="zero_dte", target_count=1)
WEEKLY = WeeklyRule(rule_id="weeklies", target_count=3, weekdays=("Mon", "Wed", "Fri"))
MONTHLY = MonthlyRule(rule_id="monthlies", target_count=12, weekday="Fri")
YEARLY = YearlyRule(rule_id="leaps", target_count=2, weekday="Fri")


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
