"""What NumPy and SciPy price when a formula is written for one case alone: the measure of `proving.bench.pricing`."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import ndtr

from optionchain.arrays import Floats
from optionchain.pricing.kernel import BLOCK

RATE, DIVIDEND_YIELD, SPOT = 0.03, 0.01, 100.0


def value_by_hand(strikes: Floats, years: Floats | float, volatilities: Floats) -> Floats:
    """The textbook's formulas for call, put, delta, gamma and vega, in the same blocks and in place."""
    results = np.empty((5, strikes.size))
    work = np.empty((3, BLOCK))
    for start in range(0, strikes.size, BLOCK):
        block = slice(start, start + BLOCK)
        _value_block(
            strikes[block],
            years if isinstance(years, float) else years[block],
            volatilities[block],
            results[:, block],
            work[:, : strikes[block].size],
        )
    return results


def _value_block(
    strikes: Floats, years: Floats | float, volatilities: Floats, results: Floats, work: Floats
) -> None:
    call, put, delta, gamma, vega = results
    deviation, d1, bond = work
    root_years, carry, discount = np.sqrt(years), np.exp(-DIVIDEND_YIELD * years), np.exp(-RATE * years)
    np.multiply(volatilities, root_years, out=deviation)
    np.log(np.divide(SPOT, strikes, out=d1), out=d1)
    drift = np.multiply(volatilities, volatilities, out=bond)
    np.multiply(drift, 0.5, out=drift)
    np.add(drift, RATE - DIVIDEND_YIELD, out=drift)
    np.multiply(drift, years, out=drift)
    np.divide(np.add(d1, drift, out=d1), deviation, out=d1)
    np.multiply(strikes, discount, out=bond)
    np.multiply(ndtr(d1, out=delta), carry, out=delta)
    np.multiply(ndtr(np.subtract(d1, deviation, out=put), out=put), bond, out=put)
    np.subtract(np.multiply(delta, SPOT, out=call), put, out=call)
    np.add(np.subtract(call, SPOT * carry, out=put), bond, out=put)
    density = np.exp(np.multiply(np.multiply(d1, d1, out=d1), -0.5, out=d1), out=d1)
    np.multiply(density, carry / math.sqrt(2.0 * math.pi), out=density)
    np.divide(density, np.multiply(deviation, SPOT, out=deviation), out=gamma)
    np.multiply(density, SPOT * root_years, out=vega)
