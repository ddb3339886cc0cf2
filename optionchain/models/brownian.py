"""Arithmetic Brownian motion."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from optionchain.declared.fields import settle
from optionchain.declared.limits import HIGHEST_PATH
from optionchain.draws.philox import Draws, Factor
from optionchain.models.model import SampledPaths, market_model
from optionchain.models.parameters import Drift, StepYears, Volatility
from optionchain.models.path import price_floor, quoted_volatilities, too_high


@market_model
@dataclass(frozen=True, slots=True, kw_only=True)
class Brownian:
    """A price whose moves are independent and normal, absorbed at one cent: Bachelier's model.

    ``S += drift S0 dt + volatility S0 sqrt(dt) z``. Drift and volatility are fractions of the price at the
    start, so that their numbers mean about the same as in `GeometricBrownian`.

    Source:
        L. Bachelier, "Théorie de la spéculation", 1900.
    """

    dt: StepYears
    drift: Drift
    volatility: Volatility

    def __post_init__(self) -> None:
        settle(self)

    def sample(self, spot: float, steps: int, draws: Draws) -> SampledPaths:
        """Draw a path for each of `draws`; arguments, result and errors as `MarketModel.sample`."""
        moves = draws.normals(Factor.PRICE, steps - 1)
        moves *= self.volatility * math.sqrt(self.dt)
        moves += self.drift * self.dt
        prices = np.ones((draws.paths, steps))
        np.cumsum(moves, axis=1, out=prices[:, 1:])
        prices[:, 1:] += 1.0
        prices *= spot
        if prices.max() > HIGHEST_PATH:
            years = self.dt * steps
            raise too_high({"drift": self.drift * years, "volatility": self.volatility * math.sqrt(years)})
        floor = price_floor(spot)
        prices[np.minimum.accumulate(prices, axis=1) < floor] = floor
        return SampledPaths(prices=prices, volatilities=quoted_volatilities(self.volatility, prices))
