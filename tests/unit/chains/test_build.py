"""Building a chain: what it lists, what it is worth, what it refuses."""

import math
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optionchain.chains import COLUMNS, ChainTerms, build_chains, is_surely_priced
from optionchain.errors import InvalidInput
from optionchain.pricing import black_scholes
from tests.unit.chains.chain_examples import NOW, chain, expiring


def test_every_contract_is_priced_by_its_own_strike_volatility_and_expiry():
    several = chain(days=(0.3, 30, 365))

    value = black_scholes(
        spot=100.0,
        strike=several.strikes,
        expiry_years=several.per_contract(several.days_to_expiration) / 365,
        volatility=several.implied_volatilities,
        rate=0.05,
        dividend_yield=0.02,
    )

    np.testing.assert_array_equal(several.call_mid, value.call_price)
    np.testing.assert_array_equal(several.put_mid, value.put_price)
    for greek in ("call_delta", "put_delta", "gamma", "vega"):
        np.testing.assert_array_equal(getattr(several, greek), getattr(value, greek))
    for greek in ("call_theta", "put_theta", "call_rho", "put_rho"):
        np.testing.assert_allclose(getattr(several, greek)(), getattr(value, greek), rtol=1e-14, atol=1e-16)


def test_an_expiration_is_the_same_alone_and_in_company():
    together = chain(days=(2, 30, 90), strike_interval=None)

    for index, days in enumerate((2, 30, 90)):
        alone = chain(days=(days,), strike_interval=None)
        part = slice(together.offsets[index], together.offsets[index + 1])
        for column in COLUMNS:
            np.testing.assert_allclose(column.of(together)[part], column.of(alone), rtol=1e-12)


def test_offsets_find_the_contracts_of_each_expiration():
    several = chain(days=(1, 400), strike_interval=None, base_volatility=0.1)

    assert several.offsets == (0, 21, 42)
    assert several.strikes[1] - several.strikes[0] < several.strikes[22] - several.strikes[21]
    assert several.days_to_expiration.tolist() == [1.0, 400.0]


def test_a_fraction_of_a_day_counts():
    assert chain(days=(0.3125,)).days_to_expiration.tolist() == [0.3125]


def test_at_expiry_contracts_have_their_intrinsic_value():
    last = chain(days=(0,), spot=100.25)

    np.testing.assert_array_equal(last.call_mid, np.maximum(100.25 - last.strikes, 0.0))
    np.testing.assert_array_equal(last.put_mid, np.maximum(last.strikes - 100.25, 0.0))
    assert set(last.call_delta) == {0.0, 1.0}
    assert not last.gamma.any()


def test_a_spot_far_below_the_interval_lists_only_what_is_positive():
    assert chain(spot=0.2).strikes.tolist() == [float(strike) for strike in range(1, 11)]
    assert chain(spot=0.2, chain_size=0).strikes.size == 0


def test_a_chain_without_expirations_is_empty():
    empty = chain(days=())

    assert empty.offsets == (0,)
    assert empty.call_mid.size == 0


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("spot", 0.0),
        ("spot", math.nan),
        ("spot", "100"),
        ("spot", 1e13),
        ("base_volatility", -0.1),
        ("base_volatility", 5.1),
        ("base_volatility", math.inf),
        ("chain_size", -1),
        ("chain_size", 501),
        ("chain_size", 2.0),
        ("strike_interval", 0.0),
        ("strike_interval", -1.0),
        ("strike_interval", True),
        ("skew_slope", math.nan),
        ("smile_curve", math.inf),
        ("spread", -0.01),
        ("risk_free_rate", math.nan),
        ("risk_free_rate", 1e6),
        ("dividend_yield", -0.01),
        ("quote_time", datetime(2026, 1, 5)),
        ("expirations", expiring(-1)),
    ],
)
def test_a_bad_input_is_named(field, value):
    with pytest.raises(InvalidInput) as refused:
        chain(**{field: value})

    assert refused.value.field == field


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("risk_free_rate", {"risk_free_rate": 10.0}),
        ("dividend_yield", {"dividend_yield": 9.0}),
        ("risk_free_rate", {"risk_free_rate": -2.0}),
        ("strike_interval", {"strike_interval": 1e12, "chain_size": 500}),
    ],
)
def test_terms_whose_prices_could_not_be_expressed_are_refused(field, changes):
    with pytest.raises(InvalidInput) as refused:
        chain(days=(365 * 20,), **changes)

    assert refused.value.field == field


@settings(max_examples=200, deadline=None)
@given(
    spot=st.one_of(st.floats(1e-100, 1e12), st.floats(0.01, 1e4)),
    base_volatility=st.floats(0.0, 5.0),
    days=st.lists(st.integers(0, 40_000) | st.just(0.001), max_size=4),
    chain_size=st.integers(0, 40),
    strike_interval=st.none() | st.floats(1e-6, 1e12) | st.sampled_from([0.01, 1.0, 5.0]),
    skew_slope=st.floats(-1e6, 1e6),
    smile_curve=st.floats(-1e6, 1e6),
    spread=st.floats(0.0, 1e12) | st.just(0.01),
    risk_free_rate=st.floats(-10.0, 10.0),
    dividend_yield=st.floats(0.0, 10.0),
)
def test_any_terms_give_a_chain_of_finite_ordered_quotes_or_name_the_field(days, **terms):
    try:
        any_chain = chain(days=days, **terms)
    except InvalidInput as error:
        refused = error.field
        assert refused in terms
        return

    for column in COLUMNS:
        numbers = column.of(any_chain)
        is_defined = column.label != "alpha" or ~np.isnan(numbers)  # not defined where theta is zero
        assert np.isfinite(numbers[is_defined]).all(), column.name
    for side in ("call", "put"):
        bid, mid, ask = (getattr(any_chain, f"{side}_{field}") for field in ("bid", "mid", "ask"))
        assert np.all((bid >= 0.0) & (bid <= mid) & (mid <= ask) & (ask >= 0.01))
    assert any_chain.offsets[-1] == any_chain.strikes.size
    assert np.all(any_chain.strikes > 0.0)


@settings(max_examples=200, deadline=None)
@given(
    spot=st.sampled_from([1e-100, 1e-6, 1e12]) | st.floats(1e-100, 1e12),
    base_volatility=st.floats(0.0, 5.0),
    days=st.lists(st.integers(0, 40_000), min_size=1, max_size=3),
    chain_size=st.integers(0, 500),
    risk_free_rate=st.floats(-1.0, 10.0),
    dividend_yield=st.floats(0.0, 10.0),
)
def test_what_is_said_to_be_surely_priced_is_priced_wherever_the_spot_is(days, spot, **terms):
    at_once = ChainTerms(
        symbol="ACME",
        quote_time=NOW,
        spot=100.0,
        expirations=tuple(expiring(*days)),
        strike_interval=None,
        skew_slope=1e6,
        smile_curve=1e6,
        spread=1e12,
        **terms,
    )
    if is_surely_priced(at_once):
        assert len(build_chains([replace(at_once, spot=spot)])) == 1


def test_a_common_chain_is_surely_priced_and_one_that_may_fail_is_not():
    terms = {"risk_free_rate": 0.05, "dividend_yield": 0.02, "strike_interval": None}

    def is_sure(**changes):
        values = {
            "symbol": "ACME",
            "quote_time": NOW,
            "spot": 100.0,
            "base_volatility": 0.2,
            "chain_size": 30,
        }
        smile = {"skew_slope": -0.2, "smile_curve": 0.4, "spread": 0.01}
        expirations = tuple(expiring(30, 36_500))
        return is_surely_priced(
            ChainTerms(**{**values, **smile, "expirations": expirations, **terms, **changes})
        )

    assert is_sure()
    assert not is_sure(strike_interval=5.0)
    assert not is_sure(risk_free_rate=-0.01)
    assert not is_sure(dividend_yield=9.0)
    assert not is_sure(expirations=tuple(expiring(-1)))


def test_a_chain_depends_on_the_time_to_expiry_and_not_on_the_date():
    later = chain(quote_time=NOW + timedelta(days=365), expirations=[*expiring(395)])

    np.testing.assert_array_equal(later.call_mid, chain(days=(30,)).call_mid)
