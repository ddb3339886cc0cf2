"""From the state of markets to their option chains, all expirations of all of them in one pricing call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime  # noqa: F401  the example names UTC
from itertools import accumulate, pairwise

import numpy as np

from optionchain.arrays import Floats
from optionchain.chains.chain import OptionChain
from optionchain.chains.contracts import priced
from optionchain.chains.refusals import check_growth, check_prices
from optionchain.errors import InvalidInput
from optionchain.expirations import Expiration, days_to_expiration
from optionchain.limits import HIGHEST_PATH, MOST_GROWTH, WIDEST_PRICED
from optionchain.pricing.american import AMERICAN
from optionchain.pricing.black_scholes import DAYS_PER_YEAR
from optionchain.pricing.kernel import QUOTED, Term
from optionchain.pricing.smile import HIGHEST_VOLATILITY
from optionchain.pricing.spreads import Spreads
from optionchain.surfaces import Surface
from optionchain.terms import Exercise, checked_exercise
from optionchain.validation import finite, whole

_RANGES = {
    "spot": (1.0 / WIDEST_PRICED, HIGHEST_PATH),
    "ladder_price": (1.0 / WIDEST_PRICED, HIGHEST_PATH),
    "base_volatility": (0.0, HIGHEST_VOLATILITY),
    "strike_interval": (1e-6, HIGHEST_PATH),
    "skew_slope": (-1e6, 1e6),
    "smile_curve": (-1e6, 1e6),
    "spread": (0.0, HIGHEST_PATH),
    "risk_free_rate": (-10.0, 10.0),
    "dividend_yield": (0.0, 10.0),
}


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
    ladder_price: float | None = None
    spreads: Spreads | None = None
    exercise: Exercise = "european"
    surface: Surface | None = None


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
    ladder_price: float | None = None,
    spreads: Spreads | None = None,
    exercise: Exercise = "european",
    surface: Surface | None = None,
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
        ladder_price: The price around which strikes are listed, in (0, 1e12]; None means the spot.
        spreads: Between asks and bids of each contract, in place of `spread`.
        exercise: ``european`` or ``american``.
        surface: What gives contracts their volatilities, in place of `skew_slope` and `smile_curve`.

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
    numbers = {
        "spot": spot,
        "base_volatility": base_volatility,
        "skew_slope": skew_slope,
        "smile_curve": smile_curve,
        "spread": spread,
        "risk_free_rate": risk_free_rate,
        "dividend_yield": dividend_yield,
    }
    settled = {field: _in_range(field, number) for field, number in numbers.items()}
    interval = None if strike_interval is None else _in_range("strike_interval", strike_interval)
    size = whole("chain_size", chain_size, low=0, high=500)
    centre = None if ladder_price is None else _in_range("ladder_price", ladder_price)
    if quote_time.tzinfo is None:
        raise InvalidInput("quote_time", "must have a UTC offset")
    terms = ChainTerms(
        symbol=symbol,
        quote_time=quote_time,
        expirations=tuple(expirations),
        chain_size=size,
        strike_interval=interval,
        ladder_price=centre,
        spreads=spreads,
        exercise=checked_exercise(exercise),
        surface=surface,
        **settled,
    )
    [chain] = build_chains([terms])
    return chain


def is_surely_priced(terms: ChainTerms) -> bool:
    """Whether such a chain is priced wherever the spot goes, up to the highest price of a path.

    Only a given interval can be too fine for a price, only a negative rate make a put too dear, only growth over a long
    time discount too strongly, and only a smile with code of its own refuse.

    Args:
        terms: At the instant from which its expirations are farthest.
    """
    if terms.strike_interval is not None or terms.risk_free_rate < 0.0:
        return False
    if terms.surface is not None and not terms.surface.is_always_priced:
        return False
    growth = max(terms.risk_free_rate, terms.dividend_yield)
    days = [days_to_expiration(terms.quote_time, one.expires_at) for one in terms.expirations]
    return min(days, default=0.0) >= 0.0 and growth * (max(days, default=0.0) / DAYS_PER_YEAR) <= MOST_GROWTH


def build_chains(terms: Sequence[ChainTerms]) -> list[OptionChain]:
    """Build the chains of several markets, which need have nothing in common, in one pricing call.

    Args:
        terms: Of each chain.

    Returns:
        One chain for each of the terms: the same numbers, to the bit, in any company.

    Raises:
        InvalidInput: As `build_chain`, for the first that it refuses.
    """
    try:
        return _built_by_surface(terms)
    except InvalidInput:
        for each in terms if len(terms) > 1 else ():  # of which one it is, only each alone can tell
            _built([each])
        raise


def _in_range(field: str, number: float) -> float:
    low, high = _RANGES[field]
    return finite(field, number, low=low, high=high)


def _built_by_surface(group: Sequence[ChainTerms]) -> list[OptionChain]:
    """Chains of one surface together; those without any are the most."""
    if len(group) == 1 or all(each.surface is None for each in group):
        return _built(group)
    sharing: dict[Surface | None, list[int]] = {}
    for index, each in enumerate(group):
        sharing.setdefault(each.surface, []).append(index)
    built: dict[int, OptionChain] = {}
    for indices in sharing.values():
        built |= dict(zip(indices, _built([group[index] for index in indices]), strict=True))
    return [built[index] for index in range(len(group))]


def _built(group: Sequence[ChainTerms]) -> list[OptionChain]:
    """Of one surface. Axes: ``[ladders]``, one expiration of one chain, and ``[contracts]``."""
    days = [
        np.array(
            [days_to_expiration(each.quote_time, one.expires_at) for one in each.expirations], dtype=float
        )
        for each in group
    ]
    counts = [each.size for each in days]
    terms = np.repeat(_rows(group), counts, axis=1)
    terms[Term.YEARS] = np.concatenate([*days, ()]) / DAYS_PER_YEAR
    check_growth(terms)
    surface = group[0].surface if group else None
    if surface is not None:
        surface.levelled(terms)
    intervals = np.repeat(np.array([each.strike_interval for each in group], dtype=float), counts)
    sizes = {each.chain_size for each in group}
    strikes_per_side = (
        sizes.pop()
        if len(sizes) == 1
        else np.repeat(np.array([float(each.chain_size) for each in group]), counts)
    )
    american = np.repeat(np.array([each.exercise == "american" for each in group], dtype=bool), counts)
    offsets, columns = priced(
        terms,
        intervals,
        strikes_per_side,
        centres=_centres(group, counts),
        american=american,
        surface=surface,
    )
    check_prices(terms, offsets, columns[0])
    chains = [
        OptionChain(
            symbol=each.symbol,
            quote_time=each.quote_time,
            underlying_price=float(each.spot),
            base_volatility=float(each.base_volatility),
            risk_free_rate=float(each.risk_free_rate),
            dividend_yield=float(each.dividend_yield),
            expirations=each.expirations,
            days_to_expiration=own_days,
            offsets=tuple((offsets[first : stop + 1] - offsets[first]).tolist()),
            columns=columns[
                : AMERICAN if each.exercise == "american" else QUOTED, offsets[first] : offsets[stop]
            ],
        )
        for each, own_days, (first, stop) in zip(
            group, days, pairwise(accumulate(counts, initial=0)), strict=True
        )
    ]
    for each, chain in zip(group, chains, strict=True):
        if each.spreads is not None:
            chain.quote_by(each.spreads)
    return chains


def _centres(group: Sequence[ChainTerms], counts: Sequence[int]) -> Floats | None:
    """``[ladders]`` the prices around which strikes are listed; None where that is the spot of all."""
    if all(each.ladder_price is None for each in group):
        return None
    prices = [each.spot if each.ladder_price is None else each.ladder_price for each in group]
    return np.repeat(prices, counts)


def _rows(group: Sequence[ChainTerms]) -> Floats:
    """``[8, chains]`` as the kernel takes them, the years still to be filled in."""
    return np.array(
        [
            (
                each.spot,
                0.0,
                each.risk_free_rate,
                each.dividend_yield,
                each.base_volatility,
                each.skew_slope,
                each.smile_curve,
                each.spread,
            )
            for each in group
        ]
    ).T
