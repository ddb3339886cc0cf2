"""A volatility that switches between two levels."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np

from optionchain import numerics
from optionchain.arrays import Paths
from optionchain.declared.fields import Number, settle
from optionchain.draws.philox import Draws, Factor
from optionchain.models.model import SampledPaths, market_model
from optionchain.models.parameters import Drift, StepYears, Volatility
from optionchain.models.path import compounded
from optionchain.processes.log_euler import log_euler
from optionchain.processes.recursion import recur

UP, DOWN = 1.0, 0.0


@market_model
@dataclass(frozen=True, slots=True, kw_only=True)
class Telegraph:
    """A volatility driven by a telegraph process: a Markov chain of two states, which starts up.

    At each step the chain leaves its state with probability ``1 - exp(-lambda dt)``. The volatility is
    `volatility` times the state's multiplier, and the price is geometric Brownian motion with it.

    Source:
        M. Kac, "A stochastic model related to the telegrapher's equation", 1974.
    """

    dt: StepYears
    drift: Drift
    volatility: Volatility
    lambda_up: Annotated[float, Number("Rate of leaving the up state, per year.", high=1e6)]
    lambda_down: Annotated[float, Number("Rate of leaving the down state, per year.", high=1e6)]
    vol_multiplier_up: Annotated[
        float | None, Number("Factor of the volatility in the up state; null means 1.", high=100.0)
    ] = None
    vol_multiplier_down: Annotated[
        float | None, Number("Factor of the volatility in the down state; null means 1.", high=100.0)
    ] = None

    def __post_init__(self) -> None:
        settle(self)

    def sample(self, spot: float, steps: int, draws: Draws) -> SampledPaths:
        """Draw a path for each of `draws`; arguments, result and errors as `MarketModel.sample`."""
        up, down = self._levels()
        volatilities = np.where(self._states(steps - 1, draws) == UP, up, down)
        log_returns = log_euler(self.drift, volatilities[:, :-1], self.dt, steps - 1, draws)
        years = self.dt * steps
        at_fault = {"drift": self.drift * years, "volatility": max(up, down) * math.sqrt(years)}
        return compounded(spot, log_returns, volatilities, at_fault=at_fault)

    def _levels(self) -> tuple[float, float]:
        """The volatility in the up and in the down state."""
        up = 1.0 if self.vol_multiplier_up is None else self.vol_multiplier_up
        down = 1.0 if self.vol_multiplier_down is None else self.vol_multiplier_down
        return self.volatility * up, self.volatility * down

    def _states(self, moves: int, draws: Draws) -> Paths:
        leave_up = -numerics.expm1(-self.lambda_up * self.dt)
        leave_down = -numerics.expm1(-self.lambda_down * self.dt)

        def next_state(state: Any, uniform: Any) -> Any:
            leaves = uniform < leave_down + (leave_up - leave_down) * state
            return abs(state - leaves)

        return recur(next_state, UP, draws.uniforms(Factor.VOLATILITY, moves))
