"""From the state of one market to its option chain: the arguments checked, for whoever prices a chain by hand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime  # noqa: F401  the example names UTC

from optionchain.chains.chain import OptionChain
from optionchain.chains.strike_rules import STRIKE_RULES
from optionchain.chains.together import ChainTerms, build_chains
from optionchain.contracts.carry import Carry
from optionchain.contracts.terms import Exercise, checked_exercise
from optionchain.declared.checks import finite, whole
from optionchain.declared.limits import HIGHEST_PATH, WIDEST_PRICED
from optionchain.errors import InvalidInput
from optionchain.expirations import Expiration
from optionchain.pricing.smile import HIGHEST_VOLATILITY
from optionchain.pricing.spreads import COIN_TICK, SpreadModel, Spreads
from optionchain.surfaces import Surface

_RANGES = {
    "spot": (1.0 / WIDEST_PRICED, HIGHEST_PATH),
    "ladder_price": (1.0 / WIDEST_PRICED, HIGHEST_PATH),
    "ladder_highest": (1.0 / WIDEST_PRICED, HIGHEST_PATH),
    "base_volatility": (0.0, HIGHEST_VOLATILITY),
    "strike_interval": (1e-6, HIGHEST_PATH),
    "skew_slope": (-1e6, 1e6),
    "smile_curve": (-1e6, 1e6),
    "spread": (0.0, HIGHEST_PATH),
    "risk_free_rate": (-10.0, 10.0),
    "dividend_yield": (0.0, 10.0),
}


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
    ladder_highest: float | None = None,
    spreads: Spreads | None = None,
    exercise: Exercise = "european",
    strike_rule: str | None = None,
    carry: Carry | None = None,
    surface: Surface | None = None,
    in_coin: bool = False,
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
        ladder_highest: Where strikes are around all prices from `ladder_price` on, the highest; None means just that.
        spreads: Between asks and bids of each contract, in place of `spread`.
        exercise: ``european``, ``american``, or ``bermudan`` on the dates that `carry` has.
        strike_rule: A name of `STRIKE_RULES`: intervals that grow with distance and days, not `strike_interval`.
        carry: A curve of rates, dividends in cash, a future: in place of `risk_free_rate` and `dividend_yield`.
        surface: What gives contracts their volatilities, in place of `skew_slope` and `smile_curve`.
        in_coin: Prices and quotes are in units of the underlying, `spread` too, on ticks of 0.0001 without `spreads`.

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
    if (exercise == "bermudan") != (carry is not None and carry.exercises is not None):
        raise InvalidInput("carry", "must have the dates of exercise of bermudan options, and of no others")
    if quote_time.tzinfo is None:
        raise InvalidInput("quote_time", "must have a UTC offset")
    terms = ChainTerms(
        symbol=symbol,
        quote_time=quote_time,
        expirations=tuple(expirations),
        chain_size=size,
        strike_interval=interval,
        ladder_price=centre,
        ladder_highest=_highest(centre, ladder_highest),
        spreads=SpreadModel(base=settled["spread"], tick=COIN_TICK)
        if in_coin and spreads is None
        else spreads,
        exercise=checked_exercise(exercise),
        strike_rule=_checked_rule(strike_rule),
        carry=carry,
        in_coin=in_coin,
        surface=surface,
        **settled,
    )
    [chain] = build_chains([terms])
    return chain


def _in_range(field: str, number: float) -> float:
    low, high = _RANGES[field]
    return finite(field, number, low=low, high=high)


def _highest(lowest: float | None, highest: float | None) -> float | None:
    if highest is None:
        return None
    highest = _in_range("ladder_highest", highest)
    if lowest is None or highest < lowest:
        raise InvalidInput("ladder_highest", "needs a ladder_price that is not above it")
    return highest


def _checked_rule(rule: str | None) -> str | None:
    if rule is not None and rule not in STRIKE_RULES:
        raise InvalidInput("strike_rule", f"must be one of {', '.join(STRIKE_RULES)}")
    return rule
