"""SSVI: one surface of two or three parameters without arbitrage, for any volatility at the money."""

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

MOST_CORRELATION = 0.999


@smile("ssvi")
@dataclass(frozen=True, slots=True, kw_only=True)
class Ssvi(Hyperbolas):
    """Gatheral and Jacquier's surface SVI with a power-law curvature; it admits no static arbitrage.

    The total variance is ``theta / 2 (1 + rho phi k + sqrt((phi k + rho)² + 1 - rho²))`` where theta is that at the
    money, and ``phi = eta / (theta^gamma (1 + theta)^(1 - gamma))``.

    Attributes:
        rho: Lean of the smile: below zero, low strikes have the higher volatility.
        eta: Its curvature; ``eta (1 + |rho|)`` is at most 2, which excludes butterfly arbitrage.
        gamma: How fast the smile flattens with total variance; up to one half there is no butterfly arbitrage at short
            expirations either. Without calendar arbitrage it is for any of these.

    Raises:
        InvalidInput: The parameters admit arbitrage.

    Source:
        J. Gatheral, A. Jacquier, "Arbitrage-free SVI volatility surfaces", 2014, theorems 4.1 and 4.2, remark 4.4.

    Example:
        >>> Ssvi(rho=-0.7, eta=1.1).volatilities(
        ...     np.array([-0.1, 0.0, 0.1]), np.full(3, 0.25), np.full(3, 0.2)
        ... ).round(4)
        array([0.2719, 0.2   , 0.1449])
    """

    rho: Annotated[float, Number("Lean of the smile", low=-MOST_CORRELATION, high=MOST_CORRELATION)]
    eta: Annotated[float, Number("Curvature; eta (1 + abs(rho)) is at most 2", low=1e-6, high=2.0)]
    gamma: Annotated[
        float, Number("How fast the smile flattens with total variance", low=0.0, high=0.5, above=True)
    ] = 0.5

    def __post_init__(self) -> None:
        settle(self)
        if self.eta * (1.0 + abs(self.rho)) > 2.0:
            most = 2.0 / (1.0 + abs(self.rho))
            raise InvalidInput(
                "eta", f"must be at most {most:.6g} for this rho, or butterflies cost less than nothing"
            )

    @property
    def shape(self) -> Floats:
        """See `Hyperbolas.shape`."""
        return _shape(self.rho, self.eta, self.gamma)


@lru_cache(maxsize=256)
def _shape(rho: float, eta: float, gamma: float) -> Floats:
    across = 1.0 - rho * rho
    return np.array([0.5 * across, 0.5 * eta, rho, -rho / eta, math.sqrt(across) / eta, gamma])
