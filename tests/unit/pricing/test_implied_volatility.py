"""The volatility that a price implies: the round trip, and NaN where there is none."""

import math
import sys

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optionchain import numerics
from optionchain.errors import InvalidInput
from optionchain.pricing import black_scholes, implied_volatility

EPS = np.finfo(float).eps


def random_terms(contracts, seed):
    rng = np.random.default_rng(seed)
    spot = np.exp(rng.uniform(-3.0, 9.0, contracts))
    volatility = np.exp(rng.uniform(math.log(1e-3), math.log(5.0), contracts))
    return volatility, {
        "spot": spot,
        "strike": spot * np.exp(rng.normal(0.0, 0.5, contracts)),
        "expiry_years": np.exp(rng.uniform(math.log(1e-4), math.log(30.0), contracts)),
        "rate": rng.uniform(-0.05, 0.15, contracts),
        "dividend_yield": rng.uniform(0.0, 0.1, contracts),
    }


def side(is_call):
    return "call" if is_call else "put"


def time_value(price, terms, is_call):
    # The last digit of these decides whether a price deep in the money is above its intrinsic value.
    carry = terms["spot"] * numerics.exp(-terms["dividend_yield"] * terms["expiry_years"])
    bond = terms["strike"] * numerics.exp(-terms["rate"] * terms["expiry_years"])
    return price - np.maximum(carry - bond if is_call else bond - carry, 0.0), np.minimum(carry, bond)


@pytest.mark.parametrize("is_call", [True, False])
def test_the_price_of_a_volatility_implies_it(is_call):
    volatility, terms = random_terms(40_000, seed=11)
    value = black_scholes(volatility=volatility, **terms)
    price = value.call_price if is_call else value.put_price

    implied = implied_volatility(price, option_type=side(is_call), **terms)

    excess, most = time_value(price, terms, is_call)
    # Below 1e-300 a price runs out of digits.
    carries = (excess > 1e-300) & (excess < most)
    assert carries.mean() > 0.4
    np.testing.assert_array_equal(np.isnan(implied[carries]), False)
    vega = 100.0 * value.vega[carries]
    tolerance = np.maximum(1e-10, 16 * EPS * price[carries] / np.maximum(vega, 1e-300))
    assert np.all(np.abs(implied - volatility)[carries] <= tolerance)


def test_a_few_steps_from_the_guess_are_enough(monkeypatch):
    volatility, terms = random_terms(40_000, seed=13)
    price = black_scholes(volatility=volatility, **terms).call_price
    found = np.isfinite(implied_volatility(price, option_type="call", **terms))

    monkeypatch.setattr(sys.modules[implied_volatility.__module__], "_MOST_STEPS", 4)

    # Measured: one price in four hundred takes a fifth or sixth step.
    assert np.isfinite(implied_volatility(price, option_type="call", **terms))[found].mean() > 0.995


def test_the_implied_volatility_gives_the_price():
    volatility, terms = random_terms(20_000, seed=12)
    price = black_scholes(volatility=volatility, **terms).call_price

    implied = implied_volatility(price, option_type="call", **terms)

    found = np.isfinite(implied)
    again = black_scholes(
        volatility=implied[found], **{field: values[found] for field, values in terms.items()}
    ).call_price
    # The rounding of the price, and that of the deviation times what the price gains by it.
    larger = np.maximum(terms["spot"], terms["strike"])[found]
    assert np.all(np.abs(again - price[found]) <= 1e-13 * larger)


@pytest.mark.parametrize("is_call", [True, False])
@pytest.mark.parametrize("strike", [60.0, 100.0, 100.0 * math.exp(0.03), 160.0])
def test_a_price_outside_what_any_volatility_gives_has_none(is_call, strike):
    carry, bond = 100.0 * math.exp(-0.02), strike * math.exp(-0.05)
    lowest = max(carry - bond if is_call else bond - carry, 0.0)
    highest = carry if is_call else bond
    prices = [-1.0, lowest - 1e-9, lowest, highest, highest * (1 + 1e-12), 1e9, math.inf, -math.inf, math.nan]

    implied = implied_volatility(
        prices,
        spot=100.0,
        strike=strike,
        expiry_years=1.0,
        rate=0.05,
        dividend_yield=0.02,
        option_type=side(is_call),
    )

    assert np.isnan(implied).all()


def test_just_inside_the_bounds_there_is_a_volatility():
    implied = implied_volatility(
        [1e-200, 1e-12, 100.0 - 1e-9], spot=100.0, strike=140.0, expiry_years=1.0, option_type="call"
    )

    assert np.all((implied > 0.0) & (implied < 20.0))
    assert np.all(np.diff(implied) > 0.0)


def test_a_price_that_nothing_gives_takes_no_steps(monkeypatch):
    sizes = []
    module = sys.modules[implied_volatility.__module__]
    right = module._improved
    monkeypatch.setattr(module, "_INVERT", module._INVERT.plain)
    monkeypatch.setattr(module, "_improved", lambda *of: sizes.append(of[0].size) or right(*of))

    implied_volatility(
        [math.nan, -1.0, 200.0, 4.0], spot=100.0, strike=140.0, expiry_years=1.0, option_type="call"
    )

    assert max(sizes) == 1


@pytest.mark.parametrize("strike", [100.0, 100.0 * (1 + 5e-13), 100.0 * (1 - 5e-13)])
def test_at_the_money_the_price_carries_every_digit(strike):
    volatility = np.array([1e-6, 0.01, 0.2, 1.0, 4.0])
    price = black_scholes(spot=100.0, strike=strike, expiry_years=1.0, volatility=volatility).call_price

    implied = implied_volatility(price, spot=100.0, strike=strike, expiry_years=1.0, option_type="call")

    # Its own rounding, and that of the price: a few 1e-14, where the price is 40 times the volatility.
    np.testing.assert_allclose(implied, volatility, rtol=1e-13, atol=5e-15)


def test_at_expiry_no_price_implies_a_volatility():
    implied = implied_volatility(
        [0.0, 10.0, 20.0], spot=100.0, strike=90.0, expiry_years=0.0, option_type="call"
    )

    assert np.isnan(implied).all()


def test_calls_and_puts_and_shapes_mix():
    prices = np.array([[4.0], [6.0]])

    implied = implied_volatility(
        prices, spot=100.0, strike=[95.0, 100.0, 105.0], expiry_years=0.5, option_type=["put", "call", "call"]
    )

    assert implied.shape == (2, 3)
    for row, price in enumerate((4.0, 6.0)):
        for column, (strike, is_call) in enumerate(((95.0, False), (100.0, True), (105.0, True))):
            alone = implied_volatility(
                price, spot=100.0, strike=strike, expiry_years=0.5, option_type=side(is_call)
            )
            assert float(alone) == pytest.approx(implied[row, column], rel=1e-13)


@pytest.mark.parametrize(
    ("field", "value"), [("price", "4"), ("spot", 0.0), ("expiry_years", math.nan), ("option_type", 1)]
)
def test_a_bad_input_is_named(field, value):
    terms = {
        "price": 4.0,
        "spot": 100.0,
        "strike": 100.0,
        "expiry_years": 1.0,
        "option_type": "call",
        field: value,
    }

    with pytest.raises(InvalidInput) as refused:
        implied_volatility(terms.pop("price"), **terms)

    assert refused.value.field == field


@settings(max_examples=300, deadline=None)
@given(
    price=st.floats(allow_nan=True, allow_infinity=True),
    spot=st.floats(1e-100, 1e100),
    strike=st.floats(1e-100, 1e100),
    expiry_years=st.floats(0.0, 50.0),
    is_call=st.booleans(),
)
def test_any_price_has_a_positive_volatility_or_none(price, spot, strike, expiry_years, is_call):
    implied = implied_volatility(
        price, spot=spot, strike=strike, expiry_years=expiry_years, option_type=side(is_call)
    )

    assert np.isnan(implied) or 0.0 < implied < math.inf


@settings(max_examples=300, deadline=None)
@given(
    share=st.floats(1e-12, 1.0 - 1e-12),
    log_moneyness=st.floats(-200.0, 200.0),
    is_call=st.booleans(),
)
def test_every_time_value_within_the_bounds_has_a_volatility(share, log_moneyness, is_call):
    strike = 100.0 * math.exp(log_moneyness)
    out_of_the_money = (strike >= 100.0) == is_call

    price = share * min(100.0, strike)

    if out_of_the_money:
        implied = implied_volatility(
            price, spot=100.0, strike=strike, expiry_years=1.0, option_type=side(is_call)
        )
        value = black_scholes(spot=100.0, strike=strike, expiry_years=1.0, volatility=implied)
        # The tails' rounding grows with the square of their argument, here up to 20; at the money a volatility
        # is good to about 1e-13, and vega is 40.
        again = value.call_price if is_call else value.put_price
        assert float(again) == pytest.approx(price, rel=1e-9, abs=1e-11)


@pytest.mark.parametrize(
    "changes",
    [
        {"spot": 1e64, "strike": 1e-16, "option_type": "put"},
        {"spot": 1e-16, "strike": 1e64, "option_type": "call"},
    ],
)
def test_a_price_in_tails_that_floats_do_not_hold_is_refused(changes):
    # The price at a volatility of 5, by mpmath with 60 digits; a tail of 1e-339 in it is zero as a float.
    price = 1.202771830063643e-275

    assert np.isnan(implied_volatility(price, expiry_years=1.0, **changes))


def test_a_column_of_option_types_says_which_is_which():
    value = black_scholes(spot=100.0, strike=[90.0, 90.0, 110.0], expiry_years=0.5, volatility=0.3, rate=0.02)
    types = pl.Series(["call", "put", "put"], dtype=pl.Categorical)

    contracts = value.of(types)
    implied = implied_volatility(
        contracts.price,
        spot=100.0,
        strike=[90.0, 90.0, 110.0],
        expiry_years=0.5,
        rate=0.02,
        option_type=types,
    )

    assert contracts.price.tolist() == [value.call_price[0], value.put_price[1], value.put_price[2]]
    assert contracts.delta.tolist() == [value.call_delta[0], value.put_delta[1], value.put_delta[2]]
    assert contracts.theta.tolist() == [value.call_theta[0], value.put_theta[1], value.put_theta[2]]
    assert contracts.rho.tolist() == [value.call_rho[0], value.put_rho[1], value.put_rho[2]]
    assert (contracts.gamma.tolist(), contracts.vega.tolist()) == (value.gamma.tolist(), value.vega.tolist())
    np.testing.assert_allclose(implied, 0.3, rtol=1e-12)


def test_what_contracts_are_broadcasts_against_their_terms():
    value = black_scholes(spot=100.0, strike=90.0, expiry_years=0.5, volatility=0.3)

    assert value.of(["call", "put"]).price.tolist() == [value.call_price, value.put_price]
    assert value.of("put").gamma.shape == ()
    with pytest.raises(InvalidInput, match="option_type: must be call or put"):
        value.of(["call", "Put"])


def test_the_earlier_spelling_still_works_and_says_what_to_write():
    terms = {"spot": 100.0, "strike": 100.0, "expiry_years": 1.0}

    with pytest.warns(DeprecationWarning, match="option_type='call'") as warned:
        earlier = implied_volatility([4.0, 5.0], is_call=[True, False], **terms)

    assert earlier.tolist() == implied_volatility([4.0, 5.0], option_type=["call", "put"], **terms).tolist()
    assert warned[0].filename == __file__
    with pytest.raises(InvalidInput, match="option_type"):
        implied_volatility(4.0, **terms)
    with pytest.warns(DeprecationWarning, match="is_call"), pytest.raises(InvalidInput, match="is_call"):
        implied_volatility(4.0, is_call=True, option_type="put", **terms)
