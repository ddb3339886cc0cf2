"""Geometric Brownian motion."""

from __future__ import annotations

import math
from dataclasses import dataclass

from optionchain.draws import Draws
from optionchain.walks.log_euler import log_euler
from optionchain.walks.parameters import Drift, StepYears, Volatility, check_parameters
from optionchain.walks.tape import compounded
from optionchain.walks.walk import Tape, market_model


@market_model
@dataclass(frozen=True, slots=True, kw_only=True)
class GeometricBrownian:
    """A price whose log returns are independent and normal, the world of Black and Scholes.

    ``S *= exp((drift - volatility² / 2) dt + volatility sqrt(dt) z)``, so that ``E S(t) = S0 exp(drift t)``.

    Example:
        >>> from optionchain.draws import PhiloxDraws
        >>> walk = GeometricBrownian(dt=1 / 252, drift=0.05, volatility=0.0)
        >>> walk.sample(100.0, 253, PhiloxDraws(seed=1)).prices[0, -1].round(10)  # 100 exp(0.05)
        np.float64(105.1271096376)

    Source:
        F. Black, M. Scholes, "The Pricing of Options and Corporate Liabilities", 1973.
    """

    dt: StepYears
    drift: Drift
    volatility: Volatility

    def __post_init__(self) -> None:
        check_parameters(self)

    def sample(self, spot: float, steps: int, draws: Draws) -> Tape:
        """Draw a path for each of `draws`; arguments, result and errors as `Walk.sample`."""
        log_returns = log_euler(self.drift, self.volatility, self.dt, steps - 1, draws)
        years = self.dt * steps
        at_fault = {"drift": self.drift * years, "volatility": self.volatility * math.sqrt(years)}
        return compounded(spot, log_returns, self.volatility, at_fault=at_fault)
