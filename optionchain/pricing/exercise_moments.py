"""What one moment ahead contributes to the premium of early exercise, and which moments are looked at.

The integrand changes fastest just ahead where the price is near the boundary, and like a root near expiry. The time is
``T sech² z``, in which both are smooth, and z reaches the further the nearer the boundary is.

Source:
    I. Kim, "The analytic valuation of American options", 1990, for the integrand. The slopes are those of the
    integrand, by hand; the boundary moves with the volatility and the rate, and its slopes are part of them.
"""

from __future__ import annotations

import math

import numpy as np

from optionchain.arrays import Floats
from optionchain.numerics import exp
from optionchain.numerics.formula import Number, formula, select
from optionchain.numerics.nodes import gauss_legendre

_DENSITY = 1.0 / math.sqrt(2.0 * math.pi)
_MOMENTS = 32
# How far z reaches: so that a price at these distances from the boundary, in total volatilities, is far from it at the
# nearest moment. Where the price is nearer yet, so little time is cut off that only gamma can tell.
_REACHES = 2.7 + 1.2 * np.arange(6.0)
_FAR = 7.0
# Of the squared logarithm of the boundary: its root's slope has it in the denominator.
_LEAST_SQUARED = 1e-24


def _moments() -> tuple[Floats, Floats, Floats, Floats]:
    """``[reaches, moments]`` sech z, tanh z, and the weight of ``T sech² z`` over T; ``[reaches]`` the distances."""
    points, weights = gauss_legendre(_MOMENTS)
    z = _REACHES[:, None] * points
    grown, shrunk = exp(z), exp(-z)
    sech, tanh = 2.0 / (grown + shrunk), (grown - shrunk) / (grown + shrunk)
    nearest = 2.0 / (exp(_REACHES) + exp(-_REACHES))
    return sech, tanh, _REACHES[:, None] * weights * 2.0 * sech * sech * tanh, _FAR * nearest


SECH, TANH, WEIGHTS, DISTANCES = _moments()


@formula
def distances(
    log_moneyness: Number,
    last: Number,
    squared: Number,
    root: Number,
    rate: Number,
    dividend_yield: Number,
    volatility: Number,
) -> tuple[Number, Number, Number, Number]:
    """The boundary's d1 and d2 at one moment, what they change by per log-moneyness, and per squared logarithm.

    Args:
        last: `before_expiry`.
        squared: The squared logarithm of the boundary.
        root: Of the time ahead.
    """
    depth = np.sqrt(select(squared > _LEAST_SQUARED, squared, _LEAST_SQUARED))
    half = 0.5 * volatility * root
    per_log = 0.5 / half
    middle = (log_moneyness - last + depth) * per_log + (rate - dividend_yield) * root / volatility
    return middle + half, middle - half, per_log, 0.5 / depth


@formula
def moment(
    d1: Number,
    d2: Number,
    density1: Number,
    density2: Number,
    tail1: Number,
    tail2: Number,
    per_log: Number,
    last_slope: Number,
    by_volatility: Number,
    by_rate: Number,
    years: Number,
    bonds: Number,
    shares: Number,
    rate: Number,
    dividend_yield: Number,
    volatility: Number,
    side: Number,
) -> tuple[Number, Number, Number, Number, Number]:
    """What one moment contributes to the value and its slopes.

    Args:
        d1, d2, per_log: As `distances` has them.
        density1, density2, tail1, tail2: `gauss` of d1 and d2, and `scaled_tail` of their sizes.
        last_slope, by_volatility, by_rate: Slopes of the boundary's logarithm; the last by the rate or the yield.
        years: The time ahead.
        bonds, shares: What one of each is worth that is got at this moment, times its weight.
        side: Whether the last slope is by the rate (1) or the yield (-1).
    """
    tail1, tail2 = tail1 * density1, tail2 * density2
    below1, below2 = select(d1 > 0.0, tail1, 1.0 - tail1), select(d2 > 0.0, tail2, 1.0 - tail2)
    interest, dividends = rate * bonds, dividend_yield * shares
    crossing1, crossing2 = dividends * density1 * _DENSITY, interest * density2 * _DENSITY
    moved = per_log * (crossing2 - crossing1)
    kept = dividends * below1
    by_bonds = bonds * (1.0 - rate * years) * below2
    by_shares = shares * (dividend_yield * years - 1.0) * below1
    return (
        interest * below2 - kept,
        -moved - kept,
        per_log * (per_log * (crossing2 * d2 - crossing1 * d1) + 2.0 * crossing1) - kept,
        (crossing2 * d1 - crossing1 * d2) / volatility + moved * by_volatility,
        select(side > 0.0, by_bonds, by_shares) - moved * (side * years - by_rate - last_slope),
    )


@formula
def last_slope(rate: Number, dividend_yield: Number, side: Number) -> Number:
    """The slope of `before_expiry` by the rate or the yield."""
    is_below = dividend_yield > rate
    changed = select(side > 0.0, rate, -dividend_yield)
    return select(is_below, 1.0 / select(is_below, changed, 1.0), 0.0)


@formula
def beyond(log_moneyness: Number, last: Number, squared: Number, years: Number, volatility: Number) -> Number:
    """How far the price is above the boundary of now, in total volatilities."""
    depth = np.sqrt(select(squared > 0.0, squared, 0.0))
    return (log_moneyness - last + depth) / (volatility * np.sqrt(years))
