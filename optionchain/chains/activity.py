"""How busy a chain is: sizes of quotes, open interest and volume, made up so that they look like a market's.

Each number follows from the seed, the contract and the day alone: not from the other strikes that are listed, the steps
before it, or the process that asks.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from optionchain import numerics
from optionchain.arrays import Floats
from optionchain.chains.chain import OptionChain
from optionchain.chains.columns import SIDES, Side
from optionchain.declared.checks import finite
from optionchain.pricing.black_scholes import DAYS_PER_YEAR

MOST_OPEN = 1e9
"""Of the contracts open of a typical one at the money."""

# Deviations of the logarithms: between contracts, and between the days of one.
_BETWEEN_CONTRACTS, _BETWEEN_DAYS = 0.7, 0.9
# Of the contracts open: what changes hands on a day at the money, and what is quoted there.
_TURNOVER, _QUOTED = 0.2, 0.02
# Round strikes are busier: multiples of ten and of five intervals.
_ROUND_STRIKES = ((10.0, 2.0), (5.0, 1.5))
_MASK, _GOLDEN = 0xFFFFFFFFFFFFFFFF, 0x9E3779B97F4A7C15


class _Stream(IntEnum):
    """What a random number is for."""

    INTEREST = 1
    VOLUME = 2
    BID_SIZE = 3
    ASK_SIZE = 4


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Activity:
    """Of each contract of a chain, ``[contracts]`` in its order; whole numbers.

    Attributes:
        call_bid_size, call_ask_size, put_bid_size, put_ask_size: Contracts at the quotes; 0 where there is no bid.
        call_open_interest, put_open_interest: Contracts open.
        call_volume, put_volume: Contracts traded on the day of the quotes.
    """

    call_bid_size: Floats
    call_ask_size: Floats
    call_open_interest: Floats
    call_volume: Floats
    put_bid_size: Floats
    put_ask_size: Floats
    put_open_interest: Floats
    put_volume: Floats


def activity_of(chain: OptionChain, seed: int, path: int = 0, *, scale: float = 1000.0) -> Activity:
    """Make up the activity of a chain.

    Open interest is highest near the money, on round strikes and for expirations of about a month, and puts have
    more of it below the price, calls above. Volume is a part of it that varies from day to day; sizes are another.

    Args:
        chain: The chain.
        seed: Of the simulation.
        path: Of the simulation.
        scale: Open interest of a typical contract at the money, in [0, 1e9].

    Raises:
        InvalidInput: The scale is out of range.
    """
    typical = finite("scale", scale, low=0.0, high=MOST_OPEN)
    columns: dict[str, Floats] = {}
    for side in SIDES:
        columns |= _of_side(chain, side, _key(seed, path), typical)
    return Activity(**columns)


def _of_side(chain: OptionChain, side: Side, key: int, scale: float) -> dict[str, Floats]:
    shape = scale * _profile(chain, side)
    day = chain.quote_time.date().toordinal()
    contract = _contract_words(chain, side)

    def normal(stream: _Stream, moment: int = 0) -> Floats:
        return numerics.ndtri(_uniforms(contract, key, int(stream), moment))

    interest = np.rint(shape * numerics.exp(_BETWEEN_CONTRACTS * normal(_Stream.INTEREST)))
    traded = numerics.exp(_BETWEEN_DAYS * normal(_Stream.VOLUME, day))
    volume = np.rint(_TURNOVER * interest * traded)
    instant = int(chain.quote_time.timestamp())
    sizes = {
        name: np.ceil(1.0 + _QUOTED * shape * numerics.exp(0.5 * normal(stream, instant)))
        for name, stream in (("bid", _Stream.BID_SIZE), ("ask", _Stream.ASK_SIZE))
    }
    bids = chain.call_bid if side == "call" else chain.put_bid
    return {
        f"{side}_bid_size": np.where(bids > 0.0, sizes["bid"], 0.0),
        f"{side}_ask_size": sizes["ask"],
        f"{side}_open_interest": interest,
        f"{side}_volume": volume,
    }


def _profile(chain: OptionChain, side: Side) -> Floats:
    """The typical contract at the money of a month is 1."""
    days = chain.per_contract(chain.days_to_expiration)
    deviation = np.maximum(chain.base_volatility * np.sqrt(np.maximum(days, 1.0) / DAYS_PER_YEAR), 1e-6)
    distance = numerics.log(chain.strikes / chain.underlying_price) / deviation
    out_of_the_money = distance if side == "call" else -distance
    # Falls slowly where the option is out of the money, and fast where it is in it.
    near = numerics.exp(-np.where(out_of_the_money > 0.0, 0.35, 1.2) * np.abs(distance))
    month = numerics.exp(-0.5 * numerics.log(np.maximum(days, 1.0) / 30.0) ** 2 / 2.25)
    return np.asarray(near * (0.1 + 0.9 * month) * _roundness(chain))


def _roundness(chain: OptionChain) -> Floats:
    factors = np.ones(chain.strikes.size)
    for first, last in zip(chain.offsets[:-1], chain.offsets[1:], strict=True):
        strikes = chain.strikes[first:last]
        if strikes.size < 2:
            continue
        multiples = strikes / float(np.min(np.diff(strikes)))
        for every, factor in _ROUND_STRIKES:
            is_round = np.abs(multiples / every - np.rint(multiples / every)) < 1e-6
            factors[first:last] = np.where(
                is_round & (factors[first:last] == 1.0), factor, factors[first:last]
            )
    return factors


def _contract_words(chain: OptionChain, side: Side) -> NDArray[np.uint64]:
    """What a contract is: 64 bits of its strike, expiration and side."""
    expires = np.array([int(each.expires_at.timestamp()) for each in chain.expirations], dtype=np.uint64)
    strikes = np.ascontiguousarray(chain.strikes).view(np.uint64)
    each = np.repeat(expires, np.diff(chain.offsets))
    return _mixed(_mixed(strikes) ^ each * np.uint64(2) + np.uint64(side == "put"))


def _uniforms(contract: NDArray[np.uint64], key: int, stream: int, moment: int) -> Floats:
    """In (0, 1), each from its contract, the key, the stream and the moment alone."""
    word = _mixed(np.array([key], dtype=np.uint64)) ^ np.uint64(stream * _GOLDEN & _MASK)
    mixed = _mixed(_mixed(contract ^ word) + np.uint64(moment & 0xFFFFFFFF))
    return ((mixed >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53


def _mixed(words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finaliser of SplitMix64: every bit of the result depends on every bit.

    Source:
        G. Steele, D. Lea, C. Flood, "Fast splittable pseudorandom number generators", 2014, figure 16.
    """
    with np.errstate(over="ignore"):
        z = words + np.uint64(_GOLDEN)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return np.asarray(z ^ (z >> np.uint64(31)))


def _key(seed: int, path: int) -> int:
    return (seed ^ path * _GOLDEN) & _MASK
