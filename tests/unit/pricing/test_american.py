"""American options: an independent library, laws, limits, and the same bytes with and without the compiler."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optionchain import numerics
from optionchain.errors import InvalidInput
from optionchain.numerics import engine
from optionchain.pricing import (
    AmericanValuation,
    american,
    black_scholes,
    boundary_panels,
)
from tests.unit.pricing.american_references import one, quantlib, random_terms

TERMS = {"strike": 105.0, "expiry_years": 0.7, "volatility": 0.25, "rate": 0.06, "dividend_yield": 0.03}
LONG_WITH_DIVIDENDS = {**TERMS, "expiry_years": 3.0, "rate": 0.02, "dividend_yield": 0.08}
# Below it, in units of the strike, a price is not compared by its digits: QuantLib's own are at their end.
TINY = 1e-10


@pytest.fixture(scope="module", autouse=True)
def compiled() -> None:
    numerics.compile_kernels()


def check_prices(contracts: int) -> None:
    price, terms = quantlib(), random_terms(contracts)

    value = american(**terms)

    theirs = {
        side: np.array([price(side == "call", one(terms, index)) for index in range(contracts)])
        for side in ("call", "put")
    }
    for side, expected in theirs.items():
        ours = getattr(value, f"{side}_price")
        tolerance = np.maximum(1e-6 * expected, 1e-6 * TINY * terms["strike"])
        assert np.all(np.abs(ours - expected) <= tolerance), side


def test_random_contracts_agree_with_quantlib() -> None:
    check_prices(150)


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_ten_thousand_random_contracts_agree_with_quantlib() -> None:
    check_prices(10_000)


@pytest.mark.parametrize("side", ["call", "put"])
@pytest.mark.parametrize(
    ("rate", "dividend_yield", "volatility", "years"),
    [(0.08, 0.02, 0.2, 1.0), (0.1, 0.01, 0.1, 5.0), (0.01, 0.1, 0.1, 5.0), (0.04, 0.06, 0.5, 3.0)],
)
def test_each_kind_of_boundary_agrees_with_quantlib(
    side: str, rate: float, dividend_yield: float, volatility: float, years: float
) -> None:
    terms = {"spot": 100.0, "strike": 100.0, "expiry_years": years, "volatility": volatility}
    terms |= {"rate": rate, "dividend_yield": dividend_yield}

    ours = getattr(american(**terms), f"{side}_price")

    assert float(ours) == pytest.approx(quantlib()(side == "call", terms), rel=1e-6)


@pytest.mark.parametrize("side", ["call", "put"])
def test_the_greeks_agree_with_bumps_of_quantlib(side: str) -> None:
    price, terms = quantlib(), random_terms(60, seed=9)
    terms["volatility"] = np.maximum(
        terms["volatility"], 0.15
    )  # bumps need more digits where the boundary bends soon
    terms["rate"] = np.maximum(terms["rate"], 0.01)  # at zero the slopes on both sides differ

    value = american(**terms)

    def bumped(index: int, name: str, by: float) -> float:
        term = one(terms, index)
        return price(side == "call", term | {name: term[name] + by})

    def slope(index: int, name: str, by: float) -> float:
        return (bumped(index, name, by) - bumped(index, name, -by)) / (2.0 * by)

    compared = 0
    for index in range(60):
        spot, strike = terms["spot"][index], terms["strike"][index]
        here = bumped(index, "spot", 0.0)
        if here <= abs(spot - strike) * (1 + 1e-9):
            continue  # exercised, where a bump would cross the boundary
        width = spot * terms["volatility"][index] * math.sqrt(terms["expiry_years"][index])
        around = bumped(index, "spot", 0.02 * width) + bumped(index, "spot", -0.02 * width) - 2.0 * here
        expected = {
            "delta": (slope(index, "spot", 3e-4 * width), 1e-6),
            "gamma": (around / (0.02 * width) ** 2, 5e-3 / width),  # the bump may reach over the boundary
            "vega": (0.01 * slope(index, "volatility", 1e-4), 1e-7 * strike),
            "rho": (0.01 * slope(index, "rate", 1e-5), 2e-6 * strike),
        }
        for greek, (theirs, tolerance) in expected.items():
            ours = float(getattr(value, f"{side}_{greek}")[index])
            assert abs(ours - theirs) <= tolerance, (greek, one(terms, index), ours, theirs)
        compared += 1
    assert compared > 30


@pytest.mark.parametrize("of", [TERMS, LONG_WITH_DIVIDENDS])
@pytest.mark.parametrize("side", ["call", "put"])
@pytest.mark.parametrize(
    ("field", "argument", "greek", "unit"),
    [
        ("price", "spot", "delta", 1.0),
        ("delta", "spot", "gamma", 1.0),
        ("price", "volatility", "vega", 0.01),
        ("price", "expiry_years", "theta", -1.0 / 365.0),
        ("price", "rate", "rho", 0.01),
    ],
)
def test_each_greek_is_the_slope_of_what_it_describes(
    of: dict[str, float], side: str, field: str, argument: str, greek: str, unit: float
) -> None:
    terms = {"spot": 100.0, **of}
    step = 1e-3 * terms[argument]

    up, down = (american(**{**terms, argument: terms[argument] + by}) for by in (step, -step))
    slope = (getattr(up, f"{side}_{field}") - getattr(down, f"{side}_{field}")) / (2.0 * step)

    # The step's own error, 1e-6, and the price's of 1e-8 over the step.
    assert getattr(american(**terms), f"{side}_{greek}") == pytest.approx(slope * unit, rel=2e-5)


def test_the_right_to_exercise_early_has_the_published_worth() -> None:
    # Andersen, Lake, Offengenden, "High-performance American option pricing", 2016, table 1.
    terms = {"spot": 100.0, "strike": 100.0, "expiry_years": 1.0, "volatility": 0.25, "rate": 0.05}

    premium = (
        american(dividend_yield=0.05, **terms).put_price
        - black_scholes(dividend_yield=0.05, **terms).put_price
    )

    assert float(premium) == pytest.approx(0.106952702747, abs=5e-8)


def test_a_put_that_never_expires_has_mertons_price() -> None:
    # R. Merton, 1973, eq. 52: of an option of a hundred years little else is left.
    rate, volatility, strike = 0.08, 0.3, 100.0
    exponent = 2.0 * rate / volatility**2
    boundary = strike * exponent / (1.0 + exponent)
    spots = np.array([70.0, 90.0, 120.0])

    value = american(spot=spots, strike=strike, expiry_years=100.0, volatility=volatility, rate=rate)

    expected = (strike - boundary) * (spots / boundary) ** -exponent
    np.testing.assert_allclose(value.put_price, expected, rtol=1e-4)


@given(
    spot=st.floats(1e-3, 1e6),
    expiry_years=st.sampled_from([0.0, 1e-9, 1e-4, 0.01, 1.0, 16.0, 100.0]),
    volatility=st.floats(1e-4, 10.0),
    rate=st.sampled_from([-1.0, -0.05, -1e-16, 0.0, 1e-300, 1e-15, 1e-6, 0.01, 0.05, 1.0]),
    dividend_yield=st.sampled_from([0.0, 1e-12, 0.01, 0.05, 1.0]),
)
@settings(max_examples=150, deadline=None)
def test_any_terms_have_prices_that_no_exercise_beats(**terms: float) -> None:
    value, european = american(strike=100.0, **terms), black_scholes(strike=100.0, **terms)

    assert all(np.isfinite(getattr(value, name)) for name in AmericanValuation.__slots__)
    assert value.call_price >= max(european.call_price, terms["spot"] - 100.0)
    assert value.put_price >= max(european.put_price, 100.0 - terms["spot"])
    assert value.call_price <= terms["spot"] * (1 + 1e-14)
    assert value.put_price <= max(100.0, european.put_price)
    assert 0.0 <= value.call_delta <= 1.0
    assert -1.0 <= value.put_delta <= 0.0
    assert min(value.call_gamma, value.put_gamma, value.call_vega, value.put_vega) >= 0.0


@pytest.mark.parametrize(
    ("side", "rate", "dividend_yield"),
    [
        *(("put", 0.0, 0.0), ("put", 0.0, 0.04), ("put", -0.03, 0.02), ("put", -0.03, 0.0)),
        *(("call", 0.05, 0.0), ("call", 0.0, 0.0)),
    ],
)
def test_what_is_never_exercised_early_is_european_to_the_last_bit(
    side: str, rate: float, dividend_yield: float
) -> None:
    terms = random_terms(500) | {"rate": rate, "dividend_yield": dividend_yield}

    ours, european = american(**terms), black_scholes(**terms)

    for greek in ("price", "delta", "theta", "rho"):
        assert getattr(ours, f"{side}_{greek}").tobytes() == getattr(european, f"{side}_{greek}").tobytes(), (
            greek
        )
    for greek in ("gamma", "vega"):
        assert getattr(ours, f"{side}_{greek}").tobytes() == getattr(european, greek).tobytes(), greek


@pytest.mark.parametrize("side", ["call", "put"])
def test_prices_scale_with_spot_and_strike(side: str) -> None:
    # A unit of currency is nothing: what costs a few thousandths of one is priced as what costs thousands.
    terms = {"expiry_years": 0.7, "volatility": 0.4, "rate": 0.06, "dividend_yield": 0.05}
    spots, strikes = np.array([80.0, 100.0, 120.0]), np.array([100.0, 101.0, 99.0])

    large = american(spot=spots, strike=strikes, **terms)
    small = american(spot=spots / 4096.0, strike=strikes / 4096.0, **terms)

    for greek, power in (("price", 1), ("delta", 0), ("gamma", -1), ("vega", 1), ("theta", 1), ("rho", 1)):
        expected = getattr(large, f"{side}_{greek}") * 4096.0**-power
        np.testing.assert_allclose(getattr(small, f"{side}_{greek}"), expected, rtol=1e-9, err_msg=greek)


def test_a_put_without_interest_is_exercised_early_where_the_share_costs_its_holder() -> None:
    price = quantlib()
    terms = {
        "spot": np.array([70.0, 90.0, 110.0]),
        "strike": np.full(3, 100.0),
        "expiry_years": np.full(3, 2.0),
        "volatility": np.full(3, 0.2),
        "rate": np.zeros(3),
        "dividend_yield": np.full(3, -0.04),
    }

    ours, european = american(**terms).put_price, black_scholes(**terms).put_price

    assert np.all(ours > european + 0.05)
    theirs = [price(False, one(terms, index)) for index in range(3)]
    np.testing.assert_allclose(ours, theirs, rtol=1e-6)


@pytest.mark.parametrize(("cost", "years"), [(0.1, 8.0), (0.1, 20.0), (0.2, 3.0), (0.2, 8.0)])
def test_the_less_interest_a_put_on_a_share_that_costs_its_holder_bears_the_nearer_it_is_to_that_without(
    cost: float, years: float
) -> None:
    # The price moves with the interest, and by less than all of it that the strike could bear.
    interests = np.array([0.0, 1e-12, 1e-10, 1e-8, 1e-7, 1e-6, 1e-5])
    terms = {"spot": 50.0, "strike": 100.0, "expiry_years": years, "volatility": 0.6, "dividend_yield": -cost}

    value = american(**terms, rate=interests)

    moved = np.abs(value.put_price - value.put_price[0])
    assert np.all(moved <= 1e-8 + 100.0 * years * interests)
    assert np.all(np.abs(value.put_rho - value.put_rho[0]) <= 1e-4 + 1e3 * years**2 * interests)
    theirs = quantlib()(False, {**terms, "rate": 1e-6})
    assert float(value.put_price[5]) == pytest.approx(theirs, rel=1e-6)


def test_where_it_is_exercised_nothing_but_the_price_matters() -> None:
    value = american(spot=100.0, strike=140.0, expiry_years=1.0, volatility=0.2, rate=0.05)

    assert (value.put_price, value.put_delta) == (40.0, -1.0)
    assert not any((value.put_gamma, value.put_vega, value.put_theta, value.put_rho))

    value = american(spot=140.0, strike=100.0, expiry_years=1.0, volatility=0.2, dividend_yield=0.05)

    assert (value.call_price, value.call_delta) == (40.0, 1.0)
    assert not any((value.call_gamma, value.call_vega, value.call_theta, value.call_rho))


def test_the_lowest_and_the_highest_volatility_are_priced() -> None:
    terms: dict[str, Any] = {"spot": 100.0, **TERMS, "volatility": [1e-4, 10.0]}

    value = american(**terms)

    # Nothing moves, and the put is exercised; everything does, and it is worth nearly its strike.
    assert value.put_price.tolist() == [5.0, pytest.approx(105.0, rel=0.01)]


@pytest.mark.parametrize("dividend_yield", [0.0, 0.03, 0.09])
def test_prices_are_monotone_and_convex_in_the_strike(dividend_yield: float) -> None:
    strikes = np.linspace(40.0, 250.0, 2101)

    value = american(
        spot=100.0,
        strike=strikes,
        expiry_years=0.8,
        volatility=0.3,
        rate=0.05,
        dividend_yield=dividend_yield,
    )

    # A tenth of a step apart; what a price may err by, 1e-8 of the strike, is seen in the second difference.
    assert np.all(np.diff(value.put_price) >= 0.0)
    assert np.all(np.diff(value.call_price) <= 0.0)
    assert np.diff(value.put_price, 2).min() >= -1e-8
    assert np.diff(value.call_price, 2).min() >= -1e-8


def test_the_price_is_smooth_where_panels_meet() -> None:
    # At a volatility of 0.375 and at a quarter of a year, one panel ends and another begins.
    near = np.array([-1e-9, 1e-9])

    by_volatility, by_time = (
        american(spot=100.0, strike=102.0, rate=0.06, dividend_yield=0.02, **terms).put_price
        for terms in (
            {"expiry_years": 0.6, "volatility": 0.375 + near},
            {"expiry_years": 0.25 + near, "volatility": 0.3},
        )
    )

    assert abs(np.diff(by_volatility)) <= 2e-7
    assert abs(np.diff(by_time)) <= 2e-7


def test_a_call_is_the_put_with_spot_and_strike_and_both_rates_exchanged() -> None:
    terms = random_terms(300, seed=3)
    exchanged = terms | {
        "spot": terms["strike"],
        "strike": terms["spot"],
        "rate": terms["dividend_yield"],
        "dividend_yield": terms["rate"],
    }
    kept = ~((terms["rate"] < 0) & (terms["dividend_yield"] < 0))

    calls, puts = american(**terms).call_price, american(**exchanged).put_price

    np.testing.assert_allclose(calls[kept], puts[kept], rtol=1e-9, atol=1e-12 * terms["spot"].max())


def test_a_contract_has_the_same_value_in_any_company() -> None:
    terms = random_terms(40)

    together = american(**terms)

    for index in (0, 17, 39):
        alone = american(**one(terms, index))
        for name in AmericanValuation.__slots__:
            assert getattr(alone, name).tobytes() == getattr(together, name)[index].tobytes(), name


def test_machine_code_gives_the_bytes_of_numpy(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("numba")
    terms: dict[str, Any] = random_terms(25, seed=2)
    together = american(**terms)

    for kernel in engine._KERNELS:
        monkeypatch.setattr(kernel, "_compiled", None)
    boundary_panels._panel.cache_clear()
    plain = american(**terms)
    boundary_panels._panel.cache_clear()

    for name in AmericanValuation.__slots__:
        assert getattr(plain, name).tobytes() == getattr(together, name).tobytes(), name


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("volatility", {"volatility": 0.0}),
        ("volatility", {"volatility": 11.0}),
        ("dividend_yield", {"rate": -0.01, "dividend_yield": -0.02}),
        ("spot", {"spot": 0.0}),
    ],
)
def test_what_cannot_be_priced_is_named(field: str, changes: dict[str, float]) -> None:
    with pytest.raises(InvalidInput) as refused:
        american(**{"spot": 100.0, **TERMS, **changes})

    assert refused.value.field == field
