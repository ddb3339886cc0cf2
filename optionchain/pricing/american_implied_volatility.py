"""The volatility that the price of an American option implies: its formula inverted by safeguarded steps."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from optionchain.arrays import Floats
from optionchain.pricing.american import (
    AMERICAN,
    CALL,
    HIGHEST_VOLATILITY,
    LOWEST_VOLATILITY,
    PUT,
    PUT_GAMMA,
    PUT_VEGA,
    check_single_boundary,
    exercise_side,
)
from optionchain.pricing.black_scholes import value_contracts
from optionchain.pricing.implied_volatility import implied_volatility
from optionchain.pricing.inputs import checked, common_shape, flat, numbers
from optionchain.pricing.option_type import OptionType, are_calls

Which: TypeAlias = NDArray[np.intp]

# Relative to the volatility. Newton's step squares the error, so that after one this small only rounding is left.
_SETTLED = 1e-9
# Three to six are usual; halving the bracket alone would need fifty.
_MOST_STEPS = 64
# Where two panels meet, the price jumps by its last digits, and Newton's steps may go to and fro over that for ever.
_NEWTON_STEPS = 14
# Of the price of the underlying or the strike: what is above the intrinsic value by less is rounding.
_ROUNDING = 1e-13


def american_implied_volatility(
    price: ArrayLike,
    *,
    spot: ArrayLike,
    strike: ArrayLike,
    expiry_years: ArrayLike,
    rate: ArrayLike = 0.0,
    dividend_yield: ArrayLike = 0.0,
    option_type: OptionType,
) -> Floats:
    """Return the volatility at which `american` gives `price`; the inputs broadcast together.

    Args:
        price: Currency units, any number. NaN gives NaN.
        spot: Currency units, > 0.
        strike: Currency units, > 0.
        expiry_years: Years, ACT/365, >= 0. Zero gives NaN.
        rate: Annualised, continuously compounded.
        dividend_yield: Annualised, continuously compounded.
        option_type: ``call`` or ``put``, or an array of them.

    Returns:
        Annualised volatility in [1e-4, 10], of the broadcast shape; NaN where none gives the price, or many do: up to
        the intrinsic value, at which it is exercised whatever the volatility.

    Raises:
        InvalidInput: As `american`, or `option_type` is neither call nor put.

    Example:
        >>> american_implied_volatility(
        ...     9.98, spot=100.0, strike=100.0, expiry_years=1.0, rate=[0.05, 0.0], option_type="put"
        ... ).round(3)
        array([0.303, 0.251])
    """
    prices, calls = numbers("price", price), are_calls(option_type)
    terms = checked(
        spot=spot, strike=strike, expiry_years=expiry_years, rate=rate, dividend_yield=dividend_yield
    )
    shape = common_shape(price=prices, **terms, option_type=calls)
    check_single_boundary(*(flat(terms[name], shape) for name in ("rate", "dividend_yield")))
    given = np.stack([flat(term, shape) for term in (prices, *terms.values())])
    sides = flat(calls, shape)
    found = np.full(sides.size, np.nan)
    for is_side_call in (True, False):
        which = np.flatnonzero(sides == is_side_call)
        found[which] = _Quotes(*given[:, which], is_call=is_side_call).volatilities()
    return found.reshape(shape)


@dataclass(frozen=True, slots=True, eq=False)
class _Quotes:
    """Prices of calls or of puts, ``[quotes]``, with their terms."""

    prices: Floats
    spots: Floats
    strikes: Floats
    years: Floats
    rates: Floats
    yields: Floats
    _: KW_ONLY
    is_call: bool

    def volatilities(self) -> Floats:
        """Newton's steps within a bracket, which is halved where they leave it, and in the end."""
        found = np.full(self.prices.size, np.nan)
        lower, upper, going = self._brackets()
        guess = np.where(upper < HIGHEST_VOLATILITY, upper, 0.5)
        for step in range(_MOST_STEPS):
            if not going.size:
                break
            value, vega = self._valued(going, guess[going])
            error = value - self.prices[going]
            lower[going] = np.where(error <= 0.0, guess[going], lower[going])
            upper[going] = np.where(error >= 0.0, guess[going], upper[going])
            with np.errstate(divide="ignore", invalid="ignore"):
                proposed = guess[going] - error / (100.0 * vega)
            is_inside = (proposed >= lower[going]) & (proposed <= upper[going])
            is_newton = is_inside & (step < _NEWTON_STEPS)
            proposed = np.where(is_newton, proposed, 0.5 * (lower[going] + upper[going]))
            is_settled = np.abs(proposed - guess[going]) <= _SETTLED * guess[going]
            guess[going] = proposed
            found[going[is_settled]] = proposed[is_settled]
            going = going[~is_settled]
        return found

    def _brackets(self) -> tuple[Floats, Floats, Which]:
        """Lowest and highest volatility, and which quotes have one between: an American option costs more than a
        European one, so that its price implies less."""
        european = implied_volatility(
            self.prices,
            spot=self.spots,
            strike=self.strikes,
            expiry_years=self.years,
            rate=self.rates,
            dividend_yield=self.yields,
            option_type="call" if self.is_call else "put",
        )
        everything = np.arange(self.prices.size)
        upper = np.where(
            european < HIGHEST_VOLATILITY,
            np.maximum(european * (1.0 + 1e-12), LOWEST_VOLATILITY),
            HIGHEST_VOLATILITY,
        )
        lower = np.full(upper.size, LOWEST_VOLATILITY)
        intrinsic = self.spots - self.strikes if self.is_call else self.strikes - self.spots
        least = np.maximum(intrinsic, 0.0) + _ROUNDING * np.maximum(self.spots, self.strikes)
        highest, _ = self._valued(everything, upper)
        lowest, _ = self._valued(everything, lower)
        has_one = (self.prices > np.maximum(least, lowest)) & (self.prices <= highest * (1.0 + 1e-12))
        return lower, upper, everything[has_one & (self.years > 0.0)]

    def _valued(self, which: Which, volatilities: Floats) -> tuple[Floats, Floats]:
        """Prices, and vegas per percentage point, of some of them."""
        spots, years, rates, yields = (
            each[which] for each in (self.spots, self.years, self.rates, self.yields)
        )
        columns = np.empty((AMERICAN, volatilities.size))
        columns[0], columns[1] = self.strikes[which], volatilities
        columns[2:8] = value_contracts(
            spot=spots,
            strikes=columns[0],
            years=years,
            volatilities=volatilities,
            rate=rates,
            dividend_yield=yields,
        )
        columns[PUT_GAMMA], columns[PUT_VEGA] = columns[6], columns[7]
        exercise_side(spots, years, rates, yields, columns, is_call=self.is_call)
        rows = CALL if self.is_call else PUT
        return columns[rows[0]], columns[rows[3]]
