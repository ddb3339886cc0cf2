"""SVI with any of its four shapes, scaled so that no expiration can be arbitraged against itself or another."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated

import numpy as np

from optionchain.arrays import Floats
from optionchain.declared.fields import Number, settle
from optionchain.errors import InvalidInput
from optionchain.surfaces.hyperbolas import Hyperbolas
from optionchain.surfaces.smile import smile
from optionchain.surfaces.ssvi import MOST_CORRELATION

# Points from the centre of the hyperbola outwards, dense within, 3e6 of its widths wide.
_POINTS = np.sinh(np.linspace(-15.0, 15.0, 6001))
_TOLERANCE = 1e-12


@smile("svi")
@dataclass(frozen=True, slots=True, kw_only=True)
class Svi(Hyperbolas):
    """Gatheral's SVI in units of the deviation at the money, checked to admit no static arbitrage.

    The total variance is ``theta f(x)``, where theta is that at the money, ``x = k / sqrt(theta (1 + theta))`` and
    ``f(x) = a + b (rho (x - m) + sqrt((x - m)² + sigma²))``; a is such that ``f(0) = 1``.

    Butterflies: Durrleman's condition of such a slice is an average of those at ``theta = 0`` and at infinity, weighted
    by ``1 / (1 + theta)``, so that two functions of x decide it for every expiration and volatility; they are looked at
    on a fine grid. Calendars: the tangents of f must cross the axis above zero, which its two asymptotes decide.

    Attributes:
        b: Steepness of the wings.
        rho: Lean.
        m: Where the hyperbola has its centre.
        sigma: Width of its bend.

    Raises:
        InvalidInput: The parameters admit arbitrage.

    Source:
        J. Gatheral, A. Jacquier, "Arbitrage-free SVI volatility surfaces", 2014, lemma 2.2, for the two conditions.
    """

    b: Annotated[float, Number("Steepness of the wings", low=1e-6, high=2.0)]
    rho: Annotated[float, Number("Lean of the smile", low=-MOST_CORRELATION, high=MOST_CORRELATION)]
    m: Annotated[float, Number("Centre of the hyperbola, in deviations", low=-10.0, high=10.0)] = 0.0
    sigma: Annotated[float, Number("Width of its bend, in deviations", low=1e-3, high=100.0)] = 1.0

    def __post_init__(self) -> None:
        settle(self)
        if not _is_free_of_butterflies(self.b, self.rho, self.m, self.sigma):
            raise InvalidInput(
                "b", "admits butterfly arbitrage with this rho, m and sigma: lower b or raise sigma"
            )
        lean = self.rho if self.m > 0.0 else -self.rho
        if self.shape[0] < abs(self.m) * self.b * (1.0 + lean):
            raise InvalidInput(
                "m", "admits calendar arbitrage with this b, rho and sigma: move it towards zero"
            )

    @property
    def shape(self) -> Floats:
        """See `Hyperbolas.shape`."""
        return _shape(self.b, self.rho, self.m, self.sigma)


@lru_cache(maxsize=256)
def _shape(b: float, rho: float, m: float, sigma: float) -> Floats:
    return np.array([height(b, rho, m, sigma), b, rho, m, sigma, 0.5])


def height(b: float, rho: float, m: float, sigma: float) -> float:
    """The a of a hyperbola that is 1 at the money."""
    return 1.0 - b * (math.sqrt(m * m + sigma * sigma) - rho * m)


@lru_cache(maxsize=256)
def _is_free_of_butterflies(b: float, rho: float, m: float, sigma: float) -> bool:
    root = np.sqrt(1.0 + _POINTS * _POINTS)
    x = m + sigma * _POINTS
    f = height(b, rho, m, sigma) + b * sigma * (rho * _POINTS + root)
    if f.min() <= 0.0:
        return False
    slope, bend = b * (rho + _POINTS / root), b / (sigma * root**3)
    pull = (1.0 - 0.5 * x * slope / f) ** 2
    short = pull - 0.25 * slope * slope / f + 0.5 * bend
    long = pull - slope * slope / 16.0
    return bool(min(short.min(), long.min()) >= -_TOLERANCE)
