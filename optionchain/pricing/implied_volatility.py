"""The volatility that a price implies: Black-Scholes-Merton inverted, to all the digits of the price."""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import erfinv, ndtr, ndtri

from optionchain.arrays import Floats
from optionchain.errors import InvalidInput
from optionchain.pricing.inputs import checked, common_shape, numbers, spread

Flags: TypeAlias = NDArray[np.bool_]

# As a logarithm: within it the price is linear in the moneyness, beyond it the tails are told apart.
_NEAR_THE_MONEY = 1e-12
_BELOW_ONE = float(np.nextafter(1.0, 0.0))
# Of the larger of prepaid forward and bond: at lower prices the tails of the normal run out of digits.
_LEAST_PRICE = 1e-305
_TINY = 1e-307
_DENSITY = 1.0 / math.sqrt(2.0 * math.pi)
# A Halley step is of third order: after one this small, relative to the deviation, only rounding is left.
_SETTLED = 1e-6
# Two to four steps are usual; halving the bracket alone would need about fifty.
_MOST_STEPS = 64


def implied_volatility(
    price: ArrayLike,
    *,
    spot: ArrayLike,
    strike: ArrayLike,
    expiry_years: ArrayLike,
    rate: ArrayLike = 0.0,
    dividend_yield: ArrayLike = 0.0,
    is_call: ArrayLike,
) -> Floats:
    """Return the volatility at which Black-Scholes-Merton gives `price`; the inputs broadcast together.

    A price carries its volatility to about ``eps * price / vega``: deep in the money that is not one digit.

    Args:
        price: Currency units, any number. NaN gives NaN.
        spot: Currency units, > 0.
        strike: Currency units, > 0.
        expiry_years: Years, ACT/365, >= 0. Zero gives NaN: no price at expiry depends on the volatility.
        rate: Annualised, continuously compounded.
        dividend_yield: Annualised, continuously compounded.
        is_call: True for a call, False for a put.

    Returns:
        Annualised volatility, of the broadcast shape; NaN where none gives the price, or no single one: up
        to the discounted intrinsic value, and from the prepaid forward (call) or discounted strike (put) on.

    Raises:
        InvalidInput: A term is not numeric, a term other than the price is not finite or out of range,
            `is_call` is not boolean, or the shapes do not broadcast.

    Source:
        P. Jaeckel, "Let's Be Rational", 2015: normalised price, asymptotic guesses, and steps of third order
        on the logarithm of the price or of its room below the highest price.

    Example:
        >>> implied_volatility(
        ...     [4.76, 0.81], spot=42.0, strike=40.0, expiry_years=0.5, rate=0.1, is_call=[True, False]
        ... ).round(3)
        array([0.2, 0.2])
    """
    prices, calls = numbers("price", price), np.asarray(is_call)
    if calls.dtype.kind != "b":
        raise InvalidInput("is_call", "must be true or false")
    terms = checked(
        spot=spot, strike=strike, expiry_years=expiry_years, rate=rate, dividend_yield=dividend_yield
    )
    shape = common_shape(price=prices, **terms, is_call=calls)
    years = terms["expiry_years"]
    prepaid = spread(terms["spot"] * np.exp(-terms["dividend_yield"] * years), shape)
    bond = spread(terms["strike"] * np.exp(-terms["rate"] * years), shape)
    intrinsic = np.maximum(np.where(spread(calls, shape), prepaid - bond, bond - prepaid), 0.0)
    deviations = _deviations(spread(prices, shape) - intrinsic, prepaid, bond)
    root_years = np.sqrt(np.where(years > 0.0, years, np.nan))
    return np.asarray(deviations.reshape(shape) / root_years)


def _deviations(time_value: Floats, prepaid: Floats, bond: Floats) -> Floats:
    """sigma sqrt(T) for the price of the side out of the money; NaN where there is none."""
    lower, upper = np.minimum(prepaid, bond), np.maximum(prepaid, bond)
    scale = np.sqrt(lower) * np.sqrt(upper)
    attained = np.where((time_value > 0.0) & (time_value < lower), time_value, np.nan)
    price, room = attained / scale, (lower - attained) / scale
    moneyness = np.log(lower / upper)
    solvable = attained / upper > _LEAST_PRICE
    near = solvable & (moneyness > -_NEAR_THE_MONEY)
    away = solvable & ~near
    deviations: Floats = np.full_like(price, np.nan)
    deviations[near] = math.sqrt(8.0) * erfinv(np.minimum(price[near] - 0.5 * moneyness[near], _BELOW_ONE))
    deviations[away] = _invert(moneyness[away], price[away], room[away])
    return deviations


def _invert(moneyness: Floats, price: Floats, room: Floats) -> Floats:
    """The deviation at which the normalised option has this `price`, and this `room` below its highest.

    Steps are on the logarithm of the price below its inflection and on that of the room above: both have a
    known shape, which the guess already follows. A bracket catches what strays.
    """
    inflection = np.sqrt(-2.0 * moneyness)
    price_there, room_there, _ = _normalised(moneyness, inflection)
    is_low = price < price_there
    low, high = _guesses(moneyness, price / price_there, room / room_there)
    deviation = np.where(is_low, np.minimum(low, inflection), np.maximum(high, inflection))
    bracket = np.where(is_low, 0.0, inflection), np.where(is_low, inflection, np.inf)
    target = (moneyness, price, room)
    settled = np.zeros(price.shape, dtype=bool)
    for _ in range(_MOST_STEPS):
        proposed, bracket = _step(target, is_low, deviation, bracket)
        settled = np.abs(proposed - deviation) <= _SETTLED * deviation
        deviation = proposed
        if settled.all():
            break
    return np.where(settled, deviation, np.nan)


def _guesses(moneyness: Floats, price: Floats, room: Floats) -> tuple[Floats, Floats]:
    """Deviations for a price far below and far above the inflection, each exact there; 1 is its value there."""
    low_tail = np.cbrt(np.minimum(price, 1.0)) * ndtr(-np.sqrt(moneyness / -6.0))
    high_tail = np.minimum(room, 1.0) * ndtr(-np.sqrt(-0.5 * moneyness))
    with np.errstate(divide="ignore"):  # a tail of one half: the low guess is then not the one taken
        return moneyness / (math.sqrt(3.0) * ndtri(low_tail)), -2.0 * ndtri(high_tail)


def _step(
    target: tuple[Floats, Floats, Floats], is_low: Flags, deviation: Floats, bracket: tuple[Floats, Floats]
) -> tuple[Floats, tuple[Floats, Floats]]:
    """One safeguarded Halley step: the next deviation and the narrowed bracket."""
    moneyness, price, room = target
    price_here, room_here, slope = _normalised(moneyness, deviation)
    error = np.log(np.where(is_low, price_here / price, room / room_here))
    lower = np.where(error <= 0.0, deviation, bracket[0])
    upper = np.where(error >= 0.0, deviation, bracket[1])
    with np.errstate(
        over="ignore", invalid="ignore"
    ):  # far from the root the step may be absurd: halve instead
        curvature = moneyness**2 / deviation**3 - 0.25 * deviation
        growth = slope / np.where(is_low, price_here, -room_here)
        newton = error / np.abs(growth)
        halley = newton / np.clip(1.0 - 0.5 * newton * (curvature - growth), 0.5, 2.0)
        proposed = deviation - halley
    halfway = np.where(np.isinf(upper), 2.0 * deviation, 0.5 * (lower + upper))
    return np.where((proposed >= lower) & (proposed <= upper), proposed, halfway), (lower, upper)


def _normalised(moneyness: Floats, deviation: Floats) -> tuple[Floats, Floats, Floats]:
    """Price over the root of prepaid forward times bond, room below the highest, slope by the deviation."""
    distance, half = moneyness / deviation, 0.5 * deviation
    wing = np.exp(0.5 * moneyness)
    tail = ndtr(distance - half) / wing
    price = wing * ndtr(distance + half) - tail
    room = wing * ndtr(-distance - half) + tail
    slope = _DENSITY * np.exp(-0.5 * (distance**2 + half**2))
    return np.maximum(price, _TINY), np.maximum(room, _TINY), np.maximum(slope, _TINY)
