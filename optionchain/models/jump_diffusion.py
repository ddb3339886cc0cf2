"""Merton's jump diffusion."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from optionchain import numerics
from optionchain.arrays import Paths
from optionchain.declared.fields import Number, settle
from optionchain.draws.philox import Draws, Factor
from optionchain.models.model import MAX_VOLATILITY, SampledPaths, market_model
from optionchain.models.parameters import Drift, StepYears, Volatility
from optionchain.models.path import compounded
from optionchain.processes.log_euler import log_euler


@market_model
@dataclass(frozen=True, slots=True, kw_only=True)
class JumpDiffusion:
    """Geometric Brownian motion with log-normal jumps at Poisson times.

    The drift is compensated for the jumps, so that ``E S(t) = S0 exp(drift t)``. `volatility`, which prices
    the chain, is that of the diffusion alone.

    Source:
        R. Merton, "Option pricing when underlying stock returns are discontinuous", 1976.
    """

    dt: StepYears
    drift: Drift
    volatility: Volatility
    intensity: Annotated[float, Number("Expected number of jumps per year.", high=1e4)]
    jump_mean: Annotated[float, Number("Mean of the logarithm of a jump.", low=-10.0, high=10.0)]
    jump_volatility: Annotated[
        float, Number("Standard deviation of the logarithm of a jump.", high=MAX_VOLATILITY)
    ]

    def __post_init__(self) -> None:
        settle(self)

    def sample(self, spot: float, steps: int, draws: Draws) -> SampledPaths:
        """Draw a path for each of `draws`; arguments, result and errors as `MarketModel.sample`."""
        drift = self.drift - self._compensator()
        log_returns = log_euler(drift, self.volatility, self.dt, steps - 1, draws)
        log_returns += self._jumps(steps - 1, draws)
        return compounded(spot, log_returns, self.volatility, at_fault=self._at_fault(self.dt * steps))

    def _compensator(self) -> float:
        """Growth per year that the jumps alone would bring."""
        return self.intensity * numerics.expm1(
            self.jump_mean + self.jump_volatility * self.jump_volatility / 2
        )

    def _jumps(self, moves: int, draws: Draws) -> Paths:
        """Sum of the log jumps of each move: given their number, it is normal."""
        counts = poisson(self.intensity * self.dt, draws.uniforms(Factor.JUMP_COUNT, moves))
        sizes = draws.normals(Factor.JUMP_SIZE, moves)
        sizes *= self.jump_volatility * np.sqrt(counts)
        sizes += self.jump_mean * counts
        return sizes

    def _at_fault(self, years: float) -> dict[str, float]:
        jumps = self.intensity * years
        return {
            "drift": self.drift * years,
            "volatility": self.volatility * math.sqrt(years),
            "jump_mean": self.jump_mean * jumps,
            "jump_volatility": self.jump_volatility * math.sqrt(jumps),
        }


def poisson(rate: float, uniforms: Paths) -> Paths:
    """Poisson numbers by inversion: the least count whose distribution function is above the uniform.

    Args:
        rate: Expected count, >= 0.
        uniforms: In [0, 1), any shape.

    Returns:
        Whole numbers >= 0 as floats, in the shape of `uniforms`.

    Example:
        >>> poisson(1.0, np.array([0.3, 0.4, 0.9]))  # exp(-1) = 0.368
        array([0., 1., 2.])
    """
    most = rate + 12.0 * math.sqrt(rate) + 30.0  # beyond it the distribution function is 1 to the last bit
    mode = math.floor(rate)
    # Each count's probability over that of the mode, from its neighbour's: arithmetic, the same everywhere. Each tail
    # is summed from its end, so that it keeps its digits.
    below = np.cumsum(np.cumprod(np.arange(mode, 0, -1) / rate)[::-1]) if mode else np.empty(0)
    above = np.cumsum(np.cumprod(rate / np.arange(mode + 1, math.ceil(most)))[::-1])[::-1]
    total = below[-1:].sum() + 1.0 + above[0]
    distribution = np.concatenate([below / total, 1.0 - above / total, [1.0]])
    return np.searchsorted(distribution, uniforms, side="right").astype(np.float64)
