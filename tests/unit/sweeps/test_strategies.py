from dataclasses import replace

import numpy as np
import pytest

from optionchain.errors import InvalidInput
from optionchain.measures import (
    ByDelta,
    ByMoneyness,
    Leg,
    iron_condor,
    long_call,
    long_put,
    short_put,
    short_straddle,
    short_strangle,
    strategy,
)
from tests.unit.sweeps.sweep_examples import BASE, ROLLING, block

ALL = [short_strangle, short_straddle, iron_condor, short_put, long_put, long_call]
FEW = block(paths=300)
MANY = block(paths=20_000)


def assert_no_gain(profits):
    """The mean is within 4 standard errors of zero."""
    assert abs(profits.mean()) < 4 * profits.std() / np.sqrt(profits.size)


@pytest.mark.parametrize("named", ALL)
def test_what_is_traded_at_the_models_price_earns_nothing_on_average(named):
    assert_no_gain(named(fill="mid")(MANY))


def test_a_rolled_strategy_earns_nothing_on_average_either():
    # Steps at 21:00 UTC are the New York close, in winter.
    profits = short_strangle(days=7, roll=True, fill="mid")(block(replace(ROLLING, steps=60), 4000))

    assert_no_gain(profits)
    assert profits.std() > 1.0


def test_hedging_takes_most_of_the_risk_and_no_expected_gain():
    bare, hedged = (short_straddle(hedge=hedge, fill="mid")(MANY) for hedge in (False, True))

    assert_no_gain(hedged)
    # A straddle hedged n times keeps sqrt(pi / 4) vega sigma / sqrt(n): about a fifth of its own deviation.
    assert hedged.std() < 0.25 * bare.std()


def test_a_hedge_makes_the_drift_irrelevant():
    driven = replace(BASE, method=replace(BASE.method, drift=0.5))

    hedged = long_call(hedge=True, fill="mid")(block(driven, 20_000))

    assert abs(hedged.mean()) < 0.05  # daily rebalancing leaves a bias of second order; unhedged it is 1.4
    assert long_call(fill="mid")(block(driven, 20_000)).mean() > 0.5


def test_a_position_held_to_expiry_earns_its_premium_less_the_payoff():
    chains, spots = FEW.chains(0), FEW.prices[:, -1]
    index = int(np.argmin(np.abs(np.abs(chains.put_delta[0, 0]) - 0.3)))
    strike, bid = chains.strikes[0, 0, index], chains.put_quotes()[0][0, 0, index]

    earned = short_put(delta=0.3)(FEW)

    payoff = np.maximum(strike - spots, 0.0) * np.exp(-0.03 * 30 / 365)
    np.testing.assert_allclose(earned, bid - payoff, atol=1e-12)


def test_trading_at_the_quotes_costs_the_spread():
    wide = replace(BASE, spread=0.20)

    at_mid, at_quotes = (short_strangle(fill=fill)(block(wide, 50)) for fill in ("mid", "quotes"))

    # Half the spread a leg, to the cent.
    np.testing.assert_allclose(at_mid - at_quotes, 0.20, atol=0.01)


def test_a_position_that_is_open_at_the_end_is_closed_at_its_price():
    short = replace(BASE, steps=11)
    paths = block(short, 20)
    chains = paths.chains(0)
    strike = chains.strikes[:, 0, [20]]

    earned = strategy(Leg("call", 1, ByMoneyness(1.0)), fill="mid")(paths)

    marks = paths.contract_values(strike, paths.expirations(10)[0], first=10, stop=11).call_mid[:, 0, 0]
    discount = np.exp(-0.03 * 10 / 365)
    np.testing.assert_allclose(earned, marks * discount - chains.call_mid[:, 0, 20], atol=1e-12)


def test_a_leg_takes_the_strike_whose_delta_is_nearest():
    chains = FEW.chains(5)

    chosen = Leg("put", -1, ByDelta(0.16)).choose(chains, 0, FEW.prices[:, 5])

    distance = np.abs(np.abs(chains.put_delta[:, 0]) - 0.16)
    assert np.array_equal(distance[np.arange(FEW.paths), chosen], np.nanmin(distance, axis=1))


def test_the_expiration_nearest_to_the_days_is_traded():
    paths = block(replace(ROLLING, steps=40), 3)
    near, far = (strategy(Leg("put", 1, ByMoneyness(1.0)), days=days, fill="mid") for days in (4, 18))

    assert not np.array_equal(near(paths), far(paths))


@pytest.mark.parametrize(
    ("make", "field"),
    [
        (lambda: Leg("both", 1, ByDelta(0.1)), "side"),
        (lambda: Leg("put", 0, ByDelta(0.1)), "quantity"),
        (lambda: Leg("put", 1, 0.1), "pick"),
        (lambda: ByDelta(1.5), "delta"),
        (lambda: ByMoneyness(0.0), "moneyness"),
        (strategy, "legs"),
        (lambda: short_strangle(days=-1), "days"),
        (lambda: short_strangle(fill="last"), "fill"),
    ],
)
def test_terms_that_make_no_sense_are_refused(make, field):
    with pytest.raises(InvalidInput) as caught:
        make()

    assert caught.value.field == field
