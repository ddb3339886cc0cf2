"""Which contracts share the boundaries of a panel: those alike, and no others; and how it changes with the rate."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optionchain.arrays import Floats
from optionchain.pricing import american
from optionchain.pricing.boundary_panels import _groups, panels_of

KEYS = st.tuples(
    st.sampled_from([0.01, 0.02, 0.05]),
    st.sampled_from([0.0, 0.03]),
    st.integers(-3, 3),
    st.integers(-5, 5) | st.integers(-1000, 1000),
)


@given(st.lists(KEYS, min_size=1, max_size=40))
def test_contracts_are_in_one_group_exactly_where_all_is_the_same(
    keys: list[tuple[float, float, int, int]],
) -> None:
    rates, yields, horizons, steps = (np.array(each) for each in zip(*keys, strict=True))

    which, firsts = _groups((rates, yields), (horizons, steps))

    assert len({*zip(keys, which.tolist(), strict=True)}) == len({*keys}) == len({*which.tolist()})
    assert which[firsts].tolist() == list(range(firsts.size))


def check_rho(rate: float, dividend_yield: float, bump: float) -> None:
    def at(bumped: float) -> Floats:
        value = american(rate=rate + bumped, dividend_yield=dividend_yield, **TERMS)
        return np.array([value.call_price, value.put_price])

    value = american(rate=rate, dividend_yield=dividend_yield, **TERMS)

    expected = 0.01 * (at(bump) - at(-bump)) / (2.0 * bump)
    np.testing.assert_allclose([value.call_rho, value.put_rho], expected, atol=2e-6)


TERMS: dict[str, Any] = {
    "spot": 100.0,
    "strike": np.array([95.0, 105.0]),
    "expiry_years": 0.7,
    "volatility": 0.25,
}


@pytest.mark.parametrize("share", [1.0 - 1e-8, 1.0, 1.0 + 1e-8])
def test_rho_is_the_slope_also_where_rate_and_yield_are_all_but_equal(share: float) -> None:
    # The boundary just before expiry begins to fall with the rate there, so that a difference must not reach over it.
    check_rho(0.05 * share, 0.05, bump=2e-4)


@pytest.mark.parametrize(("rate", "dividend_yield"), [(1e-4, 0.0), (0.0, 1e-4)])
def test_rho_is_the_slope_also_where_there_is_next_to_no_interest(rate: float, dividend_yield: float) -> None:
    check_rho(rate, dividend_yield, bump=1e-6)


def test_a_contract_is_within_its_panel_and_where_panels_meet_in_that_which_begins() -> None:
    volatilities = np.repeat([0.013, 0.1, 0.125, 0.1874, 0.1875, 0.24, 0.25, 0.75, 3.0], 5)
    years = np.tile([0.01, 0.25, 0.26, 1.0, 1.1], 9)
    flat = np.full(years.size, 0.05)

    which, panels = panels_of(years, flat, flat, volatilities, by_yield=False)

    longest, _, lowest, width = panels.ranges[which].T
    assert np.all((volatilities >= lowest) & (volatilities < lowest + width))
    assert np.all((years >= longest / 4.0) & (years < longest))
    # They have no more than a fifth of their volatilities to each side of the middle.
    assert np.all(width / 2.0 <= 0.2 * (lowest + width / 2.0))
