"""Calls of Merton's jump diffusion, by his series over the number of jumps."""

from __future__ import annotations

import math

import numpy as np

from optionchain import numerics
from optionchain.arrays import Floats
from optionchain.models import JumpDiffusion

MOST_JUMPS = 400.0
"""Expected until an expiration: a series of 700 terms then has all its digits."""


def merton_calls(model: JumpDiffusion, log_moneyness: Floats, years: Floats, level: Floats) -> Floats:
    """Calls, undiscounted, on a forward of one.

    Given n jumps the price at expiration is log-normal; the weights are Poisson's.

    Args:
        model: The jumps.
        log_moneyness: ``[contracts]`` ``ln(strike / forward)``.
        years: ``[contracts]`` to expiration, >= 0.
        level: ``[contracts]`` annualised volatility of the diffusion.

    Source:
        R. Merton, "Option pricing when underlying stock returns are discontinuous", 1976, equation 19.
    """
    variance = model.jump_volatility * model.jump_volatility
    growth = model.jump_mean + 0.5 * variance  # logarithm of the mean of a jump
    expected = model.intensity * years
    compensation = expected * numerics.expm1(growth)
    strikes = numerics.exp(log_moneyness)
    log_weight = -expected
    calls = np.zeros_like(log_moneyness)
    log_expected = numerics.log(np.maximum(expected, 1e-300))
    mean = float(expected.max(initial=0.0)) * max(math.exp(growth), 1.0)
    for jumps in range(math.ceil(mean + 12.0 * math.sqrt(mean) + 30.0)):
        if jumps:
            log_weight = log_weight + log_expected - math.log(jumps)
        log_forward = jumps * growth - compensation
        total = np.maximum(np.sqrt(level * level * years + jumps * variance), 1e-100)
        d1 = (log_forward - log_moneyness) / total + 0.5 * total
        weight = numerics.exp(log_weight)
        calls += weight * (
            numerics.exp(log_forward) * numerics.ndtr(d1) - strikes * numerics.ndtr(d1 - total)
        )
    return calls
