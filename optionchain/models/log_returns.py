"""Autocorrelated log returns."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated

from optionchain.declared.fields import Number, settle
from optionchain.draws.philox import Draws, Factor
from optionchain.models.model import SampledPaths, market_model
from optionchain.models.parameters import StepYears, Volatility
from optionchain.models.path import compounded
from optionchain.processes.recursion import recur


@market_model
@dataclass(frozen=True, slots=True, kw_only=True)
class LogReturns:
    """First-order autoregressive log returns.

    ``r = expected_return dt + volatility sqrt(dt) z + autocorrelation r_previous``, and ``S *= exp(r)``. The
    return before the first is zero.

    Source:
        G. Box, G. Jenkins, "Time Series Analysis", section 3.2, AR(1).
    """

    dt: StepYears
    expected_return: Annotated[
        float, Number("Mean of the log return's innovation, per year.", low=-1000.0, high=1000.0)
    ]
    volatility: Volatility
    autocorrelation: Annotated[
        float | None,
        Number("Part of a log return that the next repeats; null means 0.", low=-1.0, high=1.0),
    ] = None

    def __post_init__(self) -> None:
        settle(self)

    def sample(self, spot: float, steps: int, draws: Draws) -> SampledPaths:
        """Draw a path for each of `draws`; arguments, result and errors as `MarketModel.sample`."""
        innovations = draws.normals(Factor.PRICE, steps - 1)
        innovations *= self.volatility * math.sqrt(self.dt)
        innovations += self.expected_return * self.dt
        carried = self.autocorrelation or 0.0
        log_returns = recur(lambda last, innovation: innovation + carried * last, 0.0, innovations)[:, 1:]
        years = self.dt * steps
        at_fault = {
            "expected_return": self.expected_return * years,
            "volatility": self.volatility * math.sqrt(years),
        }
        return compounded(spot, log_returns, self.volatility, at_fault=at_fault)
