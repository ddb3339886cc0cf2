"""The quotes of a day in the past as those whose arbitrage is looked for."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Protocol

import numpy as np

from optionchain import numerics
from optionchain.arrays import Strikes
from optionchain.chains.arbitrage import PricedExpiration, Violation, find_arbitrage
from optionchain.pricing.black_scholes import DAYS_PER_YEAR


class BidsAndAsks(Protocol):
    """One side of an expiration, NaN where nothing is quoted; an ask of 0 is none."""

    @property
    def bid(self) -> Strikes:
        """Currency units."""
        ...

    @property
    def ask(self) -> Strikes:
        """Currency units."""
        ...


def arbitrage_of(
    day: date,
    spot: float,
    listed: Iterable[tuple[date, Strikes, BidsAndAsks, BidsAndAsks]],
    rates: tuple[float, float] | None,
    is_american: bool,
    tolerance: float | None,
) -> tuple[Violation, ...]:
    """What `HistoricalChain.arbitrage` finds.

    Args:
        day: Of the quotes.
        spot: Price of the underlying.
        listed: Expiration, strikes, calls and puts, soonest first.
        rates: The risk-free rate and the dividend yield, where they are known.
        is_american: Whether the options can be exercised at any time.
        tolerance: As `find_arbitrage` takes it.
    """
    priced = []
    for expires, strikes, calls, puts in listed:
        years = (expires - day).days / DAYS_PER_YEAR
        priced.append(
            PricedExpiration(
                expires=expires,
                strikes=strikes,
                call_bid=calls.bid,
                call_ask=np.where(calls.ask > 0.0, calls.ask, np.nan),
                put_bid=puts.bid,
                put_ask=np.where(puts.ask > 0.0, puts.ask, np.nan),
                spot=spot,
                discount=None if rates is None else numerics.exp(-rates[0] * years),
                prepaid=None if rates is None else spot * numerics.exp(-rates[1] * years),
                is_american=is_american,
            )
        )
    return find_arbitrage(priced, tolerance=tolerance)
