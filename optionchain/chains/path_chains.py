"""The chains of many paths at one instant, priced together: what `build_chain` gives for each, as one array."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from optionchain.arrays import Floats, Paths
from optionchain.chains.ladder import central_multiple, check_ticks, decimal_ticks, strike_intervals
from optionchain.chains.quotes import quote
from optionchain.chains.smile import smile
from optionchain.parameters import SimulationParameters
from optionchain.pricing.black_scholes import BLOCK, DAYS_PER_YEAR, value_contracts
from optionchain.pricing.inputs import Term

# A quotient this close to a half, relative to its size, is rounded by decimals and not by floats.
_NEAR_A_TIE = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class PathChains:
    """Calls and puts of each path at one instant.

    A strike that would be <= 0 is not listed: it is NaN, and so is everything about it.

    Attributes:
        days_to_expiration: ``[expirations]`` days with their fraction, >= 0.
        spread: Of every quote, in currency units.
        strikes: ``[paths, expirations, strikes]`` ascending.
        implied_volatilities: ``[paths, expirations, strikes]`` annualised.
        call_mid, put_mid: ``[paths, expirations, strikes]`` the model's prices, unrounded.
        call_delta, put_delta: ``[paths, expirations, strikes]`` per unit of the underlying's price.
        gamma: ``[paths, expirations, strikes]`` delta change per unit of the underlying's price.
        vega: ``[paths, expirations, strikes]`` per percentage point of volatility.
    """

    days_to_expiration: Floats
    spread: float
    strikes: Floats
    implied_volatilities: Floats
    call_mid: Floats
    put_mid: Floats
    call_delta: Floats
    put_delta: Floats
    gamma: Floats
    vega: Floats

    def call_quotes(self) -> tuple[Floats, Floats]:
        """Bids and asks of the calls, ``[paths, expirations, strikes]`` in whole cents; computed when asked."""
        return quote(self.call_mid, self.spread)

    def put_quotes(self) -> tuple[Floats, Floats]:
        """Bids and asks of the puts, ``[paths, expirations, strikes]`` in whole cents; computed when asked."""
        return quote(self.put_mid, self.spread)


def price_path_chains(
    parameters: SimulationParameters,
    *,
    spots: Paths,
    volatilities: Paths,
    days_to_expiration: Sequence[Floats],
) -> list[PathChains]:
    """List and price the chain of each path at some moments, all in one pass.

    Args:
        parameters: The ladder, smile, rates and spread.
        spots: ``[paths, moments]`` price of the underlying, > 0.
        volatilities: ``[paths, moments]`` annualised volatility at the money.
        days_to_expiration: ``[expirations]`` of each moment, >= 0.

    Returns:
        One a moment: the same numbers, to the bit, as `build_chain` gives for each path alone; read-only.

    Raises:
        InvalidInput: The strike interval is too fine for a price.
    """
    paths = len(spots)
    sizes = [days.size for days in days_to_expiration]
    # One row a moment, path and expiration, in this order.
    times = np.repeat(sizes, paths)
    each_spot, each_volatility = (np.repeat(values.T.ravel(), times) for values in (spots, volatilities))
    each_path = np.ones((paths, 1))
    years = np.concatenate([each_path * days for days in days_to_expiration], axis=None) / DAYS_PER_YEAR
    strikes = path_ladders(
        spots=each_spot,
        volatilities=each_volatility,
        expiry_years=years,
        chain_size=parameters.chain_size,
        strike_interval=parameters.strike_interval,
    )
    smiled, values = _priced_ladders(parameters, each_spot, each_volatility, years, strikes)
    for shared in (strikes, smiled, values):
        shared.flags.writeable = False
    chains, stop = [], 0
    for days in days_to_expiration:
        start, stop = stop, stop + paths * days.size
        shape = (paths, days.size, strikes.shape[1])
        of_moment = values[:, start:stop].reshape(6, *shape)
        listed, implied = strikes[start:stop].reshape(shape), smiled[start:stop].reshape(shape)
        chains.append(PathChains(days, parameters.spread, listed, implied, *of_moment))
    return chains


def _priced_ladders(
    parameters: SimulationParameters, spots: Floats, volatilities: Floats, years: Floats, strikes: Floats
) -> tuple[Floats, Floats]:
    """Price the strikes of each row, in blocks that stay in cache from the smile to the last greek.

    Returns:
        Volatilities ``[rows, strikes]``, and the values of `value_contracts`, ``[6, rows, strikes]``.
    """
    width = strikes.shape[1]
    smiled, values = np.empty_like(strikes), np.empty((6, strikes.size))
    # What depends on the years of a single instant is computed once and not for each contract.
    is_one_instant = bool((years == years[0]).all())
    blocks = -(-len(strikes) // (BLOCK // width))
    together = -(-len(strikes) // blocks)  # of one size, for a small last one would cost almost as much
    for first in range(0, len(strikes), together):
        rows = slice(first, first + together)
        smiled[rows] = _smile(parameters, spots[rows, None], volatilities[rows, None], strikes[rows])
        value_contracts(
            spot=spots[rows],
            strikes=strikes[rows].ravel(),
            years=float(years[0]) if is_one_instant else years[rows],
            volatilities=smiled[rows].ravel(),
            rate=parameters.risk_free_rate,
            dividend_yield=parameters.dividend_yield,
            width=width,
            out=values[:, first * width : (first + together) * width],
        )
    return smiled, values.reshape(6, *strikes.shape)


def price_contracts(
    parameters: SimulationParameters, *, spots: Floats, volatilities: Floats, years: Term, strikes: Floats
) -> tuple[Floats, Floats]:
    """Price contracts by the smile and rates of a simulation.

    Args:
        parameters: The smile and rates.
        spots: Broadcasts against `strikes`; currency units, > 0.
        volatilities: Broadcasts against `strikes`; annualised, at the money.
        years: To expiration, >= 0: one number, or broadcasts against `strikes`.
        strikes: Of the full shape; NaN gives NaN.

    Returns:
        ``[6, *shape]`` of `value_contracts`, and the volatility of each contract.
    """
    shape = strikes.shape
    smiled = _smile(parameters, spots, volatilities, strikes)
    values = value_contracts(
        spot=np.broadcast_to(spots, shape).ravel(),
        strikes=strikes.ravel(),
        years=years if isinstance(years, float) else np.broadcast_to(years, shape).ravel(),
        volatilities=smiled.ravel(),
        rate=parameters.risk_free_rate,
        dividend_yield=parameters.dividend_yield,
    )
    return values.reshape(6, *shape), smiled


def _smile(parameters: SimulationParameters, spots: Floats, volatilities: Floats, strikes: Floats) -> Floats:
    return smile(
        base_volatility=volatilities,
        spot=spots,
        strikes=strikes,
        skew_slope=parameters.skew_slope,
        smile_curve=parameters.smile_curve,
    )


def path_ladders(
    *,
    spots: Floats,
    volatilities: Floats,
    expiry_years: Floats,
    chain_size: int,
    strike_interval: float | None,
) -> Floats:
    """List the strikes of many ladders, as `ladders` does for one path.

    Args:
        spots: ``[ladders]`` currency units, > 0.
        volatilities: ``[ladders]`` annualised, >= 0.
        expiry_years: ``[ladders]`` years, >= 0.
        chain_size: Strikes on each side of the centre, >= 0.
        strike_interval: Currency units, > 0, or None to choose one for each ladder.

    Returns:
        ``[ladders, 2 chain_size + 1]`` ascending; NaN where a strike would be <= 0.

    Raises:
        InvalidInput: The interval is too fine for a price.

    Example:
        >>> path_ladders(
        ...     spots=np.array([100.2, 1.0]), volatilities=np.full(2, 0.2), expiry_years=np.full(2, 0.1),
        ...     chain_size=1, strike_interval=1.0
        ... ).tolist()
        [[99.0, 100.0, 101.0], [nan, 1.0, 2.0]]
    """
    if strike_interval is None:
        intervals = strike_intervals(
            spot=spots, volatility=volatilities, expiry_years=expiry_years, chain_size=chain_size
        )
    else:
        intervals = np.full(spots.shape, strike_interval)
    return ladders_around(spots, intervals, chain_size)


def ladders_around(spots: Floats, intervals: Floats, chain_size: int) -> Floats:
    """List the strikes of many ladders, each as `ladder` does for one.

    Args:
        spots: Broadcasts against `intervals`; currency units, > 0.
        intervals: Of the full shape; currency units, > 0.
        chain_size: Strikes on each side of the centre, >= 0.

    Returns:
        ``[*intervals.shape, 2 chain_size + 1]`` ascending; NaN where a strike would be <= 0.

    Raises:
        InvalidInput: An interval is too fine for a price.
    """
    ticks, units = _ticks(intervals)
    centres = _central_multiples(spots, intervals)[..., None]
    check_ticks(float(((centres + chain_size) * ticks).max(initial=0.0)))
    multiples: Floats = centres + np.arange(-chain_size, chain_size + 1, dtype=np.float64)
    if float(centres.min(initial=np.inf)) <= chain_size:
        multiples[multiples < 1.0] = np.nan
    multiples *= ticks
    multiples /= units
    return multiples


def _ticks(intervals: Floats) -> tuple[Term, Term]:
    """`decimal_ticks` of each, ``[..., 1]``, with 10^decimals for the decimals; plain numbers where all are one."""
    first = float(intervals.flat[0]) if intervals.size else 1.0
    if (intervals == first).all():
        ticks, decimals = decimal_ticks(first)
        return float(ticks), 10.0**decimals
    distinct, which = np.unique(intervals, return_inverse=True)
    pairs = [decimal_ticks(interval) for interval in distinct.tolist()]
    table = np.array([(ticks, 10.0**decimals) for ticks, decimals in pairs])[which]
    each = table.reshape(*intervals.shape, 1, 2)
    return each[..., 0], each[..., 1]


def _central_multiples(spots: Floats, intervals: Floats) -> Floats:
    """`central_multiple` of each, of the broadcast shape."""
    shifted = spots / intervals + 0.5
    centres: Floats = np.floor(shifted)
    # A price halfway between two strikes is this far from the middle of its cell, up to rounding.
    from_middle = np.abs(shifted - centres - 0.5)
    near = from_middle >= 0.5 - _NEAR_A_TIE * max(float(shifted.max(initial=0.0)), 1.0)
    if near.any():
        doubtful = np.stack([np.broadcast_to(each, near.shape)[near] for each in (spots, intervals)])
        pairs, which = np.unique(doubtful, axis=1, return_inverse=True)
        exact = [central_multiple(spot, interval) for spot, interval in pairs.T.tolist()]
        centres[near] = np.array(exact, dtype=np.float64)[which]
    return centres
