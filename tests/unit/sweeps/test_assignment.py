"""Legs that are assigned and settled by their terms, against profits worked out by hand."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import numpy as np
import pytest

from optionchain import GeometricBrownian, SimulationParameters, SingleExpiration
from optionchain.draws.philox import PhiloxDraws
from optionchain.errors import InvalidInput
from optionchain.expirations import Schedule, WeeklyRule
from optionchain.measures import ByMoneyness, Leg, calendar_spread, covered_call, strategy, wheel
from optionchain.measures.path_block import PathBlock, sample_block
from optionchain.measures.trade import open_trade
from optionchain.measures.wheel import Wheel

RATE = 0.05
SOLD_CALL = Leg("call", -1, ByMoneyness(0.8))
SOLD_PUT = Leg("put", -1, ByMoneyness(1.2))


def block(prices, **changes):
    terms = SimulationParameters(
        **{
            "symbol": "X",
            "steps": len(prices),
            "initial_price": 100.0,
            "volatility": 0.15,
            "risk_free_rate": RATE,
            "method": GeometricBrownian(dt=1 / 365, drift=0.0, volatility=0.15),
            "chain_size": 10,
            "strike_interval": 5.0,
            "skew_slope": 0.0,
            "smile_curve": 0.0,
            "seed": 1,
            "start_at": datetime(2026, 1, 5, 15, tzinfo=UTC),
            "expirations": SingleExpiration(days=float(len(prices) - 1)),
            "exercise": "american",
        }
        | changes
    )
    path = np.array([prices], dtype=float)
    return PathBlock(parameters=terms, first_path=0, prices=path, volatilities=np.full_like(path, 0.15))


def worth(step):
    return math.exp(-RATE * step / 365)


def premium(of, side, strike):
    chains = of.chains(0)
    at = int(np.flatnonzero(chains.strikes[0, 0] == strike)[0])
    return float((chains.call_mid if side == "call" else chains.put_mid)[0, 0, at])


def earned(of, leg, days=10.0, **terms):
    return float(strategy(leg, days=days, fill="mid", **terms)(of)[0])


def test_a_call_is_assigned_the_day_before_the_ex_date():
    # 100 for four days, 97 from the ex-date on: step 5, for it is at midnight and steps are at 15:00.
    of = block([100.0] * 5 + [97.0] * 6, dividends=[["2026-01-10", 3.0]])
    paid = premium(of, "call", 80.0)

    assert earned(of, SOLD_CALL) == pytest.approx(paid - 17.0 * worth(10), rel=1e-12)
    assert earned(of, SOLD_CALL, assignment="optimal") == pytest.approx(paid - 20.0 * worth(4), rel=1e-12)


def test_a_call_without_a_dividend_is_not_assigned():
    of = block([100.0] * 11)

    assert earned(of, SOLD_CALL, assignment="optimal") == earned(of, SOLD_CALL)


def test_a_put_is_assigned_as_soon_as_waiting_costs_interest():
    of = block([100.0] * 3 + [90.0] * 8)
    paid = premium(of, "put", 120.0)

    assert earned(of, SOLD_PUT) == pytest.approx(paid - 30.0 * worth(10), rel=1e-12)
    # At a volatility of 15 % a strike of 120 is exercised at 100 already.
    assert earned(of, SOLD_PUT, assignment="optimal") == pytest.approx(paid - 20.0 * worth(1), rel=1e-12)


def test_who_holds_decides_himself():
    of = block([100.0] * 11)
    bought = Leg("put", 1, ByMoneyness(1.2))

    assert earned(of, bought, assignment="optimal") == earned(of, bought)


def test_european_options_are_not_assigned():
    of = block([100.0] * 11, exercise="european")

    assert earned(of, SOLD_PUT, assignment="optimal") == earned(of, SOLD_PUT)


@pytest.mark.parametrize(("ends_at", "legs_pay"), [(100.0, 0.0), (108.0, -3.0), (130.0, -5.0), (88.0, -5.0)])
def test_an_iron_condor_settles_in_cash_by_hand(ends_at, legs_pay):
    of = block([100.0] * 10 + [ends_at], exercise="european", settlement="cash")
    legs = [
        Leg(side, quantity, ByMoneyness(strike / 100))
        for side, quantity, strike in (("put", 1, 90), ("put", -1, 95), ("call", -1, 105), ("call", 1, 110))
    ]
    cost = sum(
        quantity * premium(of, side, strike)
        for side, quantity, strike in (
            ("put", 1, 90.0),
            ("put", -1, 95.0),
            ("call", -1, 105.0),
            ("call", 1, 110.0),
        )
    )

    [profit] = strategy(*legs, days=10.0, fill="mid")(of)

    assert profit == pytest.approx(legs_pay * worth(10) - cost, rel=1e-12)


def test_a_covered_call_over_an_ex_date_by_hand():
    of = block([100.0] * 5 + [97.0] * 6, dividends=[["2026-01-10", 3.0]])
    paid = premium(of, "call", 80.0)
    deep = {"shares": 1.0}

    # Held through expiry: the dividend comes at step 5, and the share goes at the strike.
    kept = earned(of, SOLD_CALL, **deep)
    assert kept == pytest.approx(paid - 100.0 + 3.0 * worth(5) + 80.0 * worth(10), rel=1e-12)
    # Assigned on the day before: the strike comes earlier, and the dividend is another's.
    taken = earned(of, SOLD_CALL, assignment="optimal", **deep)
    assert taken == pytest.approx(paid - 100.0 + 80.0 * worth(4), rel=1e-12)
    # What settles in cash takes no share away.
    in_cash = block([100.0] * 5 + [97.0] * 6, dividends=[["2026-01-10", 3.0]], settlement="cash")
    kept_share = -100.0 + 3.0 * worth(5) + 97.0 * worth(10)
    assert earned(in_cash, SOLD_CALL, assignment="optimal", **deep) == pytest.approx(
        paid - 20.0 * worth(4) + kept_share, rel=1e-12
    )


def test_shares_that_are_sold_short_come_back_by_the_puts():
    of = block([100.0] * 3 + [90.0] * 8)
    paid = premium(of, "put", 120.0)

    found = earned(of, SOLD_PUT, assignment="optimal", shares=-1.0)

    assert found == pytest.approx(paid + 100.0 - 120.0 * worth(1), rel=1e-12)


def fridays(prices, **changes):
    weekly = WeeklyRule(rule_id="weekly", target_count=3, weekdays=("Fri",))
    schedule = Schedule(timezone="UTC", expiration_time=time(15), rules=(weekly,))
    return block(prices, expirations=schedule, **changes)


def at_moment(of, step, index, side, strike):
    chains = of.chains(step)
    at = int(np.flatnonzero(chains.strikes[0, index] == strike)[0])
    return float((chains.call_mid if side == "call" else chains.put_mid)[0, index, at])


def test_a_calendar_by_hand():
    # Monday to Friday: steps 0 to 4. The near call expires worthless at 95, the far one is sold with a week to go.
    of = fridays([100.0, 101.0, 99.0, 97.0, 95.0, 95.0], exercise="european")
    near, far = (at_moment(of, 0, index, "call", 100.0) for index in (0, 1))
    left = at_moment(of, 4, 0, "call", 100.0)
    assert of.expirations(4)[0] == of.expirations(0)[1]

    [profit] = calendar_spread(days=4, far_days=11, fill="mid")(of)

    assert profit == pytest.approx(near - far + left * worth(4), rel=1e-12)


def test_a_calendar_of_one_expiration_is_refused():
    with pytest.raises(InvalidInput, match="several expirations") as refused:
        calendar_spread(days=5, far_days=40)(block([100.0] * 11))

    assert refused.value.field == "legs"


WHEEL = Wheel(put=ByMoneyness(0.95), call=ByMoneyness(1.05), days=7.0, fill="mid")


def test_a_wheel_by_hand():
    # Fridays are steps 4, 11, 18 and 25. The put of 95 is assigned at 90; the call of 95 takes the share at 100; the
    # next put of 95 expires worthless, and the one after that is closed at the end, at its price.
    prices = [100.0] * 4 + [90.0] * 7 + [100.0] * 15 + [98.0]
    of = fridays(prices, exercise="european")
    by_hand = (
        at_moment(of, 0, 0, "put", 95.0)
        + at_moment(of, 4, 0, "call", 95.0) * worth(4)
        - 95.0 * worth(4)
        + 95.0 * worth(11)
        + at_moment(of, 11, 0, "put", 95.0) * worth(11)
        + at_moment(of, 18, 0, "put", 95.0) * worth(18)
        + at_moment(of, 25, 0, "put", 95.0) * worth(25)
        - at_moment(of, 26, 0, "put", 95.0) * worth(26)
    )

    assert WHEEL(of)[0] == pytest.approx(by_hand, rel=1e-12)


def test_a_wheel_that_is_assigned_early_has_the_share_from_then_on():
    of = fridays([100.0, 100.0, 70.0, 70.0, 70.0, 72.0, 72.0])
    early = Wheel(put=ByMoneyness(1.0), call=ByMoneyness(1.0), days=4.0, fill="mid", assignment="optimal")
    calls = at_moment(of, 4, 0, "call", 70.0), at_moment(of, 6, 0, "call", 70.0)

    # Bought at 100 on Wednesday; the call is closed at the end, and the share is worth 72.
    by_hand = (
        at_moment(of, 0, 0, "put", 100.0)
        - 100.0 * worth(2)
        + calls[0] * worth(4)
        - calls[1] * worth(6)
        + 72.0 * worth(6)
    )
    assert early(of)[0] == pytest.approx(by_hand, rel=1e-12)


def test_a_wheel_and_a_covered_call_earn_nothing_on_average():
    drawn = sample_block(
        replace(
            fridays([100.0] * 30).parameters,
            method=GeometricBrownian(dt=1 / 365, drift=RATE, volatility=0.15),
        ),
        PhiloxDraws(5, paths=4000),
    )

    for each in (wheel(days=7.0, fill="mid"), covered_call(days=7.0, fill="mid", roll=True)):
        profits = each(drawn)
        assert abs(profits.mean()) < 4.0 * profits.std() / math.sqrt(profits.size) + 0.02
        assert profits.std() > 0.5


def test_nothing_is_delivered_by_what_settles_in_cash():
    with pytest.raises(InvalidInput) as refused:
        wheel()(fridays([100.0] * 5, settlement="cash"))

    assert refused.value.field == "settlement"


def test_shares_beside_a_hedge_are_named():
    with pytest.raises(InvalidInput) as refused:
        strategy(SOLD_PUT, shares=1.0, hedge=True)

    assert refused.value.field == "shares"


@pytest.mark.parametrize("terms", [{"assignment": "early"}, {"assignment": "optimal", "hedge": True}])
def test_what_cannot_be_assigned_is_named(terms):
    with pytest.raises(InvalidInput) as refused:
        strategy(SOLD_PUT, **terms)

    assert refused.value.field == "assignment"


def test_whoever_sold_a_bermudan_put_is_assigned_on_its_date_and_not_before():
    # So deep in the money that an American put is exercised at once; here on the 9th, the fourth step.
    prices = [100.0, 60.0, 60.0, 60.0, 60.0, 90.0, 90.0, 90.0, 90.0, 90.0, 90.0]
    on_date = block(prices, exercise="bermudan", exercise_dates=["2026-01-09"])
    at_once = block(prices)

    sold, by_any_time = premium(on_date, "put", 120.0), premium(at_once, "put", 120.0)
    assert earned(on_date, SOLD_PUT, assignment="optimal") == pytest.approx(sold - 60.0 * worth(4))
    assert earned(at_once, SOLD_PUT, assignment="optimal") == pytest.approx(by_any_time - 60.0 * worth(1))
    assert earned(on_date, SOLD_PUT) == pytest.approx(sold - 30.0 * worth(10))


def test_nothing_is_opened_after_the_last_trade():
    friday = WeeklyRule(
        rule_id="am", target_count=2, weekdays=("Fri",), settlement="AM", last_trade_sessions=1
    )
    schedule = Schedule(timezone="America/New_York", calendar="XNYS", rules=(friday,))
    early, late = (
        block([100.0] * 3, expirations=schedule, start_at=start, step_interval=timedelta(hours=1))
        for start in (datetime(2026, 1, 15, 20, tzinfo=UTC), datetime(2026, 1, 16, 12, tzinfo=UTC))
    )
    sold = (Leg("put", -1, ByMoneyness(1.0)),)

    opened = [open_trade(each, 0, sold, days=1.0, spreads=None) for each in (early, late)]

    # Traded until Thursday's close at 21:00; from then on the next one is the nearest.
    assert [f"{trade.expirations[0].expires_at:%m-%d}" for trade in opened] == ["01-16", "01-23"]


def in_coin(prices, **changes):
    return block(prices, settlement="coin", dividend_yield=0.1, risk_free_rate=0.0, tick_size=None, **changes)


def test_a_call_in_coin_is_assigned_for_the_coins_that_it_is_worth_then():
    # With a yield of 10 % and no interest a call of 100 is exercised at 200.
    of = in_coin([100.0] * 3 + [200.0] * 2 + [160.0] * 6)
    sold = Leg("call", -1, ByMoneyness(1.0))
    paid = premium(of, "call", 100.0)

    assert earned(of, sold) == pytest.approx(paid - 60.0 / 160.0, rel=1e-12)
    early = earned(of, sold, assignment="optimal")
    assert early == pytest.approx(paid - 100.0 / 200.0, rel=1e-12)
    in_dollars = earned(of, sold, assignment="optimal", unit="currency")
    assert in_dollars == pytest.approx(160.0 * early, rel=1e-12)


def margined(prices, **changes):
    given = {"underlying": "future", "premium": "margined", "exercise": "european"}
    return block(prices, **given | changes)


@pytest.mark.parametrize("exercise", ["european", "american"])
@pytest.mark.parametrize("assignment", ["none", "optimal"])
def test_margined_options_are_settled_from_day_to_day_by_hand(exercise, assignment):
    prices = [100.0, 104.0, 97.0, 90.0]
    of = margined(prices, exercise=exercise)
    put = [premium(of, "put", 120.0), *(value_at(of, step, 120.0) for step in (1, 2)), 30.0]

    # Each day pays what the put has lost since the day before; nothing was paid at the opening.
    by_hand = sum((put[step - 1] - put[step]) * worth(step) for step in (1, 2, 3))

    assert earned(of, SOLD_PUT, assignment=assignment) == pytest.approx(by_hand, rel=1e-12)


def value_at(of, step, strike):
    expiration = of.expirations(0)[0]
    values = of.contract_values(np.array([[strike]]), expiration, first=step, stop=step + 1)
    return float(values.put_mid[0, 0, 0])


def test_margined_options_at_the_models_price_earn_nothing_on_average():
    terms = margined([100.0] * 60, risk_free_rate=0.5).parameters
    drawn = sample_block(terms, PhiloxDraws(5, paths=4000))

    profits = strategy(Leg("put", 1, ByMoneyness(1.2)), days=59.0, fill="mid")(drawn)

    # Had the premium of 20 been paid for at the opening, its interest would be lost: 1.6.
    assert abs(profits.mean()) < 4.0 * profits.std() / math.sqrt(profits.size)
    assert 4.0 * profits.std() / math.sqrt(profits.size) < 0.8


def closing(prices, **changes):
    """Steps are at 15:00, and options expire at 21:00: what is settled is the next step's price."""
    weekly = WeeklyRule(rule_id="weekly", target_count=3, weekdays=("Thu",))
    schedule = Schedule(timezone="UTC", expiration_time=time(21), rules=(weekly,))
    return block(prices, expirations=schedule, exercise="european", **changes)


def test_a_dividend_after_the_expiration_is_not_off_what_it_settles_at():
    # Expired on Thursday evening, step 4 is Friday's, which is ex: the share that was called away had none of it.
    paid = {"dividends": [["2026-01-09", 5.0]]}
    of = closing([100.0, 100.0, 100.0, 100.0, 95.0, 95.0], **paid)
    sold = premium(of, "call", 80.0)

    held = earned(of, SOLD_CALL, days=3.0, shares=1.0)
    assert held == pytest.approx(sold - 100.0 + 80.0 * worth(4), rel=1e-12)
    # A put of 100 is worth nothing then.
    put = Leg("put", -1, ByMoneyness(1.0))
    assert earned(of, put, days=3.0) == pytest.approx(premium(of, "put", 100.0), rel=1e-12)


def test_a_wheel_settles_before_a_dividend_of_the_day_after():
    of = closing([100.0, 100.0, 100.0, 100.0, 95.0, 95.0], dividends=[["2026-01-09", 5.0]])
    even = Wheel(put=ByMoneyness(1.0), call=ByMoneyness(1.0), days=3.0, fill="mid")
    near, later = at_moment(of, 0, 0, "put", 100.0), at_moment(of, 4, 0, "put", 95.0)

    # Not assigned: the next put is sold on Friday, at the money of then, and bought back on Saturday.
    by_hand = near + later * worth(4) - at_moment(of, 5, 0, "put", 95.0) * worth(5)
    assert even(of)[0] == pytest.approx(by_hand, rel=1e-12)
