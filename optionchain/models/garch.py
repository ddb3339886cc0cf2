"""Volatility clustering."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from optionchain.declared.fields import Number, settle
from optionchain.draws.philox import Draws, Factor
from optionchain.errors import InvalidInput
from optionchain.models.model import SampledPaths, market_model
from optionchain.models.parameters import Drift, StepYears, Volatility
from optionchain.models.path import compounded
from optionchain.processes.recursion import recur


@market_model
@dataclass(frozen=True, slots=True, kw_only=True)
class Garch:
    """GARCH(1,1) on the returns of a step, with the long-run volatility `volatility`, where it also starts.

    The variance h of a step follows ``h' = omega + alpha e² + beta h`` with ``e = sqrt(h) z`` and
    ``omega = volatility² dt (1 - alpha - beta)``. The price follows ``S *= exp(drift dt - h / 2 + e)``, so
    that ``E S(t) = S0 exp(drift t)``.

    Source:
        T. Bollerslev, "Generalized autoregressive conditional heteroskedasticity", 1986.
    """

    dt: StepYears
    drift: Drift
    volatility: Volatility
    alpha: Annotated[float, Number("Weight of the last squared return; alpha + beta < 1.", high=1.0)]
    beta: Annotated[float, Number("Weight of the last variance; alpha + beta < 1.", high=1.0)]

    def __post_init__(self) -> None:
        settle(self)
        if self.alpha + self.beta >= 1.0:
            raise InvalidInput("alpha", "alpha + beta must be less than 1")

    def sample(self, spot: float, steps: int, draws: Draws) -> SampledPaths:
        """Draw a path for each of `draws`; arguments, result and errors as `MarketModel.sample`."""
        normals = draws.normals(Factor.PRICE, steps - 1)
        long_run = self.volatility * self.volatility * self.dt
        omega, alpha, beta = long_run * (1.0 - self.alpha - self.beta), self.alpha, self.beta
        variances = recur(lambda h, z: omega + (alpha * (z * z) + beta) * h, long_run, normals)
        log_returns = np.sqrt(variances[:, :-1]) * normals
        log_returns += self.drift * self.dt - variances[:, :-1] / 2
        years = self.dt * steps
        at_fault = {"drift": self.drift * years, "volatility": self.volatility * math.sqrt(years)}
        return compounded(spot, log_returns, np.sqrt(variances / self.dt), at_fault=at_fault)
