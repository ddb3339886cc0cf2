"""Which strikes a chain lists: a ladder of round numbers around the spot."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache

import numpy as np

from optionchain.arrays import Floats, Strikes
from optionchain.errors import InvalidInput
from optionchain.pricing.black_scholes import DAYS_PER_YEAR

# From the spot to each end of a ladder whose interval is chosen here: "8 S sigma sqrt(T)" in all.
DEVIATIONS_A_SIDE = 4.0

_ROUND_INTERVALS = np.array(
    [0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 25.0, 50.0, 100.0, 150.0, 200.0, 250.0]
)
_HALFWAY = (_ROUND_INTERVALS[1:] + _ROUND_INTERVALS[:-1]) / 2.0
# Up to here a strike, counted in the interval's last decimal, is a whole number that a float holds exactly.
_MOST_TICKS = 2**53


def strike_intervals(
    *,
    spot: float | Floats,
    volatility: float | Floats,
    expiry_years: Floats,
    chain_size: int,
    deviations: float = DEVIATIONS_A_SIDE,
) -> Floats:
    """Choose the round interval whose ladder spans the likely prices at expiry.

    Args:
        spot: Currency units, > 0; an array that broadcasts with the years gives that shape.
        volatility: Annualised, >= 0; likewise.
        expiry_years: ``[expirations]`` Years, ACT/365, >= 0. Less than a day counts as a day, so that the
            ladder stays usable up to expiry.
        chain_size: Strikes on each side of the centre, >= 0.
        deviations: Standard deviations from the spot to each end.

    Returns:
        ``[expirations]`` Currency units, each one of the intervals from 0.01 to 250; the lower one at a tie.

    Example:
        >>> years = np.array([0.0, 0.25, 1.0])
        >>> strike_intervals(spot=100.0, volatility=0.2, expiry_years=years, chain_size=30)
        array([0.1, 1. , 2.5])
    """
    root_years = np.sqrt(np.maximum(expiry_years, 1.0 / DAYS_PER_YEAR))
    widths = 2.0 * deviations * spot * volatility * root_years
    return _ROUND_INTERVALS[np.searchsorted(_HALFWAY, widths / (2 * max(chain_size, 1)))]


def central_multiple(price: float, interval: float) -> int:
    """Return which multiple of `interval` is nearest to `price`, of two the higher.

    The two numbers count as the decimals that they print as: 0.15 lies halfway between 0.1 and 0.2.

    Args:
        price: Currency units, > 0.
        interval: Currency units, > 0.

    Example:
        >>> central_multiple(152.5, 5.0), central_multiple(0.15, 0.1)
        (31, 2)
    """
    return int((_decimal(price) / _decimal(interval)).to_integral_value(ROUND_HALF_UP))


@lru_cache(maxsize=256)
def ladder(centre: int, interval: float, chain_size: int) -> Strikes:
    """List the multiples of `interval` from `chain_size` below `centre` to as many above, without those <= 0.

    Args:
        centre: The central multiple.
        interval: Currency units, > 0.
        chain_size: Strikes on each side, >= 0.

    Returns:
        ``[strikes]`` ascending, read-only; each is the float nearest to its exact decimal.

    Raises:
        InvalidInput: The interval is too fine to tell such strikes apart.

    Example:
        >>> ladder(2, 0.1, 3).tolist()
        [0.1, 0.2, 0.3, 0.4, 0.5]
    """
    ticks, decimals = decimal_ticks(interval)
    check_ticks((centre + chain_size) * ticks)
    multiples = np.arange(max(1, centre - chain_size), centre + chain_size + 1, dtype=np.float64)
    strikes = multiples * ticks / 10.0**decimals
    strikes.flags.writeable = False
    return strikes


@lru_cache(maxsize=256)
def decimal_ticks(interval: float) -> tuple[int, int]:
    """The interval as ``(ticks, decimals)``: so many units of its last decimal, which is 10^-decimals.

    Example:
        >>> decimal_ticks(0.25), decimal_ticks(50.0)
        ((25, 2), (50, 0))
    """
    step = _decimal(interval)
    decimals = max(0, -int(step.normalize().as_tuple().exponent))
    return int(step.scaleb(decimals)), decimals


def check_ticks(highest: float) -> None:
    """Refuse a ladder whose highest strike, in ticks, is no number that a float holds exactly."""
    if highest > _MOST_TICKS:
        raise InvalidInput("strike_interval", "is too fine, or has too many decimals, for such a price")


def ladders(
    *, spot: float, volatility: float, expiry_years: Floats, chain_size: int, strike_interval: float | None
) -> list[Strikes]:
    """List the strikes of each expiration; without an interval each expiration has its own.

    Args:
        spot: Currency units, > 0.
        volatility: Annualised, >= 0.
        expiry_years: ``[expirations]`` Years, ACT/365, >= 0.
        chain_size: Strikes on each side of the centre, >= 0.
        strike_interval: Currency units, > 0, or None to choose one.

    Returns:
        One array an expiration.

    Raises:
        InvalidInput: The interval is too fine for the price.
    """
    if strike_interval is not None:
        return [_around(spot, strike_interval, chain_size)] * expiry_years.size
    intervals = strike_intervals(
        spot=spot, volatility=volatility, expiry_years=expiry_years, chain_size=chain_size
    ).tolist()
    distinct = {interval: _around(spot, interval, chain_size) for interval in dict.fromkeys(intervals)}
    return [distinct[interval] for interval in intervals]


def _around(spot: float, interval: float, chain_size: int) -> Strikes:
    return ladder(central_multiple(spot, interval), interval, chain_size)


def _decimal(number: float) -> Decimal:
    """The shortest decimal that reads back as this float."""
    return Decimal(repr(float(number)))
