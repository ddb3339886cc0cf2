"""Options that can be exercised on some dates before they expire: between European and American ones."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from optionchain.arrays import Floats
from optionchain.errors import InvalidInput
from optionchain.pricing.american import (
    CALL,
    OF_VALUATION,
    PUT,
    PUT_GAMMA,
    PUT_VEGA,
    AmericanValuation,
    european_columns,
)
from optionchain.pricing.american_on_terms import exercise_on_grid
from optionchain.pricing.black_scholes import (  # noqa: F401  the example names black_scholes
    black_scholes,
    rho,
    theta,
)
from optionchain.pricing.exercise_grid import Ahead
from optionchain.pricing.inputs import checked, common_shape, flat, numbers

_NO_DIVIDENDS = np.empty((0, 2))


def bermudan(
    *,
    spot: ArrayLike,
    strike: ArrayLike,
    expiry_years: ArrayLike,
    volatility: ArrayLike,
    rate: ArrayLike = 0.0,
    dividend_yield: ArrayLike = 0.0,
    exercise_years: Sequence[float],
) -> AmericanValuation:
    """Value calls and puts that can be exercised on some dates and when they expire; the inputs broadcast.

    Args:
        spot: Currency units, > 0.
        strike: Currency units, > 0.
        expiry_years: Years, ACT/365, >= 0. Zero gives what `black_scholes` gives.
        volatility: Annualised, > 0.
        rate: Annualised, continuously compounded.
        dividend_yield: Annualised, continuously compounded.
        exercise_years: Years to the dates, >= 0. 0 is now; those from the expiration on are of no account.

    Returns:
        Arrays of the broadcast shape. The European price and what the dates add to it, by finite differences: within
        3e-5 of the spot, measured against QuantLib's. Between dates a price may be less than the intrinsic value.

    Raises:
        InvalidInput: An input is not numeric, not finite or out of range, or the shapes do not broadcast.

    Source:
        As `optionchain.pricing.exercise_grid` has it.

    Example:
        >>> terms = dict(spot=100.0, strike=110.0, expiry_years=1.0, volatility=0.25, rate=0.05)
        >>> quarterly = bermudan(**terms, exercise_years=[0.25, 0.5, 0.75])
        >>> (quarterly.put_price - black_scholes(**terms).put_price).round(2)
        np.float64(0.86)
    """
    terms = checked(
        spot=spot,
        strike=strike,
        expiry_years=expiry_years,
        volatility=volatility,
        rate=rate,
        dividend_yield=dividend_yield,
    )
    if not np.all(terms["volatility"] > 0.0):
        raise InvalidInput("volatility", "must be greater than 0")
    dates = numbers("exercise_years", exercise_years)
    if dates.ndim != 1 or not np.all(dates >= 0.0):
        raise InvalidInput("exercise_years", "must be a list of numbers from 0 on")
    shape = common_shape(**terms)
    spots, strikes, years, volatilities, rates, yields = (flat(term, shape) for term in terms.values())
    columns = european_columns(spots, strikes, years, volatilities, rates, yields)
    columns[PUT_GAMMA], columns[PUT_VEGA] = columns[6], columns[7]
    alike = np.stack([spots, years, rates, yields])
    for group in np.unique(alike, axis=1).T:
        which = np.flatnonzero((alike == group[:, None]).all(axis=0))
        columns[:, which] = _of_one_expiration(columns[:, which], *group.tolist(), dates=dates)
    return AmericanValuation(*(columns[row].reshape(shape) for row in OF_VALUATION))


def _of_one_expiration(
    columns: Floats, spot: float, years: float, rate: float, dividend_yield: float, *, dates: Floats
) -> Floats:
    """European contracts with the slopes that they lack, and with what the dates before their expiration add."""
    for price, delta, gamma, _, decay, by_rate in (CALL, PUT):
        columns[decay] = theta(
            price=columns[price],
            delta=columns[delta],
            gamma=columns[gamma],
            spot=spot,
            years=years,
            volatilities=columns[1],
            rate=rate,
            dividend_yield=dividend_yield,
        )
        columns[by_rate] = rho(price=columns[price], delta=columns[delta], spot=spot, years=years)
    before = np.sort(dates[dates < years])
    if before.size:
        ahead = Ahead(
            years=years,
            curve=np.array([(years, rate)]),
            dividend_yield=dividend_yield,
            dividends=_NO_DIVIDENDS,
            exercises=before,
        )
        exercise_on_grid(columns, ahead, spot=spot, present_value=0.0)
    return columns
