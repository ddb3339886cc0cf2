"""Strikes: round numbers around the spot, exact to the last decimal."""

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optionchain.chains import central_multiple, ladders, strike_intervals
from optionchain.errors import InvalidInput


def choose(spot, volatility, years, chain_size=30):
    return strike_intervals(
        spot=spot, volatility=volatility, expiry_years=np.array(years), chain_size=chain_size
    ).tolist()


def ladder(spot, interval, chain_size):
    return ladders(np.array([spot]), np.array([interval]), chain_size)[1].tolist()


def test_the_interval_spans_eight_standard_deviations():
    # 8 x 100 x 0.2 x 1 = 160 over 60 gaps is 2.67; of the round intervals 2.5 is nearest.
    assert choose(100.0, 0.2, [1.0]) == [2.5]
    # 8 x 4000 x 0.15 x 0.5 = 2400 over 60 gaps is 40, between 25 and 50.
    assert choose(4000.0, 0.15, [0.25]) == [50.0]


def test_each_expiration_has_its_own_interval():
    assert choose(100.0, 0.2, [7 / 365, 0.25, 1.0]) == [0.25, 1.0, 2.5]


def test_within_a_day_of_expiry_the_interval_is_that_of_a_day():
    assert choose(4000.0, 0.2, [0.0, 0.5 / 365, 1 / 365]) == choose(4000.0, 0.2, [1 / 365] * 3)


def test_the_interval_fits_any_price():
    # 8 x 100,000 x 0.8 over 60 gaps is 10,667; 8 x 2e-5 x sqrt(30 / 365) over 10 gaps is 4.6e-6.
    assert choose(100_000.0, 0.8, [1.0]) == [10_000.0]
    assert choose(2e-5, 1.0, [30 / 365], chain_size=5) == [5e-6]
    assert choose(1e9, 0.2, [1.0]) == [25_000_000.0]


@given(
    spot=st.floats(1e-6, 1e6),
    volatility=st.floats(0.05, 2.0),
    days=st.integers(1, 730),
    size=st.integers(3, 60),
)
def test_the_ladder_reaches_beyond_a_deviation_and_not_beyond_eight(spot, volatility, days, size):
    [interval] = choose(spot, volatility, [days / 365], size)
    deviation = spot * volatility * (days / 365) ** 0.5

    assert size * interval / deviation >= 1.0
    assert size * interval / deviation <= 8.0 or interval <= max(0.01, 2e-3 * spot)


def test_a_single_strike_needs_no_gap():
    assert choose(100.0, 0.2, [1.0], chain_size=0) == [100.0]


def test_the_ladder_is_centred_on_the_nearest_multiple():
    assert ladder(101.3, 2.5, 2) == [97.5, 100.0, 102.5, 105.0, 107.5]


def test_half_way_counts_up_in_decimals_not_in_binary():
    assert central_multiple(0.15, 0.1) == 2  # 0.15 / 0.1 is 1.4999999999999998 in floats
    assert central_multiple(2.675, 0.05) == 54


def test_strikes_that_are_not_positive_are_left_out():
    assert ladder(2.4, 1.0, 5) == [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]
    assert ladder(0.001, 1.0, 0) == []


@given(
    spot=st.floats(0.001, 1e6),
    interval=st.sampled_from([0.01, 0.05, 0.1, 0.25, 0.3, 1.0, 2.5, 0.125, 7.0, 250.0]),
    chain_size=st.integers(0, 60),
)
def test_every_strike_is_the_float_nearest_to_its_decimal(spot, interval, chain_size):
    centre = central_multiple(spot, interval)

    strikes = ladder(spot, interval, chain_size)

    multiples = range(max(1, centre - chain_size), centre + chain_size + 1)
    assert strikes == [float(multiple * Decimal(str(interval))) for multiple in multiples]
    assert abs(Decimal(str(spot)) - centre * Decimal(str(interval))) * 2 <= Decimal(str(interval))


def test_an_interval_too_fine_for_the_price_is_refused():
    with pytest.raises(InvalidInput, match="strike_interval"):
        ladder(1e12, 1e-6, 30)
