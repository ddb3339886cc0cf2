"""What is fitted: the volatilities of a chain's quotes, and how sure each of them is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from optionchain import numerics
from optionchain.arrays import Floats
from optionchain.chains.chain import OptionChain
from optionchain.errors import InvalidInput
from optionchain.history.chains import HistoricalChain
from optionchain.pricing.black_scholes import DAYS_PER_YEAR
from optionchain.pricing.implied_volatility import implied_volatility

LEAST_STRIKES = 5
# Of a volatility: below it, quotes are as good as exact.
_LEAST_DOUBT = 1e-5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Points:
    """What is fitted: the volatilities of options out of the money, ``[points]`` each.

    Attributes:
        log_moneyness: ``ln(strike / forward)``.
        years: To expiration, > 0.
        volatilities: Annualised.
        expiration: Index of the expiration.
        weights: Of each in a fit: the narrower its quotes are in volatility, the more. Their squares have a mean of 1.
    """

    log_moneyness: Floats
    years: Floats
    volatilities: Floats
    expiration: Floats
    weights: Floats

    def at_the_money(self) -> tuple[Floats, Floats]:
        """Years and volatility at the money of each expiration, by a straight line between the strikes around."""
        years, levels = [], []
        for each in np.unique(self.expiration):
            some = self.expiration == each
            order = np.argsort(self.log_moneyness[some])
            years.append(float(self.years[some][0]))
            levels.append(
                float(np.interp(0.0, self.log_moneyness[some][order], self.volatilities[some][order]))
            )
        return np.array(years), np.array(levels)


def points_of(chain: OptionChain | HistoricalChain, rate: float, income: float) -> Points:
    """The volatilities of what is out of the money and has a bid, by the middle of its quotes.

    Raises:
        InvalidInput: An expiration has too few, or the chain is carried by more than a rate and a yield.
    """
    if isinstance(chain, OptionChain) and chain.carried is not None:
        raise InvalidInput(
            "chain", "has dividends in cash, a curve of rates or a future: only plain ones are fitted"
        )
    columns: list[tuple[Floats, ...]] = []
    for index, (years, strikes, sides) in enumerate(_expirations(chain)):
        if years <= 0.0:
            continue
        spot = chain.underlying_price
        forward = spot * numerics.exp((rate - income) * years)
        is_call = strikes >= forward
        bids, asks = (np.where(is_call, sides[0][what], sides[1][what]) for what in (0, 1))
        middles = np.where((bids > 0.0) & (asks >= bids), 0.5 * (bids + asks), np.nan)
        volatilities, above = (
            implied_volatility(
                prices,
                spot=spot,
                strike=strikes,
                expiry_years=years,
                rate=rate,
                dividend_yield=income,
                option_type=np.where(is_call, "call", "put"),
            )
            for prices in (middles, np.where(np.isfinite(middles), asks, np.nan))
        )
        known = np.isfinite(volatilities) & np.isfinite(above)
        if known.sum() < LEAST_STRIKES:
            reason = f"has {int(known.sum())} options to fit at expiration {index}, of {years * DAYS_PER_YEAR:.4g} days"
            raise InvalidInput("chain", f"{reason}: at least {LEAST_STRIKES} are needed")
        k = np.asarray(numerics.log(strikes[known] / forward))
        weights = 1.0 / (_LEAST_DOUBT + (above - volatilities)[known])
        columns.append(
            (k, np.full(k.size, years), volatilities[known], np.full(k.size, float(index)), weights)
        )
    if not columns:
        raise InvalidInput("chain", "has no expiration that is still to come")
    k, of_years, found, which, weights = (np.concatenate(each) for each in zip(*columns, strict=True))
    weights = weights / np.sqrt(np.mean(weights * weights))
    return Points(log_moneyness=k, years=of_years, volatilities=found, expiration=which, weights=weights)


def _expirations(chain: OptionChain | HistoricalChain) -> Sequence[tuple[float, Floats, Any]]:
    """Years, strikes, and bids and asks of calls and puts, of each expiration."""
    if isinstance(chain, HistoricalChain):
        found = []
        for expires, rows in chain.by_expiration():
            calls, puts = chain.calls.take(rows), chain.puts.take(rows)
            years = (expires - chain.day).days / DAYS_PER_YEAR
            found.append((years, chain.strikes[rows], ((calls.bid, calls.ask), (puts.bid, puts.ask))))
        return found
    return [
        (
            float(days) / DAYS_PER_YEAR,
            chain.strikes[first:last],
            (
                (chain.call_bid[first:last], chain.call_ask[first:last]),
                (chain.put_bid[first:last], chain.put_ask[first:last]),
            ),
        )
        for days, first, last in zip(
            chain.days_to_expiration, chain.offsets[:-1], chain.offsets[1:], strict=True
        )
    ]
