"""The chains of unrelated markets, priced in one pass: the numbers of `build_chain`, without its cost per chain."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate, pairwise

import numpy as np
from numpy.typing import NDArray

from optionchain.arrays import Floats
from optionchain.chains.build import HIGHEST_PRICE, MOST_GROWTH, build_chain
from optionchain.chains.chain import OptionChain
from optionchain.chains.ladder import strike_intervals
from optionchain.chains.path_chains import ladders_around
from optionchain.chains.quotes import quote
from optionchain.chains.smile import smile
from optionchain.errors import InvalidInput
from optionchain.expirations import Expiration, days_to_expiration
from optionchain.pricing.black_scholes import DAYS_PER_YEAR, value_contracts


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainTerms:
    """What decides a chain, in range; see `build_chain`."""

    symbol: str
    quote_time: datetime
    spot: float
    base_volatility: float
    expirations: tuple[Expiration, ...]
    chain_size: int
    strike_interval: float | None
    skew_slope: float
    smile_curve: float
    spread: float
    risk_free_rate: float
    dividend_yield: float

    def chain(self) -> OptionChain:
        """The chain, priced alone."""
        return build_chain(**{name: getattr(self, name) for name in self.__slots__})


def build_chains(terms: Sequence[ChainTerms]) -> list[OptionChain]:
    """Build the chains of several markets, which need have nothing in common.

    Args:
        terms: Of each chain.

    Returns:
        One chain for each of the terms: the same numbers, to the bit, as `build_chain` gives.

    Raises:
        InvalidInput: As `build_chain`, for the first that it refuses.
    """
    chains: dict[int, OptionChain] = {}
    for indices in _alike(terms):
        group = [terms[index] for index in indices]
        chains.update(zip(indices, _built(group), strict=True))
    return [chains[index] for index in range(len(terms))]


def _alike(terms: Sequence[ChainTerms]) -> list[list[int]]:
    """Which terms have ladders of one length, and so fit into one array."""
    groups: dict[int, list[int]] = defaultdict(list)
    for index, each in enumerate(terms):
        groups[each.chain_size].append(index)
    return list(groups.values())


def _built(group: Sequence[ChainTerms]) -> list[OptionChain]:
    if len(group) > 1:
        try:
            return _Joint(group).chains()
        except InvalidInput:
            pass  # of which one it is, only each alone can tell
    return [each.chain() for each in group]


class _Joint:
    """Chains with ladders of one length.

    Axes: ``[chains]``, ``[listed]`` (one expiration of one chain) and ``[contracts]``.

    Args:
        group: Their terms.

    Raises:
        InvalidInput: One of them is out of range.
    """

    def __init__(self, group: Sequence[ChainTerms]) -> None:
        self._group = group
        self._days = [
            np.array([days_to_expiration(each.quote_time, one.expires_at) for one in each.expirations])
            for each in group
        ]
        self._listed = np.array([days.size for days in self._days])
        self._years = np.concatenate(self._days) / DAYS_PER_YEAR
        self._spots = self._per_listed("spot")
        self._volatilities = self._per_listed("base_volatility")
        self._rates = self._per_listed("risk_free_rate")
        self._yields = self._per_listed("dividend_yield")
        self._check_growth()

    def chains(self) -> list[OptionChain]:
        """The chains, in the order of the terms."""
        grid = ladders_around(self._spots, self._intervals(), self._group[0].chain_size)
        self._check_prices(grid[:, -1])
        is_listed = ~np.isnan(grid)
        sizes, strikes = is_listed.sum(axis=1), grid[is_listed]
        spots, volatilities = np.repeat(self._spots, sizes), np.repeat(self._volatilities, sizes)
        smiled = smile(
            base_volatility=volatilities,
            spot=spots,
            strikes=strikes,
            skew_slope=np.repeat(self._per_listed("skew_slope"), sizes),
            smile_curve=np.repeat(self._per_listed("smile_curve"), sizes),
        )
        values = value_contracts(
            spot=spots,
            strikes=strikes,
            years=np.repeat(self._years, sizes),
            volatilities=smiled,
            rate=np.repeat(self._rates, sizes),
            dividend_yield=np.repeat(self._yields, sizes),
        )
        bids, asks = quote(values[:2], np.repeat(self._per_listed("spread"), sizes))
        return self._divided(sizes, np.concatenate([[strikes, smiled], values, bids, asks]))

    def _per_listed(self, field: str) -> Floats:
        return np.repeat(np.array([getattr(each, field) for each in self._group], dtype=float), self._listed)

    def _intervals(self) -> Floats:
        given = self._per_listed("strike_interval")  # None becomes NaN
        chosen = strike_intervals(
            spot=self._spots,
            volatility=self._volatilities,
            expiry_years=self._years,
            chain_size=self._group[0].chain_size,
        )
        return np.where(np.isnan(given), chosen, given)

    def _check_growth(self) -> None:
        if self._years.min(initial=0.0) < 0.0:
            raise InvalidInput("expirations", "must not be before quote_time")
        fastest = np.maximum(np.abs(self._rates), np.abs(self._yields))
        if (fastest * self._years).max(initial=0.0) > MOST_GROWTH:
            raise InvalidInput("risk_free_rate", "discounts too much")

    def _check_prices(self, highest_strikes: Floats) -> None:
        costs = highest_strikes * np.exp(np.maximum(-self._rates * self._years, 0.0))
        # A ladder without strikes ends with NaN.
        if np.fmax.reduce(costs, initial=0.0) > HIGHEST_PRICE:
            raise InvalidInput("strike_interval", "leads to prices that are too high")

    def _divided(self, sizes: NDArray[np.int64], columns: Floats) -> list[OptionChain]:
        """Each chain's part of ``[12, contracts]``: strikes, volatilities, values, bids and asks."""
        ends = [0, *accumulate(sizes.tolist())]
        chains = []
        for each, days, (first, stop) in zip(
            self._group, self._days, pairwise([0, *accumulate(self._listed.tolist())]), strict=True
        ):
            start = ends[first]
            (
                strikes, smiled,
                call_mid, put_mid, call_delta, put_delta, gamma, vega,
                call_bid, put_bid, call_ask, put_ask,
            ) = columns[:, start : ends[stop]]  # fmt: skip
            chains.append(
                OptionChain(
                    symbol=each.symbol,
                    quote_time=each.quote_time,
                    underlying_price=each.spot,
                    base_volatility=each.base_volatility,
                    risk_free_rate=each.risk_free_rate,
                    dividend_yield=each.dividend_yield,
                    expirations=each.expirations,
                    days_to_expiration=days,
                    offsets=tuple(end - start for end in ends[first : stop + 1]),
                    strikes=strikes,
                    implied_volatilities=smiled,
                    call_bid=call_bid,
                    call_ask=call_ask,
                    call_mid=call_mid,
                    call_delta=call_delta,
                    put_bid=put_bid,
                    put_ask=put_ask,
                    put_mid=put_mid,
                    put_delta=put_delta,
                    gamma=gamma,
                    vega=vega,
                )
            )
        return chains
