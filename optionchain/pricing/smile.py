"""How implied volatility changes with the strike: a parabola in log-moneyness."""

from __future__ import annotations

import numpy as np

from optionchain import numerics
from optionchain.arrays import Floats, Strikes
from optionchain.numerics.formula import Number, formula, select

LOWEST_FACTOR, HIGHEST_FACTOR = 0.01, 3.0
LOWEST_VOLATILITY, HIGHEST_VOLATILITY = 1e-4, 5.0


def smile(
    *,
    base_volatility: float | Floats,
    spot: float | Floats,
    strikes: Strikes,
    skew_slope: float | Floats,
    smile_curve: float | Floats,
) -> Strikes:
    """Return the implied volatility of each strike.

    Args:
        base_volatility: Annualised volatility at the money, >= 0; one, or one that broadcasts with the strikes.
        spot: Currency units, > 0; likewise.
        strikes: ``[strikes]`` Currency units, > 0.
        skew_slope: Relative change of volatility per unit of log-moneyness ``ln(strike / spot)``; likewise.
        smile_curve: Relative change per unit of squared log-moneyness; likewise.

    Returns:
        ``[strikes]`` Annualised, from 0.01 to 3 times the base and within [1e-4, 5].

    Example:
        >>> strikes = np.array([90.0, 100.0, 110.0])
        >>> smile(
        ...     base_volatility=0.2, spot=100.0, strikes=strikes, skew_slope=-0.2, smile_curve=0.4
        ... ).round(4)
        array([0.2051, 0.2   , 0.1969])
    """
    log_moneyness = numerics.log(np.asarray(strikes / spot))
    return np.asarray(bent(base_volatility, log_moneyness, skew_slope, smile_curve))


@formula
def bent(volatility: Number, log_moneyness: Number, skew_slope: Number, smile_curve: Number) -> Number:
    """The volatility at ``ln(strike / spot)``, given the one at the money."""
    factor = (smile_curve * log_moneyness + skew_slope) * log_moneyness + 1.0
    factor = select(factor > LOWEST_FACTOR, factor, LOWEST_FACTOR)
    factor = select(factor < HIGHEST_FACTOR, factor, HIGHEST_FACTOR)
    smiled = volatility * factor
    smiled = select(smiled > LOWEST_VOLATILITY, smiled, LOWEST_VOLATILITY)
    return select(smiled < HIGHEST_VOLATILITY, smiled, HIGHEST_VOLATILITY)
