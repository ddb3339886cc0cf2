"""The variance of an SVI smile: a hyperbola in log-moneyness, as the pricing loop evaluates it."""

from __future__ import annotations

import numpy as np

from optionchain.numerics.formula import Number, formula, select
from optionchain.pricing.smile import LOWEST_VOLATILITY


@formula
def hyperbolic(k: Number, a: Number, b: Number, rho: Number, m: Number, s: Number) -> Number:
    """The volatility at ``k = ln(strike / forward)``, of a variance ``a + b (rho (k - m) + sqrt((k - m)² + s²))``.

    Source:
        J. Gatheral, "A parsimonious arbitrage-free implied volatility parameterization", 2004; here for the variance
        a year and not the total one, so that it has a limit at expiration.
    """
    from_centre = k - m
    variance = a + b * (rho * from_centre + np.sqrt(from_centre * from_centre + s * s))
    variance = select(
        variance > LOWEST_VOLATILITY * LOWEST_VOLATILITY, variance, LOWEST_VOLATILITY * LOWEST_VOLATILITY
    )
    return np.sqrt(variance)
