"""Bermudan options against QuantLib's finite differences, and against what lies below and above them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time

import numpy as np
import pytest

from optionchain import GeometricBrownian, SimulationParameters, SingleExpiration, numerics, simulate
from optionchain.contracts.carried import exercise_steps
from optionchain.errors import InvalidInput
from optionchain.expirations import MonthlyRule, Schedule
from optionchain.pricing import american, bermudan, black_scholes
from optionchain.wire.parameters import parameters_from_wire, parameters_to_wire

NOW = datetime(2026, 1, 5, tzinfo=UTC)
DATES = (90, 180, 270)
STRIKES = np.array([80.0, 95.0, 100.0, 110.0, 130.0])


@pytest.fixture(scope="module", autouse=True)
def compiled():
    numerics.compile_kernels()


def parameters(**changes):
    given = {
        "symbol": "X",
        "steps": 400,
        "initial_price": 100.0,
        "volatility": 0.25,
        "risk_free_rate": 0.06,
        "method": GeometricBrownian(dt=1 / 365, drift=0.0, volatility=0.25),
        "chain_size": 3,
        "strike_interval": 10.0,
        "seed": 1,
        "start_at": NOW,
        "exercise": "bermudan",
        "exercise_dates": ["2026-04-05", "2026-07-04", "2026-10-02"],
        "expirations": SingleExpiration(days=365.0),
    }
    return SimulationParameters(**given | changes)


def of_quantlib(ql, side, strike, *, rate, dividend_yield, days=365, dates=DATES):
    today = ql.Date(5, 1, 2026)
    ql.Settings.instance().evaluationDate = today
    counter = ql.Actual365Fixed()

    def curve(level):
        return ql.YieldTermStructureHandle(ql.FlatForward(today, level, counter))

    volatility = ql.BlackVolTermStructureHandle(ql.BlackConstantVol(today, ql.NullCalendar(), 0.25, counter))
    spot = ql.QuoteHandle(ql.SimpleQuote(100.0))
    process = ql.BlackScholesMertonProcess(spot, curve(dividend_yield), curve(rate), volatility)
    payoff = ql.PlainVanillaPayoff(ql.Option.Call if side == "call" else ql.Option.Put, strike)
    option = ql.VanillaOption(payoff, ql.BermudanExercise([*(today + day for day in dates), today + days]))
    option.setPricingEngine(ql.FdBlackScholesVanillaEngine(process, 1000, 1000))
    return option


@pytest.mark.parametrize(
    ("side", "rate", "dividend_yield"), [("put", 0.06, 0.0), ("put", 0.04, 0.02), ("call", 0.02, 0.07)]
)
def test_prices_and_greeks_are_those_of_quantlib(side, rate, dividend_yield):
    ql = pytest.importorskip("QuantLib")
    found = bermudan(
        spot=100.0,
        strike=STRIKES,
        expiry_years=1.0,
        volatility=0.25,
        rate=rate,
        dividend_yield=dividend_yield,
        exercise_years=[day / 365 for day in DATES],
    )

    for at, strike in enumerate(STRIKES.tolist()):
        option = of_quantlib(ql, side, strike, rate=rate, dividend_yield=dividend_yield)
        assert getattr(found, f"{side}_price")[at] == pytest.approx(option.NPV(), abs=3e-3)
        assert getattr(found, f"{side}_delta")[at] == pytest.approx(option.delta(), abs=2e-4)
        assert getattr(found, f"{side}_gamma")[at] == pytest.approx(option.gamma(), abs=5e-5)
        assert getattr(found, f"{side}_theta")[at] == pytest.approx(option.theta() / 365, abs=5e-4)


def test_theta_vega_and_rho_are_the_slopes_of_the_price():
    terms = {"spot": 100.0, "strike": STRIKES, "expiry_years": 1.0, "dividend_yield": 0.02}

    def put(volatility=0.25, rate=0.06):
        dates = [day / 365 for day in DATES]
        return bermudan(**terms, volatility=volatility, rate=rate, exercise_years=dates)

    by_volatility = (put(volatility=0.26).put_price - put(volatility=0.24).put_price) / 2
    by_rate = (put(rate=0.065).put_price - put(rate=0.055).put_price) / 1
    assert put().put_vega == pytest.approx(by_volatility, abs=2e-3)
    # The price from which one exercises moves from node to node of the grid.
    assert put().put_rho == pytest.approx(by_rate, abs=6e-3)


def test_without_a_date_before_expiration_it_is_the_european_one_to_the_bit():
    terms = {"spot": 100.0, "strike": STRIKES, "expiry_years": 0.5, "volatility": 0.25, "rate": 0.06}

    found, european = bermudan(**terms, exercise_years=[0.5, 0.7]), black_scholes(**terms)

    assert found.put_price.tolist() == european.put_price.tolist()
    assert found.call_delta.tolist() == european.call_delta.tolist()


def test_more_dates_are_worth_more_up_to_the_american_price():
    terms = {"spot": 100.0, "strike": STRIKES, "expiry_years": 1.0, "volatility": 0.25, "rate": 0.06}
    worth = [
        bermudan(**terms, exercise_years=np.arange(1, count) / count).put_price for count in (1, 2, 4, 12, 52)
    ]
    highest = american(**terms).put_price

    assert np.all(np.diff([*worth, highest + 3e-3], axis=0) >= 0.0)
    # Fifty-two dates miss next to nothing, but for a week's interest where one would exercise now.
    assert worth[-1] == pytest.approx(highest, abs=STRIKES.max() * 0.06 / 52)


def test_on_a_date_the_holder_gets_what_exercise_brings_and_before_it_may_have_less():
    terms = {"spot": 100.0, "strike": [130.0], "expiry_years": 1.0, "volatility": 0.1, "rate": 0.06}

    now, later = bermudan(**terms, exercise_years=[0.0]), bermudan(**terms, exercise_years=[0.25])

    assert (now.put_price.tolist(), now.put_delta.tolist(), now.put_gamma.tolist()) == ([30.0], [-1.0], [0.0])
    assert later.put_price == pytest.approx([130.0 * np.exp(-0.06 * 0.25) - 100.0], abs=2e-3)


def test_a_chain_has_the_prices_of_the_dates_that_are_still_to_come():
    simulation = simulate(parameters(skew_slope=0.0, smile_curve=0.0))
    for step, left in ((0, DATES), (100, DATES[1:]), (300, ())):
        chain = simulation.chain(step)
        alone = bermudan(
            spot=chain.underlying_price,
            strike=chain.strikes,
            expiry_years=(365 - step) / 365,
            volatility=0.25,
            rate=0.06,
            exercise_years=[(day - step) / 365 for day in left],
        )
        assert chain.put_mid == pytest.approx(alone.put_price, abs=1e-9)
        for greek in ("put_delta", "put_gamma", "put_vega"):
            assert getattr(chain, greek) == pytest.approx(getattr(alone, greek), abs=1e-9)
        assert chain.put_theta() == pytest.approx(alone.put_theta, abs=1e-9)
        assert chain.arbitrage() == ()


def test_a_date_is_the_close_of_its_session_where_contracts_expire_then():
    schedule = Schedule(
        timezone="America/New_York",
        expiration_time=time(16),
        rules=(MonthlyRule(rule_id="m", target_count=2, weekday="Fri"),),
    )
    found = parameters(expirations=schedule, exercise_dates=["2026-01-20"], steps=30)

    [at] = found.carry.exercises
    assert datetime.fromtimestamp(at / 1e6, UTC) == datetime(2026, 1, 20, 21, tzinfo=UTC)
    assert exercise_steps(found) == [16]  # the first that is not before the close of the 20th


def test_parameters_come_back_from_json_and_are_silent_where_they_are_not_given():
    given = parameters()

    wire = parameters_to_wire(given)

    assert (wire["exercise"], wire["exercise_dates"][0]) == ("bermudan", "2026-04-05")
    assert parameters_from_wire(wire) == given
    assert "exercise_dates" not in parameters_to_wire(
        replace(given, exercise="american", exercise_dates=None)
    )


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"exercise_dates": None}, "exercise_dates"),
        ({"exercise": "american"}, "exercise_dates"),
        ({"exercise_dates": []}, "exercise_dates"),
        ({"exercise_dates": ["2026-02-30"]}, "exercise_dates[0]"),
        ({"exercise_dates": ["2026-03-01", "2026-03-01"]}, "exercise_dates[1]"),
        ({"exercise_dates": ["2025-12-31"]}, "exercise_dates[0]"),
        ({"exercise_dates": ["2026-12-31", "9999-12-31"]}, "exercise_dates[1]"),
    ],
)
def test_dates_that_say_nothing_are_refused_by_name(changes, field):
    with pytest.raises(InvalidInput) as refused:
        parameters(**changes)

    assert refused.value.field == field


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"exercise_years": 0.5}, "exercise_years"),
        ({"exercise_years": [[0.5]]}, "exercise_years"),
        ({"exercise_years": [[0.1], [0.2, 0.3]]}, "exercise_years"),
        ({"exercise_years": ["May"]}, "exercise_years"),
        ({"exercise_years": [0.5, -0.1]}, "exercise_years"),
        ({"exercise_years": [np.nan]}, "exercise_years"),
        ({"volatility": [0.2, 0.0]}, "volatility"),
    ],
)
def test_what_is_no_list_of_dates_or_never_moves_is_refused_by_name(changes, field):
    terms = {"spot": 100.0, "strike": 110.0, "expiry_years": 1.0, "volatility": 0.2, "exercise_years": [0.5]}

    with pytest.raises(InvalidInput) as refused:
        bermudan(**terms | changes)

    assert refused.value.field == field


def test_dates_may_come_in_any_order_and_from_expiration_on_are_of_no_account():
    terms = {"spot": 100.0, "strike": 110.0, "expiry_years": 1.0, "volatility": 0.2, "rate": 0.06}

    ordered, mixed = (
        bermudan(**terms, exercise_years=dates) for dates in ([0.25, 0.5], [0.5, 2.0, 0.25, np.inf])
    )

    assert ordered.put_price == mixed.put_price


def test_rates_that_are_not_given_are_zero():
    terms = {"spot": 100.0, "strike": 110.0, "expiry_years": 1.0, "volatility": 0.2, "exercise_years": [0.5]}

    assert bermudan(**terms).put_price == bermudan(**terms, rate=0.0, dividend_yield=0.0).put_price
