"""Which strikes a chain lists: a ladder of round numbers around the spot."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache

import numpy as np

from optionchain.arrays import Floats, Strikes
from optionchain.errors import InvalidInput
from optionchain.numerics import Kernel
from optionchain.pricing.black_scholes import DAYS_PER_YEAR
from optionchain.pricing.kernel import Offsets

# From the spot to each end of a ladder whose interval is chosen here: "8 S sigma sqrt(T)" in all.
DEVIATIONS_A_SIDE = 4.0

_OF_SHARES = [0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 25.0, 50.0, 100.0, 150.0, 200.0, 250.0]
_CENT, _WIDEST_OF_SHARES = _OF_SHARES[0], _OF_SHARES[-1]
# For what costs less than a cent, and for what moves by thousands.
_BELOW = [float(f"{digits}e{power}") for power in range(-12, -2) for digits in ("1", "2.5", "5")]
_ABOVE = [float(f"{digits}e{power}") for power in range(2, 11) for digits in ("1", "2.5", "5")][2:]
_ROUND_INTERVALS = np.array(_BELOW + _OF_SHARES + _ABOVE)
_HALFWAY = (_ROUND_INTERVALS[1:] + _ROUND_INTERVALS[:-1]) / 2.0
# Up to here a strike, counted in the interval's last decimal, is a whole number that a float holds exactly.
_MOST_TICKS = 2**53
# A quotient this close to a half, relative to its size, is rounded by decimals and not by floats.
_NEAR_A_TIE = 1e-9


def strike_intervals(
    *,
    spot: float | Floats,
    volatility: float | Floats,
    expiry_years: Floats,
    chain_size: int | Floats,
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
        ``[expirations]`` Currency units, each a round interval that fits, not under a cent for a spot from 10 on, or
            about a thousandth of it below; the lower one at a tie.

    Example:
        >>> years = np.array([0.0, 0.25, 1.0])
        >>> strike_intervals(spot=100.0, volatility=0.2, expiry_years=years, chain_size=30)
        array([0.1, 1. , 2.5])
    """
    root_years = np.sqrt(np.maximum(expiry_years, 1.0 / DAYS_PER_YEAR))
    widths = 2.0 * deviations * spot * volatility * root_years
    sizes = np.maximum(chain_size, 1)
    gaps = widths / (2.0 * sizes)
    if gaps.min(initial=_CENT) < _CENT or gaps.max(initial=_CENT) > _WIDEST_OF_SHARES:
        finest = np.minimum(_CENT, 1e-3 * np.asarray(spot))
        # Beyond five times the price there is nothing to be traded.
        gaps = np.clip(gaps, finest, np.maximum(_WIDEST_OF_SHARES, 5.0 * np.asarray(spot) / sizes))
    return _ROUND_INTERVALS[np.searchsorted(_HALFWAY, gaps)]


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


def ladders(
    spots: Floats, intervals: Floats, strikes_per_side: Floats | int, *, highest_spots: Floats | None = None
) -> tuple[Offsets, Strikes]:
    """List the multiples of each interval around each spot, without those <= 0.

    Args:
        spots: ``[ladders]`` currency units, > 0.
        intervals: ``[ladders]`` currency units, > 0.
        strikes_per_side: Strikes on each side of the central one, >= 0; one whole number, or ``[ladders]``.
        highest_spots: ``[ladders]`` not below the spots, where strikes are around all prices from these to those.

    Returns:
        Where each ladder begins, ``[ladders + 1]``, and the strikes of all, ``[contracts]``, ascending within each
        ladder; each is the float nearest to its exact decimal.

    Raises:
        InvalidInput: An interval is too fine to tell such strikes apart.

    Example:
        >>> offsets, strikes = ladders(np.array([0.2, 101.3]), np.array([0.1, 2.5]), 2)
        >>> offsets.tolist(), strikes.tolist()
        ([0, 4, 9], [0.1, 0.2, 0.3, 0.4, 97.5, 100.0, 102.5, 105.0, 107.5])
    """
    ticks, units = _decimal_ticks_of_each(intervals)
    centres = _central_multiples(spots, intervals)
    highest = centres if highest_spots is None else _central_multiples(highest_spots, intervals)
    highest = highest + strikes_per_side
    if float((highest * ticks).max(initial=0.0)) > _MOST_TICKS:
        raise InvalidInput("strike_interval", "is too fine, or has too many decimals, for such a price")
    lowest = centres - strikes_per_side
    lowest = np.where(lowest > 1.0, lowest, 1.0)
    offsets = np.zeros(spots.size + 1, dtype=np.int64)
    np.cumsum(np.maximum(highest - lowest + 1.0, 0.0).astype(np.int64), out=offsets[1:])
    strikes = np.empty(int(offsets[-1]))
    _LIST(offsets, np.array([lowest, ticks, units]), strikes)
    return offsets, strikes


def _list(offsets: Offsets, ladders: Floats, strikes: Strikes) -> None:
    for ladder in range(offsets.size - 1):
        for contract in range(offsets[ladder], offsets[ladder + 1]):
            multiple = ladders[0, ladder] + float(contract - offsets[ladder])
            strikes[contract] = multiple * ladders[1, ladder] / ladders[2, ladder]


def _list_with_numpy(offsets: Offsets, ladders: Floats, strikes: Strikes) -> None:
    sizes = np.diff(offsets)
    lowest, ticks, units = np.repeat(ladders, sizes, axis=1)
    multiples = lowest + (np.arange(strikes.size) - np.repeat(offsets[:-1], sizes))
    strikes[:] = multiples * ticks / units


_LIST = Kernel("void(int64[::1], float64[:, ::1], float64[::1])", _list_with_numpy, _list)


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


def _decimal_ticks_of_each(intervals: Floats) -> tuple[Floats, Floats]:
    """``[ladders]`` the ticks of `decimal_ticks`, and 10^decimals."""
    pairs = {interval: decimal_ticks(interval) for interval in set(intervals.tolist())}
    ticks, units = np.empty_like(intervals), np.empty_like(intervals)
    for interval, (count, decimals) in pairs.items():
        which = slice(None) if len(pairs) == 1 else intervals == interval
        ticks[which], units[which] = count, 10.0**decimals
    return ticks, units


def _central_multiples(spots: Floats, intervals: Floats) -> Floats:
    """``[ladders]`` `central_multiple` of each."""
    shifted = spots / intervals + 0.5
    centres: Floats = np.floor(shifted)
    # A price halfway between two strikes is this far from the middle of its cell, up to rounding.
    from_middle = np.abs(shifted - centres - 0.5)
    near = from_middle >= 0.5 - _NEAR_A_TIE * max(float(shifted.max(initial=0.0)), 1.0)
    if near.any():
        pairs, which = np.unique(np.stack([spots[near], intervals[near]]), axis=1, return_inverse=True)
        exact = [central_multiple(spot, interval) for spot, interval in pairs.T.tolist()]
        centres[near] = np.array(exact, dtype=np.float64)[which]
    return centres


def _decimal(number: float) -> Decimal:
    """The shortest decimal that reads back as this float."""
    return Decimal(repr(float(number)))
