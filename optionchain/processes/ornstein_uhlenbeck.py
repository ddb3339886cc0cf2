"""The exact transition of an Ornstein-Uhlenbeck process."""

from __future__ import annotations

import math

from optionchain import numerics


def transition(speed: float, volatility: float, years: float) -> tuple[float, float]:
    """How ``dX = speed (mean - X) dt + volatility dW`` moves over a step.

    ``X - mean`` is multiplied by the decay, and a normal with the deviation is added.

    Args:
        speed: Per year, >= 0. Zero is Brownian motion.
        volatility: Per square root of a year, >= 0.
        years: Length of the step, > 0.

    Returns:
        The decay ``exp(-speed years)`` and the standard deviation
        ``volatility sqrt((1 - exp(-2 speed years)) / (2 speed))``.

    Example:
        >>> transition(0.0, 0.2, 0.25)
        (1.0, 0.1)

    Source:
        D. Gillespie, "Exact numerical simulation of the Ornstein-Uhlenbeck process", 1996, equation 1.9.
    """
    effective_years = -numerics.expm1(-2.0 * speed * years) / (2.0 * speed) if speed > 0.0 else years
    return numerics.exp(-speed * years), volatility * math.sqrt(effective_years)
