"""Geometric Brownian motion."""

from __future__ import annotations

import math
from dataclasses import dataclass

from optionchain.declared.fields import settle
from optionchain.draws.philox import Draws
from optionchain.models.model import SampledPaths, market_model
from optionchain.models.parameters import Drift, StepYears, Volatility
from optionchain.models.path import compounded
from optionchain.processes.log_euler import log_euler


@market_model
@dataclass(frozen=True, slots=True, kw_only=True)
class GeometricBrownian:
    """A price whose log returns are independent and normal, the world of Black and Scholes.

    ``S *= exp((drift - volatility² / 2) dt + volatility sqrt(dt) z)``, so that ``E S(t) = S0 exp(drift t)``.

    Example:
        >>> from optionchain.draws.philox import PhiloxDraws
        >>> model = GeometricBrownian(dt=1 / 252, drift=0.05, volatility=0.0)
        >>> model.sample(100.0, 253, PhiloxDraws(seed=1)).prices[0, -1].round(10)  # 100 exp(0.05)
        np.float64(105.1271096376)

    Source:
        F. Black, M. Scholes, "The Pricing of Options and Corporate Liabilities", 1973.
    """

    dt: StepYears
    drift: Drift
    volatility: Volatility

    def __post_init__(self) -> None:
        settle(self)

    def sample(self, spot: float, steps: int, draws: Draws) -> SampledPaths:
        """Draw a path for each of `draws`; arguments, result and errors as `MarketModel.sample`."""
        log_returns = log_euler(self.drift, self.volatility, self.dt, steps - 1, draws)
        years = self.dt * steps
        at_fault = {"drift": self.drift * years, "volatility": self.volatility * math.sqrt(years)}
        return compounded(spot, log_returns, self.volatility, at_fault=at_fault)
