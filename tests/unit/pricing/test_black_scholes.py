"""Prices and greeks: laws, limits, and an independent library."""

import math

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optionchain.errors import InvalidInput
from optionchain.pricing import Valuation, black_scholes
from optionchain.pricing.kernel import BLOCK, VALUED, price

TERMS = {"strike": 105.0, "expiry_years": 0.7, "volatility": 0.25, "rate": 0.04, "dividend_yield": 0.02}


def random_terms(contracts, seed=5):
    rng = np.random.default_rng(seed)
    spot = np.exp(rng.uniform(0.0, 8.5, contracts))
    return {
        "spot": spot,
        "strike": spot * np.exp(rng.normal(0.0, 0.6, contracts)),
        "expiry_years": np.exp(rng.uniform(math.log(1 / 365), math.log(10.0), contracts)),
        "volatility": rng.uniform(0.01, 2.0, contracts),
        "rate": rng.uniform(-0.05, 0.15, contracts),
        "dividend_yield": rng.uniform(0.0, 0.1, contracts),
    }


def quantlib_values(terms):
    """Every field of a Valuation by QuantLib's analytic formula."""
    ql = pytest.importorskip("QuantLib")
    rows = []
    for spot, strike, years, volatility, rate, dividend_yield in zip(*terms.values(), strict=True):
        forward, discount = spot * math.exp((rate - dividend_yield) * years), math.exp(-rate * years)
        deviation = volatility * math.sqrt(years)
        call, put = (
            ql.BlackCalculator(ql.PlainVanillaPayoff(side, strike), forward, deviation, discount)
            for side in (ql.Option.Call, ql.Option.Put)
        )
        rows.append(
            (
                *(call.value(), put.value(), call.delta(spot), put.delta(spot)),
                *(call.gamma(spot), call.vega(years) / 100),
                *(call.theta(spot, years) / 365, put.theta(spot, years) / 365),
                *(call.rho(years) / 100, put.rho(years) / 100),
            )
        )
    return dict(zip(Valuation.__slots__, np.array(rows).T, strict=True))


def test_ten_thousand_random_contracts_agree_with_quantlib():
    terms = random_terms(10_000)

    ours, theirs = black_scholes(**terms), quantlib_values(terms)

    for field, expected in theirs.items():
        # Relative to the value, and to the spot where both libraries' rounding is larger than the value.
        tolerance = np.maximum(1e-10 * np.abs(expected), 1e-12 * terms["spot"])
        assert np.all(np.abs(getattr(ours, field) - expected) <= tolerance), field


def test_call_minus_put_is_the_discounted_forward_minus_strike():
    terms = random_terms(2_000, seed=6)
    carry = np.exp(-terms["dividend_yield"] * terms["expiry_years"])
    bond = terms["strike"] * np.exp(-terms["rate"] * terms["expiry_years"])

    value = black_scholes(**terms)

    # A few roundings of the larger price.
    larger = np.maximum(terms["spot"] * carry, bond)
    difference = value.call_price - value.put_price - (terms["spot"] * carry - bond)
    assert np.all(np.abs(difference) <= 8 * np.finfo(float).eps * larger)
    np.testing.assert_allclose(value.call_delta - value.put_delta, carry, rtol=1e-14)


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
@pytest.mark.parametrize("side", ["call", "put"])
def test_each_greek_is_the_slope_of_what_it_describes(side, field, argument, greek, unit):
    terms = {"spot": 100.0, **TERMS}
    step = 1e-4 * terms[argument]

    up, down = (black_scholes(**{**terms, argument: terms[argument] + by}) for by in (step, -step))
    slope = (getattr(up, f"{side}_{field}") - getattr(down, f"{side}_{field}")) / (2.0 * step)

    value = black_scholes(**terms)
    stated = getattr(value, greek if greek in {"gamma", "vega"} else f"{side}_{greek}")
    # A central difference is off by the square of the step, about 1e-8 here.
    assert stated == pytest.approx(slope * unit, rel=1e-6)


@pytest.mark.parametrize("years_and_volatility", [(0.0, 0.3), (0.5, 0.0)])
def test_without_deviation_an_option_is_worth_the_discounted_intrinsic_value(years_and_volatility):
    years, volatility = years_and_volatility
    strikes = np.array([80.0, 120.0])

    value = black_scholes(
        spot=100.0, strike=strikes, expiry_years=years, volatility=volatility, rate=0.05, dividend_yield=0.02
    )

    carry, bond = math.exp(-0.02 * years), strikes * math.exp(-0.05 * years)
    np.testing.assert_allclose(value.call_price, np.maximum(100.0 * carry - bond, 0.0), rtol=1e-15)
    np.testing.assert_allclose(value.put_price, np.maximum(bond - 100.0 * carry, 0.0), rtol=1e-15)
    np.testing.assert_allclose(value.call_delta, [carry, 0.0], rtol=1e-15)
    np.testing.assert_allclose(value.put_delta, [0.0, -carry], rtol=1e-15)
    assert not value.gamma.any()
    assert not value.vega.any()


def test_at_expiry_nothing_decays_and_nothing_depends_on_the_rate():
    value = black_scholes(
        spot=100.0,
        strike=[80.0, 100.0, 120.0],
        expiry_years=0.0,
        volatility=0.3,
        rate=0.05,
        dividend_yield=0.02,
    )

    for greek in (value.call_theta, value.put_theta, value.call_rho, value.put_rho, value.gamma, value.vega):
        assert not greek.any()


def test_exactly_at_the_money_at_expiry_the_call_counts_as_in_the_money():
    value = black_scholes(spot=100.0, strike=100.0, expiry_years=0.0, volatility=0.3)

    assert (value.call_delta, value.put_delta, value.gamma) == (1.0, 0.0, 0.0)
    assert (value.call_price, value.put_price) == (0.0, 0.0)


def test_an_option_deep_out_of_the_money_keeps_its_digits():
    value = black_scholes(spot=100.0, strike=55.0, expiry_years=0.1, volatility=0.2)

    # By the continued fraction of the tail in 60 digits.
    # d1 is 9.5: its rounding alone changes the price by a hundred roundings.
    assert float(value.put_price) == pytest.approx(8.01965845328341783e-22, rel=1e-12, abs=0.0)
    assert float(value.put_delta) == pytest.approx(-1.22059440610114462e-21, rel=1e-12, abs=0.0)


def test_a_price_is_not_negative_where_the_deviation_is_as_small_as_rounding():
    rng = np.random.default_rng(3)
    spots, volatilities = rng.uniform(1.0, 1000.0, 1000), np.exp(rng.uniform(-40.0, -30.0, 1000))
    strikes = spots + rng.integers(-200, 200, 1000) * np.spacing(spots)

    value = black_scholes(spot=spots, strike=strikes, expiry_years=1.0, volatility=volatilities)

    assert np.all(value.call_price >= 0.0)
    assert np.all(value.put_price >= 0.0)


def test_huge_and_tiny_strikes_have_the_value_of_their_limits():
    value = black_scholes(spot=100.0, strike=[1e-90, 1e90], expiry_years=1.0, volatility=0.4, rate=0.03)

    np.testing.assert_allclose(value.call_price, [100.0, 0.0], rtol=1e-15)
    np.testing.assert_allclose(value.put_price, [0.0, 1e90 * math.exp(-0.03)], rtol=1e-15)
    np.testing.assert_array_equal(value.call_delta, [1.0, 0.0])


def test_a_huge_deviation_makes_the_call_worth_the_prepaid_forward():
    value = black_scholes(spot=100.0, strike=90.0, expiry_years=1e4, volatility=5.0, dividend_yield=1e-4)

    assert float(value.call_price) == pytest.approx(100.0 * math.exp(-1.0), rel=1e-15)
    assert float(value.put_price) == pytest.approx(90.0, rel=1e-15)


def test_a_contract_has_the_same_value_in_any_block_and_any_company():
    terms = random_terms(2 * BLOCK + 7)

    together = black_scholes(**terms)

    for index in (0, BLOCK - 1, BLOCK, 2 * BLOCK, 2 * BLOCK + 6):
        alone = black_scholes(**{field: values[index] for field, values in terms.items()})
        # Vector and scalar instructions may round a logarithm or an exponential differently by one unit.
        assert float(alone.call_price) == pytest.approx(together.call_price[index], rel=1e-12)
        assert float(alone.gamma) == pytest.approx(together.gamma[index], rel=1e-12)


def test_the_inputs_broadcast_and_the_results_have_their_common_shape():
    value = black_scholes(
        spot=100.0,
        strike=np.array([90.0, 100.0, 110.0]),
        expiry_years=np.array([[0.1], [1.0]]),
        volatility=0.2,
    )

    assert all(getattr(value, field).shape == (2, 3) for field in Valuation.__slots__)
    single = black_scholes(spot=100.0, strike=110.0, expiry_years=1.0, volatility=0.2)
    assert single.call_price.shape == ()
    assert float(single.call_price) == pytest.approx(value.call_price[1, 2], rel=1e-14)


@pytest.mark.parametrize("kind", [np.int64, np.uint8, np.float32])
def test_numbers_of_every_kind_are_taken_as_floats(kind):
    strikes = np.array([95, 100, 105])

    terms = [TERMS | {"strike": strikes.astype(each)} for each in (kind, np.float64)]
    of_kind, of_floats = (black_scholes(spot=100.0, **each) for each in terms)

    assert of_kind.call_price.dtype == np.float64
    np.testing.assert_array_equal(of_kind.call_price, of_floats.call_price)


def test_no_contracts_have_no_values():
    value = black_scholes(spot=100.0, strike=np.array([]), expiry_years=1.0, volatility=0.2)

    assert value.call_price.shape == (0,)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("spot", 0.0),
        ("spot", math.nan),
        ("spot", "100"),
        ("spot", True),
        ("strike", -1.0),
        ("strike", math.inf),
        ("strike", [[1.0], [2.0, 3.0]]),
        ("expiry_years", -0.1),
        ("volatility", -0.1),
        ("volatility", [0.2, math.nan]),
        ("rate", math.inf),
        ("rate", 200.0),
        ("dividend_yield", math.nan),
        ("dividend_yield", None),
    ],
)
def test_a_bad_input_is_named(field, value):
    with pytest.raises(InvalidInput) as refused:
        black_scholes(**{"spot": 100.0, **TERMS, field: value})

    assert refused.value.field == field


@pytest.mark.parametrize("field", ["rate", "dividend_yield"])
def test_what_grows_is_bounded_by_how_long_it_grows(field):
    def valued(rate, years):
        return black_scholes(**{"spot": 100.0, **TERMS, "expiry_years": years, field: rate})

    assert np.isfinite(valued([100.0, -1.0], 1.0).call_price).all()
    assert np.isfinite(valued(500.0, 0.1).call_price)
    for rate, years in ((100.0, 1.01), (-1.0, 101.0)):
        with pytest.raises(InvalidInput, match=f"{field}: times expiry_years must be at most 100 in size"):
            valued(rate, years)


def test_shapes_that_do_not_broadcast_are_refused():
    with pytest.raises(InvalidInput, match=r"spot \[2\], strike \[3\]"):
        black_scholes(**{**TERMS, "spot": [1.0, 2.0], "strike": [1.0, 2.0, 3.0]})


@settings(max_examples=300, deadline=None)
@given(
    spot=st.floats(1e-100, 1e100),
    strike=st.floats(1e-100, 1e100),
    expiry_years=st.floats(0.0, 50.0),
    volatility=st.floats(0.0, 1e3),
    rate=st.floats(-2.0, 2.0),
    dividend_yield=st.floats(-2.0, 2.0),
)
def test_any_terms_have_finite_values_within_their_bounds(**terms):
    value = black_scholes(**terms)

    carry = math.exp(-terms["dividend_yield"] * terms["expiry_years"])
    bond = terms["strike"] * math.exp(-terms["rate"] * terms["expiry_years"])
    assert all(np.isfinite(getattr(value, field)) for field in Valuation.__slots__)
    assert 0.0 <= value.call_price <= terms["spot"] * carry * (1 + 1e-14)
    assert 0.0 <= value.put_price <= bond * (1 + 1e-14)
    assert 0.0 <= value.call_delta <= carry * (1 + 1e-15)
    assert -carry * (1 + 1e-15) <= value.put_delta <= 0.0
    assert value.gamma >= 0.0
    assert value.vega >= 0.0


@pytest.mark.parametrize("width", [1, 21, 1001])
def test_a_ladders_terms_are_those_of_each_of_its_contracts(width):
    ladders = 2 * BLOCK // width + 3  # of several blocks, the last of which is not full
    terms = random_terms(ladders)
    strikes = np.repeat(terms["spot"], width) * np.resize(np.linspace(0.5, 2.0, width), ladders * width)
    volatilities = np.resize([0.0, 0.1, 0.8], strikes.size)
    one_each = {
        "spot": terms["spot"],
        "years": np.where(np.arange(ladders) % 5 == 0, 0.0, terms["expiry_years"]),
        "rate": terms["rate"],
        "dividend_yield": terms["dividend_yield"],
    }

    columns, expected = (
        np.array([strikes, volatilities, *np.zeros((VALUED - 2, strikes.size))]) for _ in "ab"
    )
    shared = np.array([one_each[name] for name in ("spot", "years", "rate", "dividend_yield")])

    price(np.arange(0, strikes.size + 1, width), shared, columns)

    price(np.arange(strikes.size + 1), np.repeat(shared, width, axis=1), expected)
    assert columns.tobytes() == expected.tobytes()


def exact(spot, strike, years, volatility, rate, dividend_yield):
    """The formulas with sixty digits."""
    total = volatility * mpmath.sqrt(years)
    d1 = (mpmath.log(spot / strike) + (rate - dividend_yield) * years) / total + total / 2
    carry, bond = mpmath.exp(-dividend_yield * years), strike * mpmath.exp(-rate * years)
    prepaid = spot * carry
    return {
        "call_price": prepaid * tail(-d1) - bond * tail(total - d1),
        "put_price": bond * tail(d1 - total) - prepaid * tail(d1),
        "call_delta": carry * tail(-d1),
        "put_delta": -carry * tail(d1),
        "gamma": carry * mpmath.npdf(d1) / (spot * total),
        "vega": prepaid * mpmath.npdf(d1) * mpmath.sqrt(years) / 100,
    }


def tail(x):
    return mpmath.erfc(x / mpmath.sqrt(2)) / 2


def test_values_far_out_of_the_money_keep_their_digits():
    rng = np.random.default_rng(8)
    terms = {
        "spot": rng.uniform(50.0, 150.0, 400),
        "strike": 100.0 * np.exp(rng.normal(0.0, 0.5, 400)),
        "expiry_years": rng.uniform(0.05, 3.0, 400),
        "volatility": rng.uniform(0.1, 0.9, 400),
        "rate": rng.uniform(-0.02, 0.1, 400),
        "dividend_yield": rng.uniform(0.0, 0.05, 400),
    }
    value = black_scholes(**terms)

    with mpmath.workdps(60):
        for row, numbers in enumerate(zip(*terms.values(), strict=True)):
            for name, expected in exact(*(mpmath.mpf(float(number)) for number in numbers)).items():
                # The rounding of d1, which the tail magnifies: measured 7e-13 at the most.
                assert abs(getattr(value, name)[row] - expected) <= 2e-12 * abs(expected), (name, numbers)
