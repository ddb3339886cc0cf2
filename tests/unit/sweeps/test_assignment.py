"""Legs that are assigned and settled by their terms, against profits worked out by hand."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import numpy as np
import pytest

from optionchain import GeometricBrownian, SimulationParameters, SingleExpiration
from optionchain.errors import InvalidInput
from optionchain.measures import ByMoneyness, Leg, strategy
from optionchain.measures.path_block import PathBlock

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


def earned(of, leg, **terms):
    return float(strategy(leg, days=10.0, fill="mid", **terms)(of)[0])


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


@pytest.mark.parametrize("terms", [{"assignment": "early"}, {"assignment": "optimal", "hedge": True}])
def test_what_cannot_be_assigned_is_named(terms):
    with pytest.raises(InvalidInput) as refused:
        strategy(SOLD_PUT, **terms)

    assert refused.value.field == "assignment"
