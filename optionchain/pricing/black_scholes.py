"""Black-Scholes-Merton: prices and greeks of European options on an asset with a dividend yield."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import ArrayLike

from optionchain.arrays import Floats
from optionchain.pricing.inputs import Term, checked, common_shape, flat, flat_unless_single
from optionchain.pricing.kernel import BLOCK, VALUED, price
from optionchain.pricing.option_type import OptionType, are_calls

DAYS_PER_YEAR = 365.0


@dataclass(frozen=True, slots=True, eq=False)
class Valuation:
    """Prices and greeks of a call and of a put on the same terms, each of the broadcast shape of the inputs.

    Attributes:
        call_price: Currency units, >= 0.
        put_price: Currency units, >= 0.
        call_delta: Price change per unit of spot, in [0, 1] when the dividend yield is not negative.
        put_delta: Price change per unit of spot, in [-1, 0] when the dividend yield is not negative.
        gamma: Delta change per unit of spot, >= 0; the same for both sides.
        vega: Price change per percentage point of volatility, >= 0; the same for both sides.
        call_theta: Price change per calendar day that passes.
        put_theta: Price change per calendar day that passes.
        call_rho: Price change per percentage point of the rate.
        put_rho: Price change per percentage point of the rate.
    """

    call_price: Floats
    put_price: Floats
    call_delta: Floats
    put_delta: Floats
    gamma: Floats
    vega: Floats
    call_theta: Floats
    put_theta: Floats
    call_rho: Floats
    put_rho: Floats

    def of(self, option_type: OptionType) -> SideValuation:
        """Of the two, what each contract is.

        Args:
            option_type: ``call`` or ``put``, or an array of them; broadcasts against the prices.

        Raises:
            InvalidInput: It is neither, or the shapes do not broadcast.
        """
        calls = are_calls(option_type)
        shape = common_shape(option_type=calls, price=self.call_price)

        def chosen(call: Floats, put: Floats) -> Floats:
            return np.broadcast_to(np.where(calls, call, put), shape).copy()

        return SideValuation(
            price=chosen(self.call_price, self.put_price),
            delta=chosen(self.call_delta, self.put_delta),
            gamma=chosen(self.gamma, self.gamma),
            vega=chosen(self.vega, self.vega),
            theta=chosen(self.call_theta, self.put_theta),
            rho=chosen(self.call_rho, self.put_rho),
        )


@dataclass(frozen=True, slots=True, eq=False)
class SideValuation:
    """Price and greeks of contracts that are calls or puts, each of the broadcast shape; units as in `Valuation`."""

    price: Floats
    delta: Floats
    gamma: Floats
    vega: Floats
    theta: Floats
    rho: Floats


def black_scholes(
    *,
    spot: ArrayLike,
    strike: ArrayLike,
    expiry_years: ArrayLike,
    volatility: ArrayLike,
    rate: ArrayLike = 0.0,
    dividend_yield: ArrayLike = 0.0,
) -> Valuation:
    """Value calls and puts; the inputs broadcast against each other.

    Args:
        spot: Currency units, > 0.
        strike: Currency units, > 0.
        expiry_years: Years, ACT/365, >= 0. Zero gives intrinsic value, delta 0 or 1, and zero for every other
            greek; exactly at the money the call counts as in the money, so that parity holds.
        volatility: Annualised, >= 0. Zero gives the discounted intrinsic value of the forward.
        rate: Annualised, continuously compounded.
        dividend_yield: Annualised, continuously compounded.

    Returns:
        Arrays of the broadcast shape, of the call and of the put; ``.of(option_type)`` gives those of the contract.

    Raises:
        InvalidInput: An input is not numeric, not finite or out of range, or the shapes do not broadcast.

    Source:
        R. Merton, "Theory of Rational Option Pricing", 1973. Example: J. Hull, "Options, Futures, and Other
        Derivatives", 15.9: the call is worth 4.76 and the put 0.81.

    Example:
        >>> value = black_scholes(spot=42.0, strike=[40.0], expiry_years=0.5, volatility=0.2, rate=0.1)
        >>> value.call_price.round(2), value.put_price.round(2)
        (array([4.76]), array([0.81]))
        >>> value.of("put").price.round(2)
        array([0.81])
    """
    terms = checked(
        spot=spot,
        strike=strike,
        expiry_years=expiry_years,
        volatility=volatility,
        rate=rate,
        dividend_yield=dividend_yield,
    )
    shape = common_shape(**terms)
    strikes, volatilities = (flat(terms.pop(field), shape) for field in ("strike", "volatility"))
    spots, years, rates, yields = (flat_unless_single(term, shape) for term in terms.values())
    core = value_contracts(
        spot=spots, strikes=strikes, years=years, volatilities=volatilities, rate=rates, dividend_yield=yields
    )
    call, put, call_delta, put_delta, gamma, _ = core
    decay = partial(
        theta,
        gamma=gamma,
        spot=spots,
        years=years,
        volatilities=volatilities,
        rate=rates,
        dividend_yield=yields,
    )
    rows = (
        *core,
        decay(price=call, delta=call_delta),
        decay(price=put, delta=put_delta),
        rho(price=call, delta=call_delta, spot=spots, years=years),
        rho(price=put, delta=put_delta, spot=spots, years=years),
    )
    return Valuation(*(row.reshape(shape) for row in rows))


def value_contracts(
    *,
    spot: Term,
    strikes: Floats,
    years: Term,
    volatilities: Floats,
    rate: Term,
    dividend_yield: Term,
) -> Floats:
    """Price without checks; `black_scholes` is the same with checks and any shapes.

    Args:
        spot: ``[contracts]`` or one number, > 0.
        strikes: ``[contracts]``, > 0.
        years: ``[contracts]`` or one number, >= 0.
        volatilities: ``[contracts]``, >= 0.
        rate: ``[contracts]`` or one number.
        dividend_yield: ``[contracts]`` or one number.

    Returns:
        ``[6, contracts]``: call price, put price, call delta, put delta, gamma, vega per percentage point.
    """
    shared = (spot, years, rate, dividend_yield)
    is_one_ladder = all(isinstance(term, float) for term in shared)
    if is_one_ladder or strikes.size <= BLOCK:
        return _value_block(shared, strikes, volatilities)
    values = np.empty((VALUED - 2, strikes.size))
    for start in range(0, strikes.size, BLOCK):  # so much memory at a time as stays at hand
        some = slice(start, start + BLOCK)
        part = tuple(term if isinstance(term, float) else term[some] for term in shared)
        values[:, some] = _value_block(part, strikes[some], volatilities[some])
    return values


def _value_block(shared: tuple[Term, ...], strikes: Floats, volatilities: Floats) -> Floats:
    """As `value_contracts`: one ladder where they share all terms, otherwise each contract is one."""
    is_one_ladder = all(isinstance(term, float) for term in shared)
    ladders = 1 if is_one_ladder else strikes.size
    terms = np.empty((len(shared), ladders))
    for row, term in zip(terms, shared, strict=True):
        row[:] = term
    columns = np.empty((VALUED, strikes.size))
    columns[0], columns[1] = strikes, volatilities
    price(np.array([0, strikes.size]) if is_one_ladder else np.arange(ladders + 1), terms, columns)
    return columns[2:]


def theta(
    *,
    price: Floats,
    delta: Floats,
    gamma: Floats,
    spot: Term,
    years: Term,
    volatilities: Floats,
    rate: Term,
    dividend_yield: Term,
) -> Floats:
    """Price change per calendar day that passes; zero at expiry.

    Source:
        J. Hull, "Options, Futures, and Other Derivatives", section 19.7: the Black-Scholes equation gives
        theta from the price, delta and gamma.
    """
    swing = volatilities * spot
    diffusion = 0.5 * swing * swing * gamma
    decay = rate * price - (rate - dividend_yield) * spot * delta - diffusion
    return np.where(np.greater(years, 0.0), decay / DAYS_PER_YEAR, 0.0)


def rho(*, price: Floats, delta: Floats, spot: Term, years: Term) -> Floats:
    """Price change per percentage point of the rate: what the bonds of the replicating portfolio lose."""
    return 0.01 * years * (delta * spot - price)


def dividend_rho(*, delta: Floats, spot: Term, years: Term) -> Floats:
    """Price change per percentage point of the dividend yield: what the shares of the replicating portfolio lose."""
    return -0.01 * years * delta * spot
