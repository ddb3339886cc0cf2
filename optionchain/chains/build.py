"""From the state of a market to its option chain, all expirations in one pricing call."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime  # noqa: F401  the example names UTC
from itertools import accumulate

import numpy as np

from optionchain.arrays import Floats
from optionchain.chains.chain import OptionChain
from optionchain.chains.ladder import ladders
from optionchain.chains.quotes import quote
from optionchain.chains.smile import HIGHEST_VOLATILITY, smile
from optionchain.errors import InvalidInput
from optionchain.expirations import Expiration, days_to_expiration
from optionchain.pricing.black_scholes import DAYS_PER_YEAR, value_contracts
from optionchain.validation import finite, whole

_RANGES = {
    "spot": (1e-100, 1e12),
    "base_volatility": (0.0, HIGHEST_VOLATILITY),
    "strike_interval": (1e-6, 1e12),
    "skew_slope": (-1e6, 1e6),
    "smile_curve": (-1e6, 1e6),
    "spread": (0.0, 1e12),
    "risk_free_rate": (-10.0, 10.0),
    "dividend_yield": (0.0, 10.0),
}
# The price up to which a float tells whole cents apart with room to spare.
HIGHEST_PRICE = 1e13
# e to this power is the most that a price may be discounted or grow by.
MOST_GROWTH = 100.0


def build_chain(
    *,
    symbol: str,
    quote_time: datetime,
    spot: float,
    base_volatility: float,
    expirations: Sequence[Expiration],
    chain_size: int = 30,
    strike_interval: float | None = None,
    skew_slope: float = -0.2,
    smile_curve: float = 0.4,
    spread: float = 0.01,
    risk_free_rate: float = 0.0,
    dividend_yield: float = 0.0,
) -> OptionChain:
    """List, price and quote calls and puts for each expiration.

    Args:
        symbol: The underlying.
        quote_time: The instant, with a UTC offset.
        spot: Price of the underlying, in (0, 1e12].
        base_volatility: Annualised volatility at the money, in [0, 5].
        expirations: In any order, none before `quote_time`; one at it has its intrinsic value.
        chain_size: Strikes on each side of the one nearest to the spot, in [0, 500].
        strike_interval: Currency units, in [1e-6, 1e12]; None chooses a round one for each expiration.
        skew_slope: Of the smile, in [-1e6, 1e6].
        smile_curve: Of the smile, in [-1e6, 1e6].
        spread: Between ask and bid, in currency units, in [0, 1e12].
        risk_free_rate: Annualised, continuously compounded, in [-10, 10].
        dividend_yield: Annualised, continuously compounded, in [0, 10].

    Returns:
        A chain with ``2 * chain_size + 1`` strikes for each expiration, fewer where one would be <= 0.

    Raises:
        InvalidInput: An input is out of range, or prices would be beyond 1e13; the field is named.

    Example:
        >>> expiration = Expiration(expires_at=datetime(2026, 2, 4, tzinfo=UTC), labels=())
        >>> chain = build_chain(
        ...     symbol="ACME",
        ...     quote_time=datetime(2026, 1, 5, tzinfo=UTC),
        ...     spot=100.0,
        ...     base_volatility=0.17,
        ...     expirations=[expiration],
        ...     chain_size=10,
        ...     strike_interval=1.0,
        ...     risk_free_rate=0.05,
        ... )
        >>> len(chain.strikes), chain.strikes[10], chain.call_bid[10], chain.call_ask[10]
        (21, np.float64(100.0), np.float64(2.15), np.float64(2.16))
    """
    _check_ranges(
        spot=spot,
        base_volatility=base_volatility,
        strike_interval=1.0 if strike_interval is None else strike_interval,
        skew_slope=skew_slope,
        smile_curve=smile_curve,
        spread=spread,
        risk_free_rate=risk_free_rate,
        dividend_yield=dividend_yield,
    )
    whole("chain_size", chain_size, low=0, high=500)
    days = _days(quote_time, expirations)
    years = days / DAYS_PER_YEAR

    each = ladders(
        spot=spot,
        volatility=base_volatility,
        expiry_years=years,
        chain_size=chain_size,
        strike_interval=strike_interval,
    )
    _check_growth(years, each, risk_free_rate, dividend_yield)
    sizes = [strikes.size for strikes in each]
    strikes = np.concatenate(each) if each else np.empty(0)
    volatilities = smile(
        base_volatility=base_volatility,
        spot=spot,
        strikes=strikes,
        skew_slope=skew_slope,
        smile_curve=smile_curve,
    )
    values = value_contracts(
        spot=float(spot),
        strikes=strikes,
        years=np.repeat(years, sizes),
        volatilities=volatilities,
        rate=float(risk_free_rate),
        dividend_yield=float(dividend_yield),
    )
    mids = values[:2]
    bids, asks = quote(mids, spread)
    return OptionChain(
        symbol=symbol,
        quote_time=quote_time,
        underlying_price=float(spot),
        base_volatility=float(base_volatility),
        risk_free_rate=float(risk_free_rate),
        dividend_yield=float(dividend_yield),
        expirations=tuple(expirations),
        days_to_expiration=days,
        offsets=(0, *accumulate(sizes)),
        strikes=strikes,
        implied_volatilities=volatilities,
        call_bid=bids[0],
        call_ask=asks[0],
        call_mid=mids[0],
        call_delta=values[2],
        put_bid=bids[1],
        put_ask=asks[1],
        put_mid=mids[1],
        put_delta=values[3],
        gamma=values[4],
        vega=values[5],
    )


def _check_ranges(**terms: float) -> None:
    for field, value in terms.items():
        low, high = _RANGES[field]
        finite(field, value, low=low, high=high)


def _days(quote_time: datetime, expirations: Sequence[Expiration]) -> Floats:
    if quote_time.tzinfo is None:
        raise InvalidInput("quote_time", "must have a UTC offset")
    days = np.array(
        [days_to_expiration(quote_time, each.expires_at) for each in expirations], dtype=np.float64
    )
    if days.min(initial=0.0) < 0.0:
        raise InvalidInput("expirations", "must not be before quote_time")
    return days


def _check_growth(years: Floats, each: list[Floats], rate: float, dividend_yield: float) -> None:
    """Refuse discounting so strong that a price would vanish or go beyond what whole cents can express."""
    longest = float(years.max(initial=0.0))
    for field, growth in (("risk_free_rate", rate), ("dividend_yield", dividend_yield)):
        if abs(growth) * longest > MOST_GROWTH:
            raise InvalidInput(
                field, f"times the years to expiration must be at most {MOST_GROWTH:g} in size"
            )
    highest = max((float(strikes[-1]) for strikes in each if strikes.size), default=0.0)
    if highest > HIGHEST_PRICE:
        raise InvalidInput("strike_interval", f"puts strikes beyond {HIGHEST_PRICE:g}")
    if highest * math.exp(max(-rate * longest, 0.0)) > HIGHEST_PRICE:
        raise InvalidInput(
            "risk_free_rate", f"is so negative that puts would cost more than {HIGHEST_PRICE:g}"
        )
