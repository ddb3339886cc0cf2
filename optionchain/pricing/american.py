"""American options on an asset with a dividend yield: the European ones, and the right to exercise before expiry."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from optionchain import numerics
from optionchain.arrays import Floats
from optionchain.errors import InvalidInput
from optionchain.pricing.black_scholes import (  # noqa: F401  the example names black_scholes
    DAYS_PER_YEAR,
    black_scholes,
    rho,
    theta,
    value_contracts,
)
from optionchain.pricing.boundary_panels import panels_of
from optionchain.pricing.early_exercise import Premium, premiums
from optionchain.pricing.inputs import checked, common_shape, flat

LOWEST_VOLATILITY, HIGHEST_VOLATILITY = 1e-4, 10.0
# Per year. What interest of less earns by early exercise is about the rounding of a price.
_LEAST_INTEREST = 1e-14


@dataclass(frozen=True, slots=True, eq=False)
class AmericanValuation:
    """Prices and greeks of a call and of a put on the same terms, each of the broadcast shape of the inputs.

    Where an option is worth exercising now, its price is its intrinsic value, its delta 1 or -1, and every other
    greek zero.

    Attributes:
        call_price: Currency units, at least the intrinsic value and at least the European price.
        put_price: Currency units, likewise.
        call_delta: Price change per unit of spot, in [0, 1]; above 1 under a negative yield, where it may not be
            exercised now or gains nothing by it.
        put_delta: Price change per unit of spot, in [-1, 0]; below -1 likewise.
        call_gamma: Delta change per unit of spot.
        put_gamma: Delta change per unit of spot.
        call_vega: Price change per percentage point of volatility.
        put_vega: Price change per percentage point of volatility.
        call_theta: Price change per calendar day that passes.
        put_theta: Price change per calendar day that passes.
        call_rho: Price change per percentage point of the rate.
        put_rho: Price change per percentage point of the rate.
    """

    call_price: Floats
    put_price: Floats
    call_delta: Floats
    put_delta: Floats
    call_gamma: Floats
    put_gamma: Floats
    call_vega: Floats
    put_vega: Floats
    call_theta: Floats
    put_theta: Floats
    call_rho: Floats
    put_rho: Floats


def american(
    *,
    spot: ArrayLike,
    strike: ArrayLike,
    expiry_years: ArrayLike,
    volatility: ArrayLike,
    rate: ArrayLike = 0.0,
    dividend_yield: ArrayLike = 0.0,
) -> AmericanValuation:
    """Value calls and puts that can be exercised at any time; the inputs broadcast against each other.

    A put is the European one, to the last bit, where the rate is not positive and not above the yield; a call where the
    yield is not positive and not above the rate.

    Args:
        spot: Currency units, > 0.
        strike: Currency units, > 0.
        expiry_years: Years, ACT/365, >= 0. Zero gives what `black_scholes` gives.
        volatility: Annualised, in [1e-4, 10].
        rate: Annualised, continuously compounded.
        dividend_yield: Annualised, continuously compounded.

    Returns:
        Arrays of the broadcast shape. Prices are within 1e-6 of their size, measured against finer boundaries.

    Raises:
        InvalidInput: An input is not numeric, not finite or out of range, or the shapes do not broadcast; or rate and
            yield are both negative and differ, where exercise pays between two boundaries.

    Source:
        As `optionchain.pricing.exercise_boundary` and `optionchain.pricing.early_exercise` have it. Example:
        L. Andersen, M. Lake, D. Offengenden, "High-performance American option pricing", 2016: the right to exercise
        this put early is worth 0.10695270.

    Example:
        >>> terms = dict(
        ...     spot=100.0, strike=100.0, expiry_years=1.0, volatility=0.25, rate=0.05, dividend_yield=0.05
        ... )
        >>> (american(**terms).put_price - black_scholes(**terms).put_price).round(7)
        np.float64(0.1069527)
    """
    terms = checked(
        spot=spot,
        strike=strike,
        expiry_years=expiry_years,
        volatility=volatility,
        rate=rate,
        dividend_yield=dividend_yield,
    )
    volatilities = terms["volatility"]
    if not np.all((volatilities >= LOWEST_VOLATILITY) & (volatilities <= HIGHEST_VOLATILITY)):
        raise InvalidInput("volatility", f"must be between {LOWEST_VOLATILITY:g} and {HIGHEST_VOLATILITY:g}")
    shape = common_shape(**terms)
    spots, strikes, years, volatilities, rates, yields = (flat(term, shape) for term in terms.values())
    check_single_boundary(rates, yields)
    columns = european_columns(spots, strikes, years, volatilities, rates, yields)
    exercise(spots, years, rates, yields, columns)
    return AmericanValuation(*(columns[row].reshape(shape) for row in OF_VALUATION))


def european_columns(
    spots: Floats, strikes: Floats, years: Floats, volatilities: Floats, rates: Floats, yields: Floats
) -> Floats:
    """``[AMERICAN, contracts]``, with what European contracts are worth; the rows that those lack are not written."""
    columns = np.empty((AMERICAN, strikes.size))
    columns[0], columns[1] = strikes, volatilities
    columns[2:8] = value_contracts(
        spot=spots, strikes=strikes, years=years, volatilities=volatilities, rate=rates, dividend_yield=yields
    )
    return columns


def check_single_boundary(rates: Floats, yields: Floats) -> None:
    """Refuse terms under which exercise pays only between two prices.

    Raises:
        InvalidInput: Rate and yield are both negative, and differ.
    """
    if np.any((rates < 0.0) & (yields < 0.0) & (rates != yields)):
        raise InvalidInput(
            "dividend_yield",
            "must not be negative beside another negative rate: exercise would pay between two prices only",
        )


PUT_GAMMA, PUT_VEGA = 12, 13
CALL_THETA, PUT_THETA, CALL_RHO, PUT_RHO = 14, 15, 16, 17
AMERICAN = 18
"""Rows of the columns of American contracts: those of European ones, quotes among them, whose gamma and vega are the
call's, and what is no longer the same for both sides or follows from the others."""
CALL = (2, 4, 6, 7, CALL_THETA, CALL_RHO)
"""The rows of the calls: price, delta, gamma, vega, theta, rho."""
PUT = (3, 5, PUT_GAMMA, PUT_VEGA, PUT_THETA, PUT_RHO)
"""The rows of the puts."""
OF_VALUATION = (2, 3, 4, 5, 6, PUT_GAMMA, 7, PUT_VEGA, CALL_THETA, PUT_THETA, CALL_RHO, PUT_RHO)
"""The rows of an `AmericanValuation`, in its order."""


def exercise(spots: Floats, years: Floats, rates: Floats, yields: Floats, columns: Floats) -> None:
    """Turn European contracts into American ones.

    Args:
        spots: ``[contracts]``, as the other terms.
        years: >= 0.
        rates: Not both negative, as the yields.
        yields: Likewise.
        columns: ``[AMERICAN, contracts]`` strikes, volatilities and the six European values, which are written to as
            the rows from `PUT_GAMMA` on are.
    """
    columns[PUT_GAMMA], columns[PUT_VEGA] = columns[6], columns[7]
    for is_call in (True, False):
        exercise_side(spots, years, rates, yields, columns, is_call=is_call)


def exercise_side(
    spots: Floats, years: Floats, rates: Floats, yields: Floats, columns: Floats, *, is_call: bool
) -> None:
    """As `exercise` for the calls or for the puts alone, whose gamma and vega are in their rows already."""
    price, delta, gamma, vega, decay, by_rate = (columns[row] for row in (CALL if is_call else PUT))
    by_rate[:] = rho(price=price, delta=delta, spot=spots, years=years)
    interest, other = (yields, rates) if is_call else (rates, yields)
    # Exercise brings the strike (of a call the share) earlier, which pays where that bears interest.
    pays = ((interest > 0.0) | ((interest == 0.0) & (other < 0.0))) & (
        columns[0] > 0.0
    )  # not where it is NaN
    unit, intrinsic = (spots, spots - columns[0]) if is_call else (columns[0], columns[0] - spots)
    which = np.flatnonzero(pays & (np.maximum(interest, -other) > _LEAST_INTEREST) & (years > 0.0))
    exercised = which[:0]
    if which.size:
        spot, strike = spots[which], columns[0, which]
        early = _premiums(
            strike / spot if is_call else spot / strike,
            np.array([years[which], interest[which], other[which], columns[1, which]]),
            by_yield=is_call,
        )
        units, slope = unit[which], early[Premium.SLOPE]
        by_spot = early[Premium.VALUE] - slope if is_call else strike / spot * slope
        bend = units * (early[Premium.CURVATURE] - slope) / (spot * spot)
        price[which] += units * np.maximum(early[Premium.VALUE], 0.0)
        delta[which] = np.clip(delta[which] + by_spot, *((0.0, 1.0) if is_call else (-1.0, 0.0)))
        gamma[which] = np.maximum(gamma[which] + bend, 0.0)
        vega[which] = np.maximum(vega[which] + 0.01 * units * early[Premium.VEGA], 0.0)
        most = 0.01 * years[which] * strike * numerics.exp(np.maximum(-rates[which] * years[which], 0.0))
        bounds = (0.0, most) if is_call else (-most, 0.0)
        by_rate[which] = np.clip(by_rate[which] + 0.01 * units * early[Premium.RHO], *bounds)
        exercised = which[early[Premium.IS_EXERCISED] > 0.0]
    price[pays] = np.clip(price, intrinsic, unit)[pays]
    decay[:] = theta(
        price=price,
        delta=delta,
        gamma=gamma,
        spot=spots,
        years=years,
        volatilities=columns[1],
        rate=rates,
        dividend_yield=yields,
    )
    delta[exercised] = 1.0 if is_call else -1.0
    for greek in (gamma, vega, decay, by_rate):
        greek[exercised] = 0.0


def _premiums(moneyness: Floats, others: Floats, *, by_yield: bool) -> Floats:
    """`premiums` of puts, by spot over strike and the other rows of `Given`."""
    given = np.concatenate([numerics.log(moneyness)[None], others])
    which, panels = panels_of(*others, by_yield=by_yield)
    return premiums(given, which, panels, by_yield=by_yield)
