"""A mean-reverting volatility."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated

from optionchain.arrays import Paths
from optionchain.declared.fields import Number, settle
from optionchain.draws.philox import Draws, Factor
from optionchain.models.model import MAX_VOLATILITY, MIN_VOLATILITY, SampledPaths, market_model
from optionchain.models.parameters import Drift, StepYears, Volatility
from optionchain.models.path import compounded
from optionchain.processes.log_euler import log_euler
from optionchain.processes.ornstein_uhlenbeck import transition
from optionchain.processes.recursion import recur


@market_model
@dataclass(frozen=True, slots=True, kw_only=True)
class Custom:
    """A volatility that is an exact Ornstein-Uhlenbeck process reflected at 1e-4, independent of the price.

    ``d sigma = vol_speed (vol_mean - sigma) dt + vov dW`` from `volatility`; the price is log-Euler with it:
    ``S *= exp((drift - sigma² / 2) dt + sigma sqrt(dt) z)``.

    Source:
        E. Stein, J. Stein, "Stock price distributions with stochastic volatility", 1991.
    """

    dt: StepYears
    drift: Drift
    volatility: Volatility
    vov: Annotated[float, Number("Volatility of the volatility, per year.", high=MAX_VOLATILITY)]
    vol_speed: Annotated[float, Number("Speed of the volatility's mean reversion, per year.", high=1e4)]
    vol_mean: Annotated[float, Number("Volatility that the path returns to.", high=MAX_VOLATILITY)]

    def __post_init__(self) -> None:
        settle(self)

    def sample(self, spot: float, steps: int, draws: Draws) -> SampledPaths:
        """Draw a path for each of `draws`; arguments, result and errors as `MarketModel.sample`."""
        volatilities = self._volatilities(steps - 1, draws)
        log_returns = log_euler(self.drift, volatilities[:, :-1], self.dt, steps - 1, draws)
        years = self.dt * steps
        at_fault = {
            "drift": self.drift * years,
            "volatility": max(self.volatility, self.vol_mean) * math.sqrt(years),
            "vov": self.vov * years,
        }
        return compounded(spot, log_returns, volatilities, at_fault=at_fault)

    def _volatilities(self, moves: int, draws: Draws) -> Paths:
        decay, deviation = transition(self.vol_speed, self.vov, self.dt)
        shocks = draws.normals(Factor.VOLATILITY, moves)
        shocks *= deviation
        shocks += (1.0 - decay) * self.vol_mean - MIN_VOLATILITY
        start = max(self.volatility, MIN_VOLATILITY)
        return recur(lambda last, shock: abs(decay * last + shock) + MIN_VOLATILITY, start, shocks)
