"""Black-Scholes-Merton, the smile and the quotes as formulas of one contract, for `optionchain.pricing.kernel`."""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np

from optionchain.numerics.elementary import exp, log
from optionchain.numerics.formula import Number, formula, select
from optionchain.numerics.normal import gauss, scaled_tail

LOWEST_FACTOR, HIGHEST_FACTOR = 0.01, 3.0
LOWEST_VOLATILITY, HIGHEST_VOLATILITY = 1e-4, 5.0

Values: TypeAlias = tuple[Number, Number, Number, Number, Number, Number]

_DENSITY = 1.0 / math.sqrt(2.0 * math.pi)
# Stands for a total volatility of zero (T = 0 or sigma = 0): every tail of the normal is then exactly 0 or 1.
_NO_VOLATILITY = 1e-100
# Below any logarithm's rounding, far above `_NO_VOLATILITY`: an expiring call at the money is in the money.
_TIE = 1e-30
# Added to a float of at most 2^51 it rounds to the nearest whole number, of two the even one.
_TO_WHOLE = 1.5 * 2.0**52


@formula
def growth(
    spot: Number, years: Number, rate: Number, dividend_yield: Number
) -> tuple[Number, Number, Number, Number]:
    """What the contracts of one expiration share: prepaid forward, carry, discount, and the root of the years."""
    carry = exp(-dividend_yield * years)
    return spot * carry, carry, exp(-rate * years), np.sqrt(years)


@formula
def bent(volatility: Number, log_moneyness: Number, skew_slope: Number, smile_curve: Number) -> Number:
    """The volatility at ``ln(strike / spot)``, given the one at the money."""
    factor = (smile_curve * log_moneyness + skew_slope) * log_moneyness + 1.0
    factor = select(factor > LOWEST_FACTOR, factor, LOWEST_FACTOR)
    factor = select(factor < HIGHEST_FACTOR, factor, HIGHEST_FACTOR)
    smiled = volatility * factor
    smiled = select(smiled > LOWEST_VOLATILITY, smiled, LOWEST_VOLATILITY)
    return select(smiled < HIGHEST_VOLATILITY, smiled, HIGHEST_VOLATILITY)


@formula
def value(
    spot: Number,
    prepaid: Number,
    carry: Number,
    discount: Number,
    root_years: Number,
    strike: Number,
    volatility: Number,
) -> Values:
    """Call price, put price, call delta, put delta, gamma, and vega per percentage point.

    The side that is out of the money is the difference of two tails, where nothing else cancels; the other side is
    worth as much plus the discounted intrinsic value. The density at d2 is that at d1 times the moneyness, so that
    both tails carry the same rounding of the density, and their difference hardly any of it.
    """
    bond = strike * discount
    total_volatility = volatility * root_years
    total_volatility = select(total_volatility > _NO_VOLATILITY, total_volatility, _NO_VOLATILITY)
    moneyness = prepaid / bond
    distance = log(moneyness) + _TIE
    d1 = distance / total_volatility + 0.5 * total_volatility
    d2 = d1 - total_volatility
    density = gauss(d1)
    tail1 = scaled_tail(abs(d1)) * density
    tail2 = scaled_tail(abs(d2)) * (density * moneyness)
    above1, below1 = select(d1 > 0.0, 1.0 - tail1, tail1), select(d1 > 0.0, tail1, 1.0 - tail1)
    above2, below2 = select(d2 > 0.0, 1.0 - tail2, tail2), select(d2 > 0.0, tail2, 1.0 - tail2)

    call_is_out = distance < 0.0
    out = select(call_is_out, prepaid * above1 - bond * above2, bond * below2 - prepaid * below1)
    out = select(out > 0.0, out, 0.0)
    intrinsic = prepaid - bond
    call = out + select(intrinsic > 0.0, intrinsic, 0.0)
    put = out - select(intrinsic < 0.0, intrinsic, 0.0)
    density = density * _DENSITY
    return (
        call,
        put,
        carry * above1,
        0.0 - carry * below1,
        density * carry / (spot * total_volatility),
        density * prepaid * root_years * 0.01,
    )


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
