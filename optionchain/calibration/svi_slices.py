"""SVI of each expiration by itself, and where the slices could be arbitraged."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import least_squares

from optionchain.arrays import Floats
from optionchain.calibration.points import Points
from optionchain.surfaces.ssvi import MOST_CORRELATION


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SviSlice:
    """The raw SVI of one expiration: total variance ``a + b (rho (k - m) + sqrt((k - m)² + sigma²))``.

    Attributes:
        years: To expiration.
        a, b, rho, m, sigma: Parameters.
        error: Root of the mean squared difference of volatilities.
        has_butterflies: Whether Durrleman's condition fails anywhere within twice the strikes' range.
    """

    years: float
    a: float
    b: float
    rho: float
    m: float
    sigma: float
    error: float
    has_butterflies: bool

    def volatilities(self, log_moneyness: Floats) -> Floats:
        """Annualised, of each log-moneyness."""
        return np.asarray(
            np.sqrt(_raw(log_moneyness, self.a, self.b, self.rho, self.m, self.sigma) / self.years)
        )


def svi_slice(points: Points, expiration: float) -> SviSlice:
    """The raw SVI that comes nearest to one expiration."""
    some = points.expiration == expiration
    k, years = points.log_moneyness[some], float(points.years[some][0])
    seen, weights = points.volatilities[some], points.weights[some]
    total = seen * seen * years
    spread = max(float(np.ptp(k)), 1e-4)

    def residuals(x: Floats) -> Floats:
        variance = _raw(k, *x)
        return np.asarray(weights * (np.sqrt(np.maximum(variance, 1e-12) / years) - seen))

    best: Any = None
    for rho in (-0.5, 0.0, 0.5):
        start = [
            0.5 * float(total.min()),
            float(np.ptp(total)) / spread + 1e-3,
            rho,
            float(k[total.argmin()]) / 2.0,
            spread / 4.0,
        ]
        bounds = (
            [-float(total.max()), 1e-8, -MOST_CORRELATION, -4.0 * spread, 1e-5],
            [float(total.max()), 4.0, MOST_CORRELATION, 4.0 * spread, 20.0 * spread],
        )
        found = least_squares(
            residuals, start, bounds=bounds, x_scale="jac", xtol=1e-14, ftol=1e-14, gtol=1e-14
        )
        if best is None or found.cost < best.cost:
            best = found
    a, b, rho, m, sigma = map(float, best.x)
    error = math.sqrt(float(np.mean(best.fun**2)))
    wide = np.linspace(2.0 * float(k.min()), 2.0 * float(k.max()), 801)
    return SviSlice(
        years=years,
        a=a,
        b=b,
        rho=rho,
        m=m,
        sigma=sigma,
        error=error,
        has_butterflies=bool(_durrleman(wide, a, b, rho, m, sigma).min() < -1e-9),
    )


def _raw(k: Floats, a: float, b: float, rho: float, m: float, sigma: float) -> Floats:
    return np.asarray(a + b * (rho * (k - m) + np.sqrt((k - m) ** 2 + sigma * sigma)))


def _durrleman(k: Floats, a: float, b: float, rho: float, m: float, sigma: float) -> Floats:
    """Below zero where the density is; of variance that is not above zero, below too."""
    root = np.sqrt((k - m) ** 2 + sigma * sigma)
    w = np.maximum(_raw(k, a, b, rho, m, sigma), 1e-12)
    slope, bend = b * (rho + (k - m) / root), b * sigma * sigma / root**3
    return np.asarray((1.0 - 0.5 * k * slope / w) ** 2 - 0.25 * slope**2 * (1.0 / w + 0.25) + 0.5 * bend)


def crossings(slices: Sequence[SviSlice], points: Points) -> tuple[tuple[float, float], ...]:
    """The years of neighbours of which the later has less total variance somewhere between the strikes."""
    k = np.linspace(float(points.log_moneyness.min()), float(points.log_moneyness.max()), 401)
    totals = [_raw(k, each.a, each.b, each.rho, each.m, each.sigma) for each in slices]
    pairs = zip(slices, slices[1:], totals, totals[1:], strict=False)
    return tuple((early.years, late.years) for early, late, w, later in pairs if np.any(later < w - 1e-9))
