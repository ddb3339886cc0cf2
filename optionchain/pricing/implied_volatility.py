"""The volatility that a price implies: Black-Scholes-Merton inverted, to all the digits of the price."""

from __future__ import annotations

import math
import warnings

import numpy as np
from numpy.typing import ArrayLike, NDArray

from optionchain import numerics
from optionchain.arrays import Floats
from optionchain.errors import InvalidInput
from optionchain.numerics import Kernel
from optionchain.numerics.elementary import exp, log
from optionchain.numerics.formula import Number, formula, select
from optionchain.numerics.normal import ndtr, ndtri, ndtri_above_middle
from optionchain.pricing.inputs import checked, common_shape, flat, numbers
from optionchain.pricing.option_type import OptionType, are_calls

# As a logarithm: within it the price is linear in the moneyness, beyond it the tails are told apart.
_NEAR_THE_MONEY = 1e-12
_BELOW_ONE = float(np.nextafter(1.0, 0.0))
# Of the larger of prepaid forward and bond: at lower prices the tails of the normal run out of digits.
_LEAST_PRICE = 1e-305
_TINY = 1e-307
_DENSITY = 1.0 / math.sqrt(2.0 * math.pi)
_ROOT_3 = math.sqrt(3.0)
# A Halley step is of third order: after one this small, relative to the total volatility, only rounding is left.
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
    option_type: OptionType | None = None,
    is_call: ArrayLike | None = None,
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
        option_type: ``call`` or ``put``, or an array of them.
        is_call: The earlier spelling, deprecated: True for a call, False for a put.

    Returns:
        Annualised volatility, of the broadcast shape; NaN where none gives the price, or no single one: up
        to the discounted intrinsic value, and from the prepaid forward (call) or discounted strike (put) on.

    Raises:
        InvalidInput: A term is not numeric, a term other than the price is not finite or out of range,
            `option_type` is neither call nor put, or the shapes do not broadcast.

    Source:
        P. Jaeckel, "Let's Be Rational", 2015: normalised price, asymptotic guesses, and steps of third order
        on the logarithm of the price or of its room below the highest price.

    Example:
        >>> implied_volatility(
        ...     [4.76, 0.81], spot=42.0, strike=40.0, expiry_years=0.5, rate=0.1, option_type=["call", "put"]
        ... ).round(3)
        array([0.2, 0.2])
    """
    prices, calls = numbers("price", price), _calls(option_type, is_call)
    terms = checked(
        spot=spot, strike=strike, expiry_years=expiry_years, rate=rate, dividend_yield=dividend_yield
    )
    shape = common_shape(price=prices, **terms, option_type=calls)
    years = terms["expiry_years"]
    prepaid = flat(terms["spot"] * numerics.exp(-terms["dividend_yield"] * years), shape)
    bond = flat(terms["strike"] * numerics.exp(-terms["rate"] * years), shape)
    intrinsic = np.maximum(np.where(flat(calls, shape), prepaid - bond, bond - prepaid), 0.0)
    total = _total_volatilities(flat(prices, shape) - intrinsic, prepaid, bond)
    root_years = np.sqrt(np.where(years > 0.0, years, np.nan))
    return np.asarray(total.reshape(shape) / root_years)


def _calls(option_type: OptionType | None, is_call: ArrayLike | None) -> NDArray[np.bool_]:
    if is_call is None:
        return are_calls("" if option_type is None else option_type)
    warnings.warn("is_call is deprecated: say option_type='call' or 'put'", DeprecationWarning, stacklevel=3)
    calls = np.asarray(is_call)
    if option_type is not None or calls.dtype.kind != "b":
        raise InvalidInput("is_call", "must be true or false, and not beside option_type")
    return calls


def _total_volatilities(time_values: Floats, prepaid: Floats, bonds: Floats) -> Floats:
    """sigma sqrt(T) for the price of the side out of the money; NaN where there is none."""
    given, found = np.stack([time_values, prepaid, bonds]), np.empty_like(time_values)
    _INVERT(given, found)
    return found


@formula
def _target(time_value: Number, prepaid: Number, bond: Number) -> tuple[Number, Number, Number]:
    """Log-moneyness <= 0, normalised price and its room below the highest; NaN where no volatility gives the price."""
    lower = select(prepaid < bond, prepaid, bond)
    upper = select(prepaid < bond, bond, prepaid)
    scale = np.sqrt(lower) * np.sqrt(upper)
    attained = select(time_value > 0.0, select(time_value < lower, time_value, math.nan), math.nan)
    attained = select(attained / upper > _LEAST_PRICE, attained, math.nan)
    return log(lower / upper), attained / scale, (lower - attained) / scale


@formula
def _near_the_money(log_moneyness: Number, price: Number) -> Number:
    """The total volatility where the price is linear in the moneyness."""
    width = price - 0.5 * log_moneyness
    return 2.0 * ndtri_above_middle(0.5 * select(width < _BELOW_ONE, width, _BELOW_ONE))


@formula
def _normalised(log_moneyness: Number, total: Number) -> tuple[Number, Number, Number]:
    """Price over the root of prepaid forward times bond, room below the highest, slope by the total volatility."""
    distance, half = log_moneyness / total, 0.5 * total
    wing = exp(0.5 * log_moneyness)
    tail = ndtr(distance - half) / wing
    price = wing * ndtr(distance + half) - tail
    room = wing * ndtr(-distance - half) + tail
    slope = _DENSITY * exp(-0.5 * (distance * distance + half * half))
    return (
        select(price > _TINY, price, _TINY),
        select(room > _TINY, room, _TINY),
        select(slope > _TINY, slope, _TINY),
    )


@formula
def _start(log_moneyness: Number, price: Number, room: Number) -> tuple[Number, Number, Number, Number]:
    """Where to start: whether the price is below its inflection (1 or 0), a guess and its bracket.

    The guesses are exact at the inflection, and have the shape of the price far below and far above it.
    """
    inflection = np.sqrt(-2.0 * log_moneyness)
    price_there, room_there, _ = _normalised(log_moneyness, inflection)
    is_low = price < price_there
    low_part, high_part = price / price_there, room / room_there
    third = exp(log(select(low_part < 1.0, low_part, 1.0)) / 3.0)
    low_tail = third * ndtr(-np.sqrt(log_moneyness / -6.0))
    high_tail = select(high_part < 1.0, high_part, 1.0) * ndtr(-np.sqrt(-0.5 * log_moneyness))
    low, high = log_moneyness / (_ROOT_3 * ndtri(low_tail)), -2.0 * ndtri(high_tail)
    guess = select(
        is_low, select(low < inflection, low, inflection), select(high > inflection, high, inflection)
    )
    return (
        select(is_low, 1.0, 0.0),
        guess,
        select(is_low, 0.0, inflection),
        select(is_low, inflection, math.inf),
    )


@formula
def _improved(
    log_moneyness: Number,
    price: Number,
    room: Number,
    low: Number,
    total: Number,
    lower: Number,
    upper: Number,
) -> tuple[Number, Number, Number]:
    """One safeguarded Halley step: the next total volatility and the narrowed bracket.

    Steps are on the logarithm of the price below its inflection and on that of the room above: both have a known
    shape, which the guess already follows. Where a step strays the bracket is halved instead.
    """
    price_here, room_here, slope = _normalised(log_moneyness, total)
    error = log(select(low > 0.0, price_here / price, room / room_here))
    lower = select(error <= 0.0, total, lower)
    upper = select(error >= 0.0, total, upper)
    curvature = log_moneyness * log_moneyness / (total * total * total) - 0.25 * total
    growth = slope / select(low > 0.0, price_here, -room_here)
    newton = error / abs(growth)
    damping = 1.0 - 0.5 * newton * (curvature - growth)
    damping = select(damping > 0.5, select(damping < 2.0, damping, 2.0), 0.5)
    proposed = total - newton / damping
    halfway = select(upper == math.inf, 2.0 * total, 0.5 * (lower + upper))
    return select(proposed >= lower, select(proposed <= upper, proposed, halfway), halfway), lower, upper


def _invert(given: Floats, found: Floats) -> None:
    for i in range(found.size):
        log_moneyness, price, room = _target(given[0, i], given[1, i], given[2, i])
        found[i] = math.nan
        if not price > 0.0:  # NaN: nothing gives the price
            continue
        if log_moneyness > -_NEAR_THE_MONEY:
            found[i] = _near_the_money(log_moneyness, price)
            continue
        low, total, lower, upper = _start(log_moneyness, price, room)
        for _ in range(_MOST_STEPS):
            proposed, lower, upper = _improved(log_moneyness, price, room, low, total, lower, upper)
            is_settled = abs(proposed - total) <= _SETTLED * total
            total = proposed
            if is_settled:
                found[i] = total
                break


def _invert_with_numpy(given: Floats, found: Floats) -> None:
    log_moneyness, price, room = _target(given[0], given[1], given[2])
    is_priced, is_near = price > 0.0, log_moneyness > -_NEAR_THE_MONEY
    found[:] = np.where(is_priced & is_near, _near_the_money(log_moneyness, price), math.nan)
    away = np.flatnonzero(is_priced & ~is_near)
    log_moneyness, price, room = log_moneyness[away], price[away], room[away]
    low, total, lower, upper = _start(log_moneyness, price, room)
    for _ in range(_MOST_STEPS):
        proposed, lower, upper = _improved(log_moneyness, price, room, low, total, lower, upper)
        is_settled = np.abs(proposed - total) <= _SETTLED * total
        total = proposed
        found[away[is_settled]] = total[is_settled]
        going_on = ~is_settled
        if not going_on.any():
            break
        away, log_moneyness, price, room, low, total, lower, upper = (
            each[going_on] for each in (away, log_moneyness, price, room, low, total, lower, upper)
        )


_INVERT = Kernel("void(float64[:, ::1], float64[::1])", _invert_with_numpy, _invert)
