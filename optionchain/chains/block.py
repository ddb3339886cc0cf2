"""The option chains of many steps, priced in one call: the numbers of `build_chain`, without its cost per chain."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optionchain.arrays import Floats, Steps, Strikes
from optionchain.chains.ladder import strike_intervals
from optionchain.chains.path_chains import ladders_around, price_contracts
from optionchain.chains.quotes import quote
from optionchain.expirations.listing import Listing, Microseconds
from optionchain.parameters import SimulationParameters
from optionchain.pricing.black_scholes import DAYS_PER_YEAR

_DAY_MICROSECONDS = 86_400_000_000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ChainBlock:
    """Calls and puts at consecutive steps, in order of step, expiration and strike; made by `build_block`.

    Axes: ``[steps]``, ``[listed]`` (one expiration at one step) and ``[contracts]``. Units as in `OptionChain`.

    Attributes:
        spots: ``[steps]``.
        listing: Which expirations are listed at each step.
        days_to_expiration: ``[listed]`` days with their fraction, >= 0.
        sizes: ``[listed]`` number of contracts.
    """

    spots: Steps
    listing: Listing
    days_to_expiration: Floats
    sizes: NDArray[np.int64]
    strikes: Strikes
    implied_volatilities: Strikes
    call_bid: Strikes
    call_ask: Strikes
    call_mid: Strikes
    call_delta: Strikes
    put_bid: Strikes
    put_ask: Strikes
    put_mid: Strikes
    put_delta: Strikes
    gamma: Strikes
    vega: Strikes

    @property
    def listed_of_contracts(self) -> NDArray[np.int64]:
        """``[contracts]`` index of the listed expiration that each contract has."""
        return np.repeat(np.arange(self.sizes.size), self.sizes)

    @property
    def steps_of_contracts(self) -> NDArray[np.int64]:
        """``[contracts]`` index of each contract's step."""
        return np.repeat(np.arange(self.spots.size), np.add.reduceat(self.sizes, self.listing.offsets[:-1]))


def build_block(
    parameters: SimulationParameters,
    *,
    quote_times: Microseconds,
    spots: Steps,
    base_volatilities: Steps,
    listing: Listing,
) -> ChainBlock:
    """List, price and quote the chains of several steps, bit for bit as `build_chain` does one by one.

    Args:
        parameters: The ladder, smile, rates and spread; in range, as `build_chain` checks for one chain.
        quote_times: ``[steps]`` microseconds from 1970.
        spots: ``[steps]`` prices of the underlying, in (0, 1e12].
        base_volatilities: ``[steps]`` annualised volatility at the money, in [0, 5].
        listing: One or more expirations at each step, none before its quote time.

    Raises:
        InvalidInput: The interval between strikes is too fine for a price.
    """
    per_step = np.diff(listing.offsets)
    listed_spots, listed_volatilities = (np.repeat(each, per_step) for each in (spots, base_volatilities))
    days = (listing.expires_at - np.repeat(quote_times, per_step)).astype(np.float64) / _DAY_MICROSECONDS
    years = days / DAYS_PER_YEAR
    grid = ladders_around(
        listed_spots, _intervals(parameters, listed_spots, listed_volatilities, years), parameters.chain_size
    )
    is_listed = ~np.isnan(grid)
    sizes, strikes = is_listed.sum(axis=1), grid[is_listed]
    values, volatilities = price_contracts(
        parameters,
        spots=np.repeat(listed_spots, sizes),
        volatilities=np.repeat(listed_volatilities, sizes),
        years=np.repeat(years, sizes),
        strikes=strikes,
    )
    bids, asks = quote(values[:2], parameters.spread)
    return ChainBlock(
        spots=spots,
        listing=listing,
        days_to_expiration=days,
        sizes=sizes,
        strikes=strikes,
        implied_volatilities=volatilities,
        call_bid=bids[0],
        call_ask=asks[0],
        call_mid=values[0],
        call_delta=values[2],
        put_bid=bids[1],
        put_ask=asks[1],
        put_mid=values[1],
        put_delta=values[3],
        gamma=values[4],
        vega=values[5],
    )


def _intervals(
    parameters: SimulationParameters, spots: Floats, volatilities: Floats, years: Floats
) -> Floats:
    """``[listed]`` the distance between the strikes of each ladder."""
    if parameters.strike_interval is not None:
        return np.full(years.size, parameters.strike_interval)
    return strike_intervals(
        spot=spots, volatility=volatilities, expiry_years=years, chain_size=parameters.chain_size
    )
