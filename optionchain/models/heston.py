"""Heston's stochastic variance."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from optionchain.arrays import Paths
from optionchain.declared.fields import Number, settle
from optionchain.draws.philox import Draws, Factor
from optionchain.models.model import MAX_VOLATILITY, SampledPaths, market_model
from optionchain.models.parameters import Drift, StepYears, Volatility
from optionchain.models.path import compounded
from optionchain.processes.quadratic_exponential import VarianceStep
from optionchain.processes.recursion import recur

# Below it `rho / xi` would lose the variance's moves to rounding, and there is none to correlate with.
LEAST_XI = 1e-6


@market_model
@dataclass(frozen=True, slots=True, kw_only=True)
class Heston:
    """A price whose variance follows a square-root process from ``volatility²``.

    ``dv = kappa (theta - v) dt + xi sqrt(v) dW_v`` and ``d ln S = (drift - v / 2) dt + sqrt(v) dW_S``, with
    correlation rho. The variance is drawn by Andersen's quadratic-exponential scheme, which never leaves
    [0, inf), and the price by his central discretisation with the martingale correction, so that
    ``E S(t) = S0 exp(drift t)`` at every `dt`.

    Source:
        L. Andersen, "Efficient Simulation of the Heston Stochastic Volatility Model", 2007, sections 3.2, 4.
    """

    dt: StepYears
    drift: Drift
    volatility: Volatility
    kappa: Annotated[float, Number("Speed of the variance's mean reversion, per year.", high=1e3)]
    theta: Annotated[float, Number("Long-run variance: a volatility squared.", high=MAX_VOLATILITY**2)]
    xi: Annotated[float, Number("Volatility of the variance.", high=100.0)]
    rho: Annotated[float, Number("Correlation of the price with its variance.", low=-1.0, high=1.0)]

    def __post_init__(self) -> None:
        settle(self)

    def sample(self, spot: float, steps: int, draws: Draws) -> SampledPaths:
        """Draw a path for each of `draws`; arguments, result and errors as `MarketModel.sample`."""
        scheme = VarianceStep.of(kappa=self.kappa, theta=self.theta, xi=self.xi, dt=self.dt)
        normals = draws.normals(Factor.VOLATILITY, steps - 1)
        variances = recur(scheme.next_variance, self.volatility * self.volatility, normals)
        log_returns = self._log_returns(variances, scheme, draws.normals(Factor.PRICE, steps - 1))
        years = self.dt * steps
        at_fault = {
            "drift": self.drift * years,
            "volatility": self.volatility * math.sqrt(years),
            "theta": math.sqrt(self.theta * years),
            "xi": self.xi * years,
        }
        return compounded(spot, log_returns, np.sqrt(variances), at_fault=at_fault)

    def _log_returns(self, variances: Paths, scheme: VarianceStep, normals: Paths) -> Paths:
        """Andersen's equation 33 with the constant of equation 39, in which K0 and K1 cancel."""
        now, then = variances[:, :-1], variances[:, 1:]
        rho, rho_over_xi = (self.rho, self.rho / self.xi) if self.xi >= LEAST_XI else (0.0, 0.0)
        independent = (1.0 - rho * rho) * self.dt / 2  # K3 and K4
        response = rho_over_xi + (self.kappa * rho_over_xi - 0.5) * self.dt / 2  # K2
        loading = scheme.bounded_loading(now, response + independent / 2)  # A
        normals *= np.sqrt(independent * (now + then))
        normals += (loading - independent / 2) * then - independent / 2 * now
        normals += self.drift * self.dt - scheme.log_exponential_moment(now, loading)
        return normals
