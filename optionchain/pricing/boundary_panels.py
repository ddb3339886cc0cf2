"""The exercise boundaries of a range of volatilities and times, solved once and read for every contract in the range.

A chain has many strikes, each with a volatility of its own by the smile, and with it a boundary of its own. Boundaries
vary smoothly with the volatility, so that those of a few volatilities give the others. The ranges, panels, are the
same whoever asks: a contract has the same value in any company.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from optionchain.arrays import Floats
from optionchain.numerics.nodes import chebyshev_points
from optionchain.numerics.series import coefficients_matrix
from optionchain.pricing.exercise_boundary import DEGREE, boundaries, gathering, is_slow

VOLATILITY_DEGREE = 8
"""Of the series in the volatility within a panel."""
# Each power of two of the volatility is cut into halves: half a panel is a tenth to a fifth of its volatilities.
_HALVES = 2
# A panel reaches from a quarter of its longest time on.
_BITS_OF_TIME = 2
# Relative, for the slope by the rate: of a difference that loses half of the digits and errs by as much.
_STEP = 2.0**-22
# Each has 3 kB.
_MOST_PANELS = 4096

# Codes an entry.
_FEW = 64

_SERIES = coefficients_matrix(VOLATILITY_DEGREE)


class Panels(NamedTuple):
    """Some panels, as the kernel takes them.

    Attributes:
        ranges: ``[panels, 4]`` longest time, `gathering`, lowest volatility, and the width of the volatilities.
        series: ``[panels, 2, VOLATILITY_DEGREE + 1, DEGREE + 1]`` coefficients by volatility and time: of what
            `boundaries` gives, and of its slope by the rate (puts) or the yield (calls, exchanged).
    """

    ranges: Floats
    series: Floats


def panels_of(
    years: Floats, rates: Floats, yields: Floats, volatilities: Floats, *, by_yield: bool
) -> tuple[NDArray[np.int64], Panels]:
    """Find the panel of each of some puts.

    Args:
        years: ``[puts]`` to expiration, > 0.
        rates: ``[puts]`` as `boundaries` takes them.
        yields: ``[puts]``.
        volatilities: ``[puts]`` annualised, > 0.
        by_yield: Whether the slope is that by the yield.

    Returns:
        ``[puts]`` which panel each is in, and the panels.
    """
    half, power = np.frexp(volatilities)
    steps = _HALVES * power + (half >= 0.75)
    horizons = -(-np.frexp(years)[1] // _BITS_OF_TIME)
    which, firsts = _groups((rates, yields), (horizons, steps))
    found = [
        _panel(float(rates[i]), float(yields[i]), int(horizons[i]), int(steps[i]), by_yield)
        for i in firsts.tolist()
    ]
    return which, Panels(np.array([ranges for ranges, _ in found]), np.array([series for _, series in found]))


def _groups(
    numbers: tuple[Floats, ...], wholes: tuple[NDArray[np.int64], ...]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Number the different combinations of some keys: of each entry its number, and of each number an entry."""
    codes = np.zeros(numbers[0].size, dtype=np.int64)
    for number in numbers:
        if not (number == number[0]).all():
            different, which = np.unique(number, return_inverse=True)
            codes = codes * different.size + which
    for whole in wholes:
        lowest = whole.min()
        codes = codes * (whole.max() - lowest + 1) + (whole - lowest)
    if codes.max() < _FEW * codes.size:  # a table is faster than sorting
        is_there = np.zeros(int(codes.max()) + 1, dtype=np.int64)
        is_there[codes] = 1
        codes = (np.cumsum(is_there) - 1)[codes]
    else:
        _, codes = np.unique(codes, return_inverse=True)
    firsts = np.empty(int(codes.max()) + 1, dtype=np.int64)
    firsts[codes] = np.arange(codes.size)
    return codes, firsts


@lru_cache(maxsize=_MOST_PANELS)
def _panel(
    rate: float, dividend_yield: float, horizon: int, step: int, by_yield: bool
) -> tuple[tuple[float, ...], Floats]:
    power, half = divmod(step, _HALVES)
    width = 2.0 ** (power - 2)
    lowest = 2.0 ** (power - 1) + half * width
    longest = 2.0 ** (_BITS_OF_TIME * horizon)
    gather = float(gathering(rate, dividend_yield, lowest + 0.5 * width, longest))
    volatilities = lowest + width * chebyshev_points(VOLATILITY_DEGREE)
    change = _change(rate, dividend_yield, by_yield)
    slow = float(is_slow(rate, dividend_yield, longest))
    shared = np.array([[rate], [dividend_yield], [0.0], [longest], [gather], [slow]]).repeat(
        volatilities.size, axis=1
    )
    shared[2] = volatilities
    changed = shared.copy()
    changed[1 if by_yield else 0] += change
    here, there = np.split(boundaries(np.concatenate([shared, changed], axis=1)), 2)
    series = np.stack([_by_volatility(here), _by_volatility((there - here) / change)])
    return (longest, gather, lowest, width), series


def _change(rate: float, dividend_yield: float, by_yield: bool) -> float:
    """A small change of the rate or the yield, away from where they are equal: there the slope jumps."""
    own = dividend_yield if by_yield else rate
    other = rate if by_yield else dividend_yield
    # Where both are positive the boundary may begin at their quotient: the change must be small beside the rate.
    change = _STEP * max(abs(own), abs(other)) if by_yield or other < 0.0 else _STEP * own
    towards = 1.0 if (own > other if own != other else not by_yield) else -1.0
    return (own + towards * change) - own


def _by_volatility(values: Floats) -> Floats:
    """``[VOLATILITY_DEGREE + 1, DEGREE + 1]`` coefficients, from values at the volatilities of the points."""
    total = np.zeros((VOLATILITY_DEGREE + 1, DEGREE + 1))
    for j in range(VOLATILITY_DEGREE + 1):
        total = total + _SERIES[:, j, None] * values[j]
    return total
