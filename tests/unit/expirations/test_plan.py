import pickle
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta, timezone

import pytest

from optionchain.errors import InvalidInput
from optionchain.expirations import (
    DailyRule,
    Expiration,
    ExpirationPlan,
    MonthlyRule,
    Schedule,
    WeeklyRule,
    YearlyRule,
    days_to_expiration,
)

DAILY = DailyRule(rule_id="zero_dte", target_count=1)
FRIDAYS = WeeklyRule(rule_id="fridays", target_count=2, weekdays=("Fri",))
WEEKLIES = WeeklyRule(rule_id="weeklies", target_count=3, weekdays=("Mon", "Wed", "Fri"))
MONTHLIES = MonthlyRule(rule_id="monthlies", target_count=12, weekday="Fri", occurrence=-1)
LEAPS = YearlyRule(rule_id="leaps", target_count=2, weekday="Fri", month=12, occurrence=-1)


def plan(*rules, timezone="America/New_York", at=time(16), calendar="weekdays_v1"):
    return ExpirationPlan(Schedule(timezone=timezone, expiration_time=at, rules=rules, calendar=calendar))


def utc(*parts):
    return datetime(*parts, tzinfo=UTC)


def local_days(expirations):
    """Month and day in New York, where none of these tests crosses midnight UTC."""
    return [f"{expiration.expires_at:%m-%d}" for expiration in expirations]


def test_an_expiration_at_the_instant_is_gone_and_replaced():
    at_expiry = utc(2026, 1, 5, 21)
    second = timedelta(seconds=1)

    assert local_days(plan(DAILY).active(at_expiry - second)) == ["01-05"]
    assert local_days(plan(DAILY).active(at_expiry - timedelta(microseconds=1))) == ["01-05"]
    assert local_days(plan(DAILY).active(at_expiry)) == ["01-06"]


def test_a_friday_evening_rolls_to_monday():
    assert local_days(plan(DAILY).active(utc(2026, 1, 9, 21))) == ["01-12"]


def test_a_weekend_sees_mondays_expiration():
    assert local_days(plan(DAILY).active(utc(2026, 1, 10, 12))) == ["01-12"]


def test_coincident_expirations_are_one_with_all_labels():
    first, *others = plan(DAILY, WEEKLIES, MONTHLIES).active(utc(2026, 1, 30, 12))

    assert first.labels == ("monthlies", "weeklies", "zero_dte")
    assert first.expires_at == utc(2026, 1, 30, 21)
    assert len(others) == 2 + 11


def test_every_rule_keeps_its_count_though_it_shares_dates():
    expirations = plan(DAILY, WEEKLIES, MONTHLIES, LEAPS).active(utc(2026, 12, 21, 12))

    counts = {
        rule: sum(rule in found.labels for found in expirations) for rule in ["zero_dte", "weeklies", "leaps"]
    }
    assert counts == {"zero_dte": 1, "weeklies": 3, "leaps": 2}


def test_expirations_are_ascending_instants_in_utc():
    instants = [expiration.expires_at for expiration in plan(MONTHLIES, DAILY).active(utc(2026, 1, 5))]

    assert instants == sorted(set(instants))
    assert all(instant.tzinfo is UTC for instant in instants)


def test_daylight_saving_moves_the_instant_and_not_the_local_time():
    january, _, march, *_ = plan(MONTHLIES).active(utc(2026, 1, 5))

    assert (january.expires_at, march.expires_at) == (utc(2026, 1, 30, 21), utc(2026, 3, 27, 20))


def test_an_expiration_in_a_gap_is_there_until_the_clocks_change():
    cairo = plan(DAILY, timezone="Africa/Cairo", at=time(0, 30))
    change = utc(2026, 4, 23, 22)

    assert cairo.active(change - timedelta(seconds=1))[0].expires_at == change
    assert cairo.active(change)[0].expires_at > change


def test_an_expiration_in_a_fold_is_gone_after_the_first_showing():
    saturday_night = plan(
        DailyRule(rule_id="d", target_count=1), timezone="Europe/Madrid", at=time(2, 30), calendar="24/7"
    )

    assert saturday_night.active(utc(2026, 10, 25, 0, 29))[0].expires_at == utc(2026, 10, 25, 0, 30)
    assert saturday_night.active(utc(2026, 10, 25, 0, 30))[0].expires_at == utc(2026, 10, 26, 1, 30)


def test_two_local_dates_at_one_instant_are_one_expiration():
    # Samoa had no 30 December 2011: midnight of the 30th and of the 31st are one instant.
    days = DailyRule(rule_id="d", target_count=3)
    samoa = plan(days, timezone="Pacific/Apia", at=time(0), calendar="24/7")

    instants = [expiration.expires_at for expiration in samoa.active(utc(2011, 12, 29, 10))]

    assert instants == [utc(2011, 12, 30, 10), utc(2011, 12, 31, 10), utc(2012, 1, 1, 10)]


def test_the_local_date_decides_where_utc_is_a_day_ahead():
    tokyo = plan(DAILY, timezone="Asia/Tokyo", at=time(8))

    assert tokyo.active(utc(2026, 1, 5, 22, 59))[0].expires_at == utc(2026, 1, 5, 23)
    assert tokyo.active(utc(2026, 1, 5, 23))[0].expires_at == utc(2026, 1, 6, 23)


class TestWithAnExchange:
    def test_good_friday_expires_on_thursday(self):
        assert local_days(plan(FRIDAYS, calendar="XNYS").active(utc(2026, 3, 30))) == ["04-02", "04-10"]

    def test_after_the_thursday_the_holidays_expiration_is_gone(self):
        assert local_days(plan(FRIDAYS, calendar="XNYS").active(utc(2026, 4, 2, 20))) == ["04-10", "04-17"]

    def test_a_holiday_that_moves_onto_another_of_the_same_rule_counts_once(self):
        both = replace(FRIDAYS, target_count=3, weekdays=("Thu", "Fri"))

        assert local_days(plan(both, calendar="XNYS").active(utc(2026, 3, 30))) == ["04-02", "04-09", "04-10"]

    def test_a_holiday_that_moves_onto_another_rules_day_carries_both_labels(self):
        thursdays = WeeklyRule(rule_id="thursdays", target_count=1, weekdays=("Thu",))

        first, _ = plan(thursdays, FRIDAYS, calendar="XNYS").active(utc(2026, 3, 30))

        assert first.labels == ("fridays", "thursdays")

    def test_a_daily_rule_counts_sessions(self):
        week = plan(replace(DAILY, target_count=5), calendar="XNYS").active(utc(2026, 4, 1))

        assert local_days(week) == ["04-01", "04-02", "04-06", "04-07", "04-08"]

    def test_a_closed_week_moves_its_expirations_to_the_last_session(self):
        # New York was closed from 11 to 14 September 2001.
        week = plan(WEEKLIES, calendar="XNYS").active(utc(2001, 9, 10, 12))

        assert local_days(week) == ["09-10", "09-17", "09-19"]

    def test_decades_ahead_have_holidays_too(self):
        assert local_days(plan(DAILY, calendar="XNYS").active(utc(2150, 12, 25))) == ["12-28"]

    @pytest.mark.parametrize("simulated_at", [utc(2199, 12, 31, 22), utc(2500, 1, 1), utc(1969, 1, 1)])
    def test_beyond_what_the_exchange_knows_the_calendar_is_named(self, simulated_at):
        with pytest.raises(InvalidInput, match="XNYS are known from 1970-01-01 to 2199-12-31") as refused:
            plan(DAILY, calendar="XNYS").active(simulated_at)

        assert refused.value.field == "calendar"


class TestFarAway:
    def test_five_centuries_ahead_are_planned(self):
        assert local_days(plan(MONTHLIES).active(utc(2500, 1, 1)))[:3] == ["01-29", "02-26", "03-26"]

    @pytest.mark.parametrize("timezone", ["Pacific/Kiritimati", "Pacific/Pago_Pago"])
    @pytest.mark.parametrize("simulated_at", [utc(1, 1, 2), utc(9999, 12, 1)])
    def test_the_ends_of_time_are_planned_in_every_zone(self, timezone, simulated_at):
        ends = plan(DAILY, timezone=timezone, at=time(23, 59, 59))

        [expiration] = ends.active(simulated_at)

        assert expiration.expires_at > simulated_at

    @pytest.mark.parametrize("timezone", ["Pacific/Kiritimati", "Pacific/Pago_Pago", "UTC"])
    @pytest.mark.parametrize("rule", [DAILY, FRIDAYS, MONTHLIES, LEAPS])
    @pytest.mark.parametrize("simulated_at", [utc(9999, 12, 30), datetime.max.replace(tzinfo=UTC)])
    def test_an_expiration_after_the_year_9999_is_refused(self, timezone, rule, simulated_at):
        with pytest.raises(InvalidInput) as refused:
            plan(replace(rule, target_count=3), timezone=timezone).active(simulated_at)

        assert refused.value.field == "simulated_at"

    def test_the_first_day_of_time_is_refused(self):
        with pytest.raises(InvalidInput, match="between 0001-01-02 and 9999-12-30"):
            plan(DAILY).active(datetime.min.replace(tzinfo=UTC))

    def test_an_instant_that_utc_cannot_hold_is_refused(self):
        before_time = datetime.min.replace(tzinfo=timezone(timedelta(hours=5)))

        with pytest.raises(InvalidInput) as refused:
            plan(DAILY).active(before_time)

        assert refused.value.field == "simulated_at"


class TestThePlanIsAValue:
    def test_an_answer_does_not_depend_on_earlier_questions(self):
        instants = [utc(2026, 1, 5) + timedelta(hours=7 * step) for step in range(60)]
        asked = plan(DAILY, WEEKLIES)
        forward = [asked.active(instant) for instant in instants]

        assert [asked.active(instant) for instant in reversed(instants)] == forward[::-1]
        assert [plan(DAILY, WEEKLIES).active(instant) for instant in instants] == forward

    def test_the_same_answer_is_given_until_its_first_expiration(self):
        asked = plan(DAILY, MONTHLIES)
        monday = asked.active(utc(2026, 1, 5))

        assert asked.active(utc(2026, 1, 5, 20, 59, 59)) is monday
        assert asked.active(utc(2026, 1, 5, 21)) is not monday

    def test_a_plan_survives_pickling(self):
        original = plan(DAILY, MONTHLIES)
        original.active(utc(2026, 1, 5))

        assert pickle.loads(pickle.dumps(original)).active(utc(2026, 1, 7)) == original.active(
            utc(2026, 1, 7)
        )

    def test_the_offset_of_the_question_does_not_matter(self):
        eastern = timezone(timedelta(hours=-5))

        assert plan(DAILY).active(datetime(2026, 1, 5, 16, tzinfo=eastern)) == plan(DAILY).active(
            utc(2026, 1, 5, 21)
        )

    def test_a_time_without_offset_is_refused(self):
        with pytest.raises(InvalidInput, match="UTC offset"):
            plan(DAILY).active(datetime(2026, 1, 5))


def test_an_expiration_is_in_utc_with_sorted_labels():
    eastern = timezone(timedelta(hours=-5))

    expiration = Expiration(expires_at=datetime(2026, 1, 5, 16, tzinfo=eastern), labels=("b", "a"))

    assert expiration == Expiration(expires_at=utc(2026, 1, 5, 21), labels=("a", "b"))
    assert expiration.expires_at.tzinfo is UTC


def test_days_to_expiration_have_a_fraction():
    assert days_to_expiration(utc(2026, 1, 5), utc(2026, 1, 6, 6)) == 1.25


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"expires_at": "2026-01-05"}, "expires_at"),
        ({"expires_at": None}, "expires_at"),
        ({"labels": "weekly"}, "labels"),
        ({"labels": None}, "labels"),
        ({"labels": (1,)}, "labels"),
    ],
)
def test_an_expiration_of_something_else_is_refused_by_name(changes, field):
    with pytest.raises(InvalidInput) as refused:
        Expiration(**{"expires_at": utc(2026, 1, 5, 21), "labels": ("a",)} | changes)

    assert refused.value.field == field
