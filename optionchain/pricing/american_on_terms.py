"""American and Bermudan contracts on terms of their own: where rates, cash or the right depend on time, where variance
passes by a clock of trading days, and on futures.
"""

from __future__ import annotations

import numpy as np

from optionchain.arrays import Floats
from optionchain.pricing.american import CALL, PUT
from optionchain.pricing.black_scholes import DAYS_PER_YEAR, theta
from optionchain.pricing.exercise_grid import Ahead, early_exercise

# Less interest to expiration than this leaves early exercise worth nothing that matters to a slope.
_LITTLE_INTEREST = 1e-5


def exercise_on_grid(
    columns: Floats, ahead: Ahead, *, spot: float, present_value: float, pace: float = 1.0
) -> None:
    """Turn European contracts of one expiration into American or Bermudan ones, where anything depends on time.

    Args:
        columns: ``[AMERICAN, contracts]`` as `exercise` takes them, with the theta and rho of European contracts.
        ahead: What comes until expiration.
        spot: With the dividends to come, or the future.
        present_value: Of the dividends that come off what is priced on.
        pace: How fast variance passes at the moment.
    """
    bare, rate = spot - present_value, ahead.short_rate
    for is_call in (True, False):
        price, delta, gamma, vega, decay, by_rate = (columns[row] for row in (CALL if is_call else PUT))
        early = early_exercise(ahead, spot, columns[0], columns[1], is_call=is_call)
        decay += theta(
            price=early.value,
            delta=early.slope,
            gamma=early.curvature,
            spot=bare,
            years=ahead.years,
            volatilities=columns[1],
            rate=rate,
            dividend_yield=rate if ahead.is_future else ahead.dividend_yield,
        )
        decay -= early.slope * rate * present_value / DAYS_PER_YEAR
        if pace != 1.0:
            decay += _by_clock(early.vega, columns[1], ahead.years, pace)
        by_rate += early.rho
        price += early.value
        # Beyond one, a share that costs its holder moves whoever cannot or would not exercise yet.
        bounds = (0.0, np.maximum(delta, 1.0)) if is_call else (np.minimum(delta, -1.0), 0.0)
        delta[:] = np.clip(delta + early.slope, *bounds)
        gamma[:] = np.maximum(gamma + early.curvature, 0.0)
        vega[:] = np.maximum(vega + early.vega, 0.0)
        intrinsic = spot - columns[0] if is_call else columns[0] - spot
        exercised = ((early.is_exercised > 0.0) | (price <= intrinsic)) & ahead.is_exercisable
        price[:] = np.where(exercised, intrinsic, price)
        delta[exercised] = 1.0 if is_call else -1.0
        for greek in (gamma, vega, decay, by_rate):
            greek[exercised] = 0.0


def thetas_by_clock(columns: Floats, years: Floats, paces: Floats) -> None:
    """Let thetas count that variance passes at another pace now than on average until expiration.

    Args:
        columns: ``[AMERICAN, contracts]`` as `exercise` wrote them.
        years: ``[contracts]``.
        paces: ``[contracts]`` how fast variance passes at the moment, 1 being as on average.
    """
    which = np.flatnonzero((paces != 1.0) & (years > 0.0))
    for _, _, _, vega, decay, _ in (CALL, PUT) if which.size else ():
        columns[decay, which] += _by_clock(
            columns[vega, which], columns[1, which], years[which], paces[which]
        )


def _by_clock(vega: Floats, volatilities: Floats, years: Floats | float, pace: Floats | float) -> Floats:
    """What a day adds to prices by changing the average volatility of the time that is left.

    Source:
        The variance that is left, ``volatility**2 * years``, falls by ``pace * volatility**2`` a year.
    """
    changes = volatilities * (1.0 - pace) / (2.0 * years * DAYS_PER_YEAR)
    by_day: Floats = 100.0 * vega * changes
    return by_day


def rhos_on_futures(columns: Floats, years: Floats, rates: Floats) -> None:
    """Write the rhos of contracts on futures, whose price no rate moves, over those on spots.

    Args:
        columns: ``[AMERICAN, contracts]`` as `exercise` wrote them.
        years: ``[contracts]``.
        rates: ``[contracts]`` by which they are discounted.

    Source:
        A price in units of the future depends on ``rate * years`` and ``volatility**2 * years`` alone, so that its
        slope by the rate follows from those by time and by volatility.
    """
    is_little = np.abs(rates) * years < _LITTLE_INTEREST
    for price, _, _, vega, decay, by_rate in (tuple(columns[row] for row in rows) for rows in (CALL, PUT)):
        by_time = -DAYS_PER_YEAR * decay
        scaled = (years * by_time - 0.5 * columns[1] * 100.0 * vega) / np.where(is_little, 1.0, rates)
        by_rate[:] = 0.01 * np.where(is_little, -years * price, scaled)
