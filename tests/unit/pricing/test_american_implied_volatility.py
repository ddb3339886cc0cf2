"""The volatility that an American price implies: the round trip, its ends, NaN where there is none, and QuantLib's."""

from __future__ import annotations

import math
import sys
from typing import Any

import numpy as np
import pytest

from optionchain.errors import InvalidInput
from optionchain.pricing import american, american_implied_volatility, black_scholes
from tests.unit.pricing.american_references import quantlib, random_terms

SIDES = ("call", "put")
# Deep in and far out of the money, each at volatilities from still to wild: of one expiry, so that they share panels.
GRID = {
    "strike": np.repeat([70.0, 95.0, 100.0, 104.0, 150.0], 4),
    "volatility": np.tile([0.08, 0.24, 1.3, 2.9], 5),
}
MARKET = {"spot": 100.0, "expiry_years": 0.7, "rate": 0.06, "dividend_yield": 0.03}


def implied(price: Any, side: Any, **terms: Any) -> Any:
    return american_implied_volatility(price, option_type=side, **{**MARKET, **terms})


def priced(side: str, **terms: Any) -> Any:
    return getattr(american(**{**MARKET, **terms}), f"{side}_price")


@pytest.mark.parametrize("side", SIDES)
def test_the_price_of_a_volatility_implies_it(side: str) -> None:
    terms = random_terms(40, seed=4)
    volatility = terms.pop("volatility")
    value = american(volatility=volatility, **terms)
    price, vega = getattr(value, f"{side}_price"), getattr(value, f"{side}_vega")

    found = american_implied_volatility(price, option_type=side, **terms)

    # Where a hundredth of a point moves the price by less than its digits, nothing is implied.
    is_told = vega > 1e-6 * price
    assert is_told.mean() > 0.5
    np.testing.assert_allclose(found[is_told], volatility[is_told], rtol=1e-7)


@pytest.mark.parametrize("side", SIDES)
def test_a_few_steps_are_enough_from_still_to_wild(side: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules[american_implied_volatility.__module__], "_MOST_STEPS", 7)
    value = american(**MARKET, **GRID)
    price, vega = getattr(value, f"{side}_price"), getattr(value, f"{side}_vega")

    found = implied(price, side, strike=GRID["strike"])

    is_told = vega > 1e-6 * price
    assert is_told.sum() >= 15
    np.testing.assert_allclose(found[is_told], GRID["volatility"][is_told], rtol=1e-8)


@pytest.mark.parametrize("volatility", [0.25, 0.75, 3.0])
def test_where_panels_meet_there_is_a_volatility_too(volatility: float) -> None:
    # At 3 the price jumps by 3e-7 here, which is more than a step that is small enough to end with.
    found = implied(priced("call", strike=100.0, volatility=volatility), "call", strike=100.0)

    assert found == pytest.approx(volatility, rel=1e-8)


def test_prices_between_the_digits_imply_what_quantlib_prices_back() -> None:
    price_of = quantlib()
    quotes = {"call": {95.0: 9.35, 104.0: 4.8, 150.0: 0.02}, "put": {70.0: 0.05, 104.0: 9.25, 130.0: 30.4}}

    for side, prices in quotes.items():
        terms = {**MARKET, "expiry_years": 255 / 365, "strike": np.array(list(prices))}
        found = american_implied_volatility(list(prices.values()), option_type=side, **terms)

        for volatility, (strike, price) in zip(found.tolist(), prices.items(), strict=True):
            again = price_of(side == "call", {**terms, "strike": strike, "volatility": volatility})
            assert again == pytest.approx(price, rel=1e-6)


def test_a_price_that_no_volatility_gives_has_none() -> None:
    found = implied([40.0, 39.0, 141.0, math.nan], "put", strike=140.0, expiry_years=1.0)

    assert np.isnan(found).all()


@pytest.mark.parametrize("side", SIDES)
def test_what_is_above_the_intrinsic_value_by_rounding_implies_nothing_and_by_more_something(
    side: str,
) -> None:
    terms = {"strike": 140.0 if side == "put" else 60.0, "expiry_years": 1.0, "dividend_yield": 0.06}

    rounded, above = implied([40.0 + 5e-12, 40.0 + 1e-9], side, **terms)

    assert np.isnan(rounded)
    assert priced(side, volatility=above, **terms) == pytest.approx(40.0 + 1e-9, abs=1e-12)


def test_the_highest_volatility_is_implied_and_a_higher_one_is_not() -> None:
    highest = priced("put", strike=100.0, volatility=10.0)

    found = implied([highest, highest * (1.0 + 1e-9)], "put", strike=100.0)

    assert found[0] == pytest.approx(10.0, rel=1e-9)
    assert np.isnan(found[1])
    dearer = black_scholes(spot=100.0, strike=100.0, expiry_years=0.01, volatility=11.0).call_price
    assert np.isnan(implied(dearer, "call", strike=100.0, expiry_years=0.01, rate=0.0, dividend_yield=0.0))


def test_the_lowest_volatility_ends_what_is_implied() -> None:
    flat = {"strike": 100.0, "rate": 0.0, "dividend_yield": 0.0}
    lowest, lower, higher = (
        float(black_scholes(spot=100.0, strike=100.0, expiry_years=0.7, volatility=each).put_price)
        for each in (1e-4, 0.7e-4, 1.6e-4)
    )

    found = implied([lowest, lower, higher], "put", **flat)

    assert np.isnan(found[:2]).all()
    assert found[2] == pytest.approx(1.6e-4, rel=1e-9)


def test_at_expiry_no_price_implies_a_volatility() -> None:
    # The last but one is dearer than exercise by more than rounding, and by less than what a price may err by.
    found = implied([0.0, 40.0, 40.0 * (1.0 + 6e-13), 55.0], "put", strike=140.0, expiry_years=0.0)

    assert np.isnan(found).all()


def test_calls_and_puts_and_shapes_mix() -> None:
    prices, strikes, sides = np.array([[6.0], [9.0]]), [95.0, 100.0, 105.0], ["put", "call", "put"]

    found = implied(prices, sides, strike=strikes)

    assert found.shape == (2, 3)
    for (row, column), volatility in np.ndenumerate(found):
        alone = implied(prices[row, 0], sides[column], strike=strikes[column])
        assert float(alone) == pytest.approx(volatility, rel=1e-12)


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("price", {"price": "six"}),
        ("spot", {"spot": 0.0}),
        ("strike", {"strike": -1.0}),
        ("expiry_years", {"expiry_years": math.nan}),
        ("option_type", {"option_type": "Put"}),
        ("dividend_yield", {"rate": -0.01, "dividend_yield": -0.02}),
    ],
)
def test_a_bad_input_is_named(field: str, changes: dict[str, Any]) -> None:
    terms = {"price": 6.0, "strike": 100.0, "option_type": "put", **MARKET, **changes}

    with pytest.raises(InvalidInput) as refused:
        american_implied_volatility(**terms)

    assert refused.value.field == field
