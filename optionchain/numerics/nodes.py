"""Where smooth functions are sampled, and with which weights: Chebyshev's points and Gauss's quadrature.

They are computed in decimals and rounded once, so that they are the same floats on every machine.
"""

from __future__ import annotations

from decimal import Decimal, localcontext
from functools import cache

import numpy as np

from optionchain.arrays import Floats

_DIGITS = 40
_PI = Decimal("3.141592653589793238462643383279502884197169")
# Newton's method doubles the digits of a root at each step, from about two.
_NEWTON_STEPS = 6


@cache
def chebyshev_points(intervals: int) -> Floats:
    """The ``intervals + 1`` extremes of a Chebyshev polynomial on [0, 1], ascending, both ends among them.

    Example:
        >>> chebyshev_points(2).tolist()
        [0.0, 0.5, 1.0]
    """
    with localcontext(prec=_DIGITS):
        points = [(1 - _cosine(_PI * each / intervals)) / 2 for each in range(intervals + 1)]
        return _frozen(points)


@cache
def gauss_legendre(count: int) -> tuple[Floats, Floats]:
    """The points, ascending, and weights of Gauss's quadrature on [0, 1]: exact for degrees below ``2 * count``.

    Example:
        >>> points, weights = gauss_legendre(2)
        >>> (weights * points**3).sum().round(15)
        np.float64(0.25)
    """
    with localcontext(prec=_DIGITS):
        pairs = [_root(count, each) for each in range(1, count + 1)]
        points = _frozen([(1 - root) / 2 for root, _ in pairs])
        return points, _frozen([1 / ((1 - root * root) * slope * slope) for root, slope in pairs])


def _root(degree: int, number: int) -> tuple[Decimal, Decimal]:
    """A root of Legendre's polynomial, the greatest being number 1, and the slope there."""
    root = _cosine(_PI * (number - Decimal("0.25")) / (degree + Decimal("0.5")))
    for _ in range(_NEWTON_STEPS):
        value, slope = _legendre(degree, root)
        root -= value / slope
    return root, _legendre(degree, root)[1]


def _legendre(degree: int, x: Decimal) -> tuple[Decimal, Decimal]:
    before, value = Decimal(1), x
    for k in range(2, degree + 1):
        before, value = value, ((2 * k - 1) * x * value - (k - 1) * before) / k
    return value, degree * (x * value - before) / (x * x - 1)


def _cosine(angle: Decimal) -> Decimal:
    """By its series: for angles in [0, pi], whose terms are soon small."""
    total, term, k = Decimal(1), Decimal(1), 0
    while abs(term) > Decimal(10) ** -_DIGITS:
        k += 2
        term *= -angle * angle / (k * (k - 1))
        total += term
    return total


def _frozen(numbers: list[Decimal]) -> Floats:
    floats = np.array([float(number) for number in numbers])
    floats.flags.writeable = False
    return floats
