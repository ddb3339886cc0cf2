"""The parabola of a chain without a smile family, mended where it could be arbitraged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np

from optionchain.arrays import Floats
from optionchain.declared.fields import Number, settle
from optionchain.surfaces.smile import LEAST_VARIANCE, smile
from optionchain.surfaces.wings import Which, steepest, straightened

# Of the volatility at the money: where a parabola that falls to nothing stops falling.
_LEAST_FACTOR = 0.1


@smile("quadratic")
@dataclass(frozen=True, slots=True, kw_only=True)
class Quadratic:
    """A parabola of volatility in log-moneyness with straight wings: the default smile, repaired.

    Near the money it is ``level (1 + slope k + curve k²)``. Where its variance gets too steep it goes on straight, and
    it falls to a tenth of the level at most; a slope that long expirations cannot have is lessened for them.

    Attributes:
        slope: Relative change of volatility per unit of log-moneyness.
        curve: Relative change per unit of squared log-moneyness.
    """

    slope: Annotated[float, Number("Slope of the smile in log-moneyness", low=-10.0, high=10.0)] = -0.2
    curve: Annotated[float, Number("Curvature of the smile in log-moneyness", low=0.0, high=100.0)] = 0.4

    def __post_init__(self) -> None:
        settle(self)

    def volatilities(self, log_moneyness: Floats, years: Floats, level: Floats) -> Floats:
        """The implied volatility of each contract; see `Smile.volatilities`."""
        theta = np.maximum(level * level * years, LEAST_VARIANCE)
        most = 0.5 * steepest(theta) / theta
        slope = np.clip(self.slope, -most, most)

        def total(k: Floats, which: Which) -> Floats:
            factor = np.maximum((self.curve * k + slope[which]) * k + 1.0, _LEAST_FACTOR)
            return np.asarray(theta[which] * factor * factor)

        factors = straightened(total, log_moneyness, theta) / theta
        return np.asarray(level * np.sqrt(factors))
