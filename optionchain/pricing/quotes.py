"""What a market maker shows for a model price: a bid and an ask on the grid of cents."""

from __future__ import annotations

import numpy as np

from optionchain.arrays import Floats
from optionchain.numerics.formula import Number, formula, select

# Added to a float of at most 2^51 it rounds to the nearest whole number, of two the even one.
_TO_WHOLE = 1.5 * 2.0**52


def quote(mids: Floats, spread: float | Floats) -> tuple[Floats, Floats]:
    """Return the bids and asks around model prices, such that ``bid <= mid <= ask``.

    Each is half the spread away from its mid, rounded half to even to a cent. Where rounding would cross the
    mid, as it can when the spread is at most a cent, it is the cent before: a spread of zero quotes the two
    cents around the mid, or the mid itself if it is on the grid.

    Args:
        mids: Any shape. Model prices in currency units, in [0, 1e13].
        spread: Currency units, >= 0; one, or one that broadcasts with the mids.

    Returns:
        Bids, >= 0, and asks, >= 0.01, of the shape of `mids`; each the float nearest to whole cents.

    Example:
        >>> bids, asks = quote(np.array([0.0, 1.238, 2.0]), 0.02)
        >>> bids.tolist(), asks.tolist()
        ([0.0, 1.23, 1.99], [0.01, 1.25, 2.01])
    """
    return np.asarray(bid(mids, spread)), np.asarray(ask(mids, spread))


@formula
def bid(mid: Number, spread: Number) -> Number:
    """Half the spread below the mid, in whole cents and not above it."""
    below = mid - 0.5 * spread
    cents = _whole(select(below > 0.0, below, 0.0) * 100.0)
    return select(cents / 100.0 > mid, cents - 1.0, cents) / 100.0


@formula
def ask(mid: Number, spread: Number) -> Number:
    """Half the spread above the mid, in whole cents and not below it, at least one cent."""
    cents = _whole((mid + 0.5 * spread) * 100.0)
    cents = select(cents / 100.0 < mid, cents + 1.0, cents)
    return select(cents > 1.0, cents, 1.0) / 100.0


@formula
def _whole(number: Number) -> Number:
    """The nearest whole number, of two the even one; for floats below 2^51."""
    return (number + _TO_WHOLE) - _TO_WHOLE
