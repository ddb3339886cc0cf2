"""SABR, with its volatility at the money given and its far wings straight."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np

from optionchain import numerics
from optionchain.arrays import Floats
from optionchain.declared.fields import Number, settle
from optionchain.surfaces.smile import LEAST_VARIANCE, smile
from optionchain.surfaces.ssvi import MOST_CORRELATION
from optionchain.surfaces.wings import Which, steepest, straightened

# Below it the quotient is its own expansion to all digits.
_NEAR_ZERO = 1e-4


@smile("sabr")
@dataclass(frozen=True, slots=True, kw_only=True)
class Sabr:
    """The smile of the SABR model at leading order: its shape, with the volatility at the money given.

    ``sigma(k) = -nu k / x(z)`` with ``z = nu (1 - exp((1 - beta) k)) / (level (1 - beta))`` and
    ``x(z) = ln((sqrt(1 - 2 rho z + z²) + z - rho) / (1 - rho))``. The corrections of first order in time change the
    level more than the shape, and the level is given.

    Beyond ``nu² years = 1`` no expansion of SABR holds, and at much variance its slope at the money is more than any
    smile may have: from there on the smile keeps its shape, and gets wider. The far wings, which every such formula has
    too steep, are straight where they would be arbitraged.

    How steep it is depends on the volatility at the money, so that this is to be the same for all expirations: with a
    term structure that is not flat they could be arbitraged against each other.

    Attributes:
        rho: Correlation of the price with its volatility.
        nu: Volatility of the volatility, per root of a year.
        beta: Exponent of the price in its own volatility.

    Source:
        P. Hagan, D. Kumar, A. Lesniewski, D. Woodward, "Managing smile risk", 2002; J. Obloj, "Fine-tune your smile:
        correction to Hagan et al", 2008, equation 1 for the leading order.
    """

    rho: Annotated[
        float,
        Number("Correlation of the price with its volatility", low=-MOST_CORRELATION, high=MOST_CORRELATION),
    ]
    nu: Annotated[float, Number("Volatility of the volatility, per root of a year", low=1e-6, high=20.0)]
    beta: Annotated[float, Number("Exponent of the price in its own volatility", high=1.0)] = 1.0

    needs_flat_term: ClassVar[bool] = True

    def __post_init__(self) -> None:
        settle(self)

    def volatilities(self, log_moneyness: Floats, years: Floats, level: Floats) -> Floats:
        """The implied volatility of each contract; see `Smile.volatilities`."""
        time = np.maximum(years, LEAST_VARIANCE)
        level = np.maximum(level, np.sqrt(LEAST_VARIANCE / time))
        theta = level * level * time
        # Where there is more variance, the smile is the same one on a wider scale.
        lean = np.maximum(np.abs(self.rho * self.nu / level - (1.0 - self.beta)), 1e-12)
        narrowed = np.minimum(
            1.0 / np.maximum(1.0, self.nu * np.sqrt(time * (1.0 + 0.25 * theta))),
            steepest(theta) / (theta * lean),
        )

        def total(k: Floats, which: Which) -> Floats:
            factor = self._factor(k * narrowed[which], level[which])
            return np.asarray(theta[which] * factor * factor)

        variance = straightened(total, log_moneyness, theta, level)
        return np.asarray(level * np.sqrt(variance / theta))

    def _factor(self, k: Floats, level: Floats) -> Floats:
        """The volatility over that at the money."""
        backbone = 1.0 - self.beta
        stretched = numerics.expm1(backbone * k) / backbone if backbone else k
        z = -self.nu * stretched / level
        near = np.abs(z) < _NEAR_ZERO
        away = np.where(near, 1.0, z)
        bend = (2.0 - 3.0 * self.rho * self.rho) / 12.0
        expansion = 1.0 + z * (bend * z - 0.5 * self.rho)
        quotient = np.where(near, expansion, away / self._distance(away))
        shape = np.where(stretched == 0.0, 1.0, k / np.where(stretched == 0.0, 1.0, stretched))
        return np.asarray(quotient * shape)

    def _distance(self, z: Floats) -> Floats:
        """x(z), the geodesic distance, by the branch in which nothing cancels."""
        root = np.sqrt((z - self.rho) ** 2 + (1.0 - self.rho * self.rho))
        above = numerics.log((root + (z - self.rho)) / (1.0 - self.rho))
        below = -numerics.log((root - (z - self.rho)) / (1.0 + self.rho))
        return np.where(z > self.rho, above, below)
