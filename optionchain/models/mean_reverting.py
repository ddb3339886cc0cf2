"""Mean reversion of the log price."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated

from optionchain import numerics
from optionchain.declared.fields import Number, settle
from optionchain.declared.limits import HIGHEST_PATH
from optionchain.draws.philox import Draws, Factor
from optionchain.models.model import SampledPaths, market_model
from optionchain.models.parameters import StepYears, Volatility
from optionchain.models.path import levels
from optionchain.processes.ornstein_uhlenbeck import transition
from optionchain.processes.recursion import recur

# Far below any price, and near enough that the ratio of the start to it is a number.
LEAST_MEAN = 1e-100


@market_model
@dataclass(frozen=True, slots=True, kw_only=True)
class MeanReverting:
    """Schwartz's one-factor model: an Ornstein-Uhlenbeck process on ``ln S``, drawn from its exact law.

    ``d ln S = speed (ln mean - ln S) dt + volatility dW``. In the long run ``ln S`` is normal around
    ``ln mean`` with variance ``volatility² / (2 speed)``, so `mean` is the price's median. The pull is the
    same from above and from below; a speed of zero has none.

    Source:
        E. Schwartz, "The Stochastic Behavior of Commodity Prices", 1997, equations 1-3.
    """

    dt: StepYears
    volatility: Volatility
    speed: Annotated[float, Number("Speed of mean reversion, per year.", high=1e4)]
    mean: Annotated[float, Number("Price that the path returns to.", low=LEAST_MEAN, high=HIGHEST_PATH)]

    def __post_init__(self) -> None:
        settle(self)

    def sample(self, spot: float, steps: int, draws: Draws) -> SampledPaths:
        """Draw a path for each of `draws`; arguments, result and errors as `MarketModel.sample`."""
        decay, deviation = transition(self.speed, self.volatility, self.dt)
        shocks = draws.normals(Factor.PRICE, steps - 1)
        shocks *= deviation
        start = numerics.log(spot / self.mean)
        log_growth = recur(lambda distance, shock: decay * distance + shock, start, shocks)
        log_growth -= start
        at_fault = {"mean": -start, "volatility": deviation * math.sqrt(steps)}
        return levels(spot, log_growth, self.volatility, at_fault=at_fault)
