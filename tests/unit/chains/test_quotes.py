"""Quotes: whole cents that never cross the model's price."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from optionchain.chains import quote


def quoted(mid, spread):
    bids, asks = quote(np.array([mid]), spread)
    return bids[0], asks[0]


@pytest.mark.parametrize(
    ("mid", "spread", "bid", "ask"),
    [
        (2.0, 0.02, 1.99, 2.01),
        (1.2374, 0.02, 1.23, 1.25),
        (1.2374, 0.5, 0.99, 1.49),
        (0.0, 0.02, 0.0, 0.01),
        (0.003, 0.02, 0.0, 0.01),
        (0.125, 0.0, 0.12, 0.13),  # both halves would round to the even cent
        (0.135, 0.0, 0.13, 0.14),
        (1.238, 0.0, 1.23, 1.24),  # rounding alone would bid 1.24, over the price
        (2.0, 0.0, 2.0, 2.0),
        (0.5, 4.0, 0.0, 2.5),
        (0.015, 0.01, 0.01, 0.02),
    ],
)
def test_a_quote_is_half_the_spread_to_each_side_on_the_grid(mid, spread, bid, ask):
    assert quoted(mid, spread) == (bid, ask)


def test_half_a_cent_rounds_to_even():
    # 0.25 and 0.125 are exact in binary, so these are true ties.
    assert quoted(0.375, 0.5) == (0.12, 0.62)


@given(mid=st.floats(0.0, 1e13), spread=st.floats(0.0, 1e6))
@example(mid=1.2399999999999998, spread=0.01)  # rounds up to a cent above the price
@example(mid=1e13, spread=0.0)
@example(mid=5e-324, spread=0.0)
def test_bid_mid_and_ask_are_in_order_and_bid_and_ask_on_the_grid(mid, spread):
    bid, ask = quoted(mid, spread)

    assert 0.0 <= bid <= mid <= ask
    assert ask >= 0.01
    for price in (bid, ask):
        assert round(price * 100.0) / 100.0 == price
    # Half a cent of rounding on each side, one more where it would have crossed.
    assert ask - bid <= spread + 0.02 + 1e-15 * ask


def test_calls_and_puts_are_quoted_in_one_call():
    mids = np.array([[1.0, 2.0, 3.0], [0.5, 0.25, 0.125]])

    bids, asks = quote(mids, 0.02)

    assert bids.shape == asks.shape == (2, 3)
