"""When the holder of an option exercises it early, so that who has sold it is assigned: a function of the path."""

from __future__ import annotations

from typing import Literal

import numpy as np

from optionchain.arrays import Floats
from optionchain.contracts.carried import discounts_of, drops_of, exercise_steps
from optionchain.parameters import SimulationParameters
from optionchain.pricing.black_scholes import DAYS_PER_YEAR

# Of the strike: a price that is so near to the intrinsic value is that.
_ROUNDING = 1e-9


def exercised_early(
    parameters: SimulationParameters,
    side: Literal["call", "put"],
    values: Floats,
    prices: Floats,
    strikes: Floats,
    first: int,
) -> Floats:
    """What an optimal holder gets by exercising at each step, 0 where he waits.

    He exercises where the option is worth what exercise brings. A call before a dividend is held to the last instant,
    for the strike bears interest till then: of the steps it is the last one before the ex-date, if no more than that
    interest is left. A bermudan option he exercises on the first steps at or after its dates.

    Args:
        parameters: Of the simulation.
        side: Of the option.
        values: ``[paths, steps]`` of it.
        prices: ``[paths, steps]`` of the underlying.
        strikes: ``[paths]``.
        first: Which step the first of them is.
    """
    sign = 1.0 if side == "call" else -1.0
    intrinsic = sign * (prices - strikes[:, None])
    left = values - intrinsic
    allowed = np.full(values.shape, _ROUNDING) * strikes[:, None]
    steps, dates = np.arange(first, first + values.shape[1]), exercise_steps(parameters)
    if dates is not None:
        intrinsic = np.where(np.isin(steps, dates), intrinsic, 0.0)
    elif side == "call" and parameters.dividends:
        years = parameters.interval.total_seconds() / 86_400.0 / DAYS_PER_YEAR
        interest = max(1.0 - float(discounts_of(parameters, np.array([years]))[0]), 0.0)
        falls = [step - 1 for step, _ in drops_of(parameters)]
        is_last = np.isin(steps, falls)
        allowed = allowed + np.where(is_last, interest, 0.0) * strikes[:, None]
    exercised: Floats = np.where((intrinsic > 0.0) & (left <= allowed), intrinsic, 0.0)
    return exercised
