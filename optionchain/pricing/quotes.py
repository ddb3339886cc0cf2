"""What a market maker shows for a model price: a bid and an ask on the grid of cents."""

from __future__ import annotations

import numpy as np

from optionchain.arrays import Floats
from optionchain.pricing.formulas import ask, bid


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
