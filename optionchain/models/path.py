"""From log returns and volatilities to a path within its limits."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from optionchain import numerics
from optionchain.arrays import Paths
from optionchain.declared.limits import HIGHEST_PATH
from optionchain.errors import InvalidInput
from optionchain.models.model import MAX_VOLATILITY, MIN_PRICE, MIN_VOLATILITY, SampledPaths

# What the logarithm and the exponential may lose of a price: those that pass the check are not above the limit.
_ROUNDING = 1e-12


def price_floor(spot: float) -> float:
    """The least price that is quoted: one cent, or a hundredth of a start below a cent."""
    return MIN_PRICE if spot >= MIN_PRICE else MIN_PRICE * spot


def compounded(
    spot: float, log_returns: Paths, volatility: float | Paths, *, at_fault: Mapping[str, float]
) -> SampledPaths:
    """The path of a price that starts at `spot` and is multiplied by ``exp(log_return)`` each move.

    The quoted price is floored; the log price beneath goes on, so that a price can come back from the floor
    and the law of the path above it is untouched.

    Args:
        spot: Price at step 0, > 0.
        log_returns: ``[paths, moves]``.
        volatility: As `quoted_volatilities` takes it.
        at_fault: As `too_high` takes it.

    Raises:
        InvalidInput: A price passes 1e12.
    """
    prices = np.zeros((len(log_returns), log_returns.shape[1] + 1))
    np.cumsum(log_returns, axis=1, out=prices[:, 1:])
    return levels(spot, prices, volatility, at_fault=at_fault)


def levels(
    spot: float, log_growth: Paths, volatility: float | Paths, *, at_fault: Mapping[str, float]
) -> SampledPaths:
    """The path of prices ``spot exp(log_growth)``, as `compounded`.

    Args:
        spot: Price at step 0, > 0.
        log_growth: ``[paths, steps]``, column 0 zero.
        volatility: As `quoted_volatilities` takes it.
        at_fault: As `too_high` takes it.

    Raises:
        InvalidInput: A price passes 1e12.
    """
    if log_growth.max() > numerics.log(HIGHEST_PATH / spot) - _ROUNDING:
        raise too_high(at_fault)
    prices = numerics.exp(log_growth)
    prices *= spot
    prices.clip(price_floor(spot), math.inf, out=prices)  # as np.maximum, at half its cost
    return SampledPaths(prices=prices, volatilities=quoted_volatilities(volatility, prices))


def quoted_volatilities(volatility: float | Paths, prices: Paths) -> Paths:
    """Volatilities within [1e-4, 5]; one number stands for every path and step of `prices`."""
    if isinstance(volatility, float):
        return np.full_like(prices, min(max(volatility, MIN_VOLATILITY), MAX_VOLATILITY))
    return np.clip(volatility, MIN_VOLATILITY, MAX_VOLATILITY)


def too_high(at_fault: Mapping[str, float]) -> InvalidInput:
    """The error of a price above 1e12.

    Args:
        at_fault: What each parameter adds to the log price at the end, or its standard deviation there. The
            parameter that adds most is named.
    """
    field = max(at_fault, key=lambda name: at_fault[name])
    return InvalidInput(field, f"drives the price above {HIGHEST_PATH:g}: lower it or simulate less time")
