"""Log returns of a price whose volatility is given."""

from __future__ import annotations

import math

from optionchain.arrays import Paths
from optionchain.draws.philox import Draws, Factor


def log_euler(drift: float, volatility: float | Paths, dt: float, moves: int, draws: Draws) -> Paths:
    """``(drift - volatility² / 2) dt + volatility sqrt(dt) z``: exact while the volatility stays the same.

    Args:
        drift: Per year; the price grows by ``exp(drift dt)`` in expectation.
        volatility: Annualised, one number or ``[paths, moves]``, known before the move.
        dt: Years, > 0.
        moves: Number of log returns.
        draws: Source of `Factor.PRICE`.

    Returns:
        ``[paths, moves]``.
    """
    log_returns = draws.normals(Factor.PRICE, moves)
    log_returns *= volatility * math.sqrt(dt)
    log_returns += (drift - volatility * volatility / 2) * dt
    return log_returns
