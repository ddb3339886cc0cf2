"""Expirations at the open and the close of sessions, of several roots at one date, and under their own date."""

from datetime import UTC, date, datetime, time

import numpy as np
import pytest

from optionchain.chains.table import contract_symbols
from optionchain.errors import InvalidInput
from optionchain.expirations import (
    DailyRule,
    ExpirationPlan,
    MonthlyRule,
    Schedule,
    WeeklyRule,
    schedule_from_wire,
    schedule_to_wire,
)
from optionchain.expirations.listing import ExpirationLister, microseconds

ZERO_DTE = DailyRule(rule_id="zero_dte", target_count=1)
SPX = MonthlyRule(rule_id="spx", target_count=1, weekday="Fri", settlement="AM", root="SPX")
SPXW = WeeklyRule(rule_id="spxw", target_count=2, weekdays=("Fri",), settlement="PM", root="SPXW")


def new_york(*rules, **terms):
    return Schedule(timezone="America/New_York", calendar="XNYS", rules=rules, **terms)


def first(schedule, instant):
    return ExpirationPlan(schedule).active(datetime.fromisoformat(instant))[0]


# New York Stock Exchange, holidays and early closings: 13:00 on these days.
@pytest.mark.parametrize("day", ["2024-07-03", "2024-11-29", "2024-12-24", "2026-11-27", "2026-12-24"])
@pytest.mark.parametrize("at", [None, "close", time(16)])
def test_half_days_end_at_one_in_new_york(day, at):
    local_noon_is = 16 if day == "2024-07-03" else 17

    assert first(new_york(ZERO_DTE, expiration_time=at), f"{day}T15:00+00:00").expires_at == datetime(
        *date.fromisoformat(day).timetuple()[:3], local_noon_is + 1, tzinfo=UTC
    )


def test_what_expired_at_the_close_of_a_half_day_is_gone_half_an_hour_later():
    assert first(new_york(ZERO_DTE), "2026-11-27T18:30+00:00").date == date(2026, 11, 30)


def test_a_time_before_the_close_of_a_half_day_stays():
    assert first(new_york(ZERO_DTE, expiration_time=time(9, 30)), "2026-11-27T14:00+00:00").expires_at == (
        datetime(2026, 11, 27, 14, 30, tzinfo=UTC)
    )


def test_the_morning_and_the_afternoon_of_one_friday_are_apart():
    found = ExpirationPlan(new_york(SPX, SPXW)).active(datetime(2026, 1, 12, 15, tzinfo=UTC))

    assert [(each.expires_at, each.labels, each.root, each.settlement) for each in found] == [
        (datetime(2026, 1, 16, 14, 30, tzinfo=UTC), ("spx",), "SPX", "AM"),
        (datetime(2026, 1, 16, 21, tzinfo=UTC), ("spxw",), "SPXW", "PM"),
        (datetime(2026, 1, 23, 21, tzinfo=UTC), ("spxw",), "SPXW", "PM"),
    ]


def test_roots_at_one_instant_are_apart_and_rules_of_one_root_together():
    rules = (
        DailyRule(rule_id="a", target_count=2, root="QQQ"),
        DailyRule(rule_id="b", target_count=2, root="NDX"),
        DailyRule(rule_id="c", target_count=2, root="QQQ"),
    )
    plan = ExpirationPlan(new_york(*rules))
    now = datetime(2026, 1, 12, 15, tzinfo=UTC)

    found = plan.active(now)
    listed = ExpirationLister(plan).list([now])

    assert [(each.root, each.labels) for each in found] == [("NDX", ("b",)), ("QQQ", ("a", "c"))] * 2
    assert listed.expires_at.tolist() == [microseconds(each.expires_at) for each in found]
    assert [listed.names[label] for label in listed.labels] == ["|".join(each.labels) for each in found]


def test_contracts_are_named_by_the_exchanges_date_and_their_root():
    # 16:00 in Tokyo is 07:00 UTC, 08:00 in Sydney the evening before.
    schedule = Schedule(
        timezone="Australia/Sydney",
        expiration_time=time(8),
        rules=(DailyRule(rule_id="d", target_count=1, root="XJO"),),
    )
    [expiration] = ExpirationPlan(schedule).active(datetime(2026, 1, 12, 22, tzinfo=UTC))

    assert expiration.expires_at == datetime(2026, 1, 13, 21, tzinfo=UTC)
    [call, _] = contract_symbols("ASX", [expiration], [0, 1], np.array([8000.0]))
    assert call == "XJO   260114C08000000"


def test_a_calendar_without_hours_needs_a_time():
    for at, field in ((None, "expiration_time"), ("close", "expiration_time")):
        with pytest.raises(InvalidInput) as refused:
            Schedule(timezone="UTC", rules=(ZERO_DTE,), expiration_time=at)
        assert refused.value.field == field
    with pytest.raises(InvalidInput) as refused:
        Schedule(timezone="UTC", rules=(ZERO_DTE, SPX), expiration_time=time(16))
    assert refused.value.field == "rules[1].settlement"


@pytest.mark.parametrize(
    ("sessions", "ends"),
    [
        (0, None),  # until they expire
        (1, datetime(2026, 11, 27, 18, tzinfo=UTC)),  # the half day after Thanksgiving
        (2, datetime(2026, 11, 25, 21, tzinfo=UTC)),
    ],
)
def test_trading_ends_at_the_close_of_a_session_before(sessions, ends):
    rule = WeeklyRule(
        rule_id="mon", target_count=1, weekdays=("Mon",), settlement="AM", last_trade_sessions=sessions
    )

    found = first(new_york(rule), "2026-11-24T15:00+00:00")

    assert found.expires_at == datetime(2026, 11, 30, 14, 30, tzinfo=UTC)
    assert found.last_trade_at == ends


def test_without_sessions_that_close_trading_ends_at_the_time_of_the_schedule():
    rule = WeeklyRule(rule_id="mon", target_count=1, weekdays=("Mon",), last_trade_sessions=1)
    schedule = Schedule(timezone="UTC", expiration_time=time(16), rules=(rule,))

    assert first(schedule, "2026-11-24T15:00+00:00").last_trade_at == datetime(2026, 11, 27, 16, tzinfo=UTC)


def test_everything_that_a_rule_says_comes_back_from_json():
    schedule = new_york(
        MonthlyRule(
            rule_id="vix",
            target_count=2,
            weekday="Fri",
            lead_days=30,
            months=(1, 2),
            holiday="next",
            settlement="AM",
            root="VIX",
            expiration_time=time(9, 20),
            last_trade_sessions=1,
        ),
        SPXW,
    )
    wire = schedule_to_wire(schedule)

    assert schedule_from_wire(wire) == schedule
    assert wire["expiration_time"] == "close"
    assert wire["schedules"][0] == {
        "rule_id": "spxw",
        "kind": "weekly",
        "target_count": 2,
        "settlement": "PM",
        "root": "SPXW",
        "weekdays": ["Fri"],
    }


def test_presets_of_json_are_echoed_as_what_they_mean():
    schedules = [
        {"rule_id": "l", "kind": "leaps", "target_count": 1},
        {"rule_id": "m", "kind": "monthly_third_friday", "target_count": 2},
    ]
    body = {"timezone": "America/New_York", "calendar": "XNYS", "schedules": schedules}

    assert schedule_to_wire(schedule_from_wire(body))["schedules"] == [
        {"rule_id": "l", "kind": "yearly", "target_count": 1, "weekday": "Fri", "month": 1, "occurrence": 3},
        {"rule_id": "m", "kind": "monthly", "target_count": 2, "weekday": "Fri", "occurrence": 3},
    ]
    with pytest.raises(InvalidInput) as refused:
        schedule_from_wire(body | {"schedules": [schedules[1] | {"weekday": "Thu"}]})
    assert refused.value.field == "schedules[0].weekday"
