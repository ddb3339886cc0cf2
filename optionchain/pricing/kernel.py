"""The one loop that prices contracts: chains, blocks of chains, the chains of paths and contracts on any terms."""

from __future__ import annotations

import math
from enum import IntEnum
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from optionchain.arrays import Floats
from optionchain.numerics import Kernel
from optionchain.numerics.elementary import exp, log
from optionchain.numerics.formula import Number, formula, select
from optionchain.numerics.normal import gauss, scaled_tail
from optionchain.pricing.quotes import ask, bid
from optionchain.pricing.smile import bent

Offsets: TypeAlias = NDArray[np.int64]
Values: TypeAlias = tuple[Number, Number, Number, Number, Number, Number]

_DENSITY = 1.0 / math.sqrt(2.0 * math.pi)
# Stands for a total volatility of zero (T = 0 or sigma = 0): every tail of the normal is then exactly 0 or 1.
_NO_VOLATILITY = 1e-100
# Below any logarithm's rounding, far above `_NO_VOLATILITY`: an expiring call at the money is in the money.
_TIE = 1e-30

# Contracts whose terms and values stay in a core's first cache together.
_TOGETHER = 256
# The same for NumPy, which needs more at a time: fastest of 2,000 to 20,000 as measured.
BLOCK = 8_192


class Term(IntEnum):
    """The rows of `price`'s terms: what the contracts of a ladder, one expiration of one chain, have in common."""

    SPOT = 0
    YEARS = 1
    RATE = 2
    DIVIDEND_YIELD = 3
    VOLATILITY = 4
    SKEW_SLOPE = 5
    SMILE_CURVE = 6
    SPREAD = 7


VALUED = 8
"""Rows of `price`'s columns without the quotes: strike, volatility and the six values."""
QUOTED = 12
"""Rows of its columns with them: bids and asks of calls and puts."""


def price(offsets: Offsets, terms: Floats, columns: Floats) -> None:
    """Price the contracts of some ladders, and quote them where `columns` has rows for it.

    Args:
        offsets: ``[ladders + 1]`` where the contracts of each ladder begin.
        terms: ``[8, ladders]`` in the order of `Term`; ``[4, ladders]`` where volatilities are given.
        columns: ``[QUOTED or VALUED, contracts]``. Row 0 has the strikes, and row 1 the volatilities where they
            are given; the other rows are written to: implied volatility, call price, put price, call delta, put
            delta, gamma, vega per percentage point, call bid, put bid, call ask, put ask.
    """
    _PRICE(offsets, terms, columns)


@formula
def growth(
    spot: Number, years: Number, rate: Number, dividend_yield: Number
) -> tuple[Number, Number, Number, Number]:
    """What the contracts of one expiration share: prepaid forward, carry, discount, and the root of the years."""
    carry = exp(-dividend_yield * years)
    return spot * carry, carry, exp(-rate * years), np.sqrt(years)


@formula
def value(
    spot: Number,
    prepaid: Number,
    carry: Number,
    discount: Number,
    root_years: Number,
    strike: Number,
    volatility: Number,
) -> Values:
    """Call price, put price, call delta, put delta, gamma, and vega per percentage point.

    The side that is out of the money is the difference of two tails, where nothing else cancels; the other side is
    worth as much plus the discounted intrinsic value. The density at d2 is that at d1 times the moneyness, so that
    both tails carry the same rounding of the density, and their difference hardly any of it.
    """
    bond = strike * discount
    total_volatility = volatility * root_years
    total_volatility = select(total_volatility > _NO_VOLATILITY, total_volatility, _NO_VOLATILITY)
    moneyness = prepaid / bond
    distance = log(moneyness) + _TIE
    d1 = distance / total_volatility + 0.5 * total_volatility
    d2 = d1 - total_volatility
    density = gauss(d1)
    tail1 = scaled_tail(abs(d1)) * density
    tail2 = scaled_tail(abs(d2)) * (density * moneyness)
    above1, below1 = select(d1 > 0.0, 1.0 - tail1, tail1), select(d1 > 0.0, tail1, 1.0 - tail1)
    above2, below2 = select(d2 > 0.0, 1.0 - tail2, tail2), select(d2 > 0.0, tail2, 1.0 - tail2)

    call_is_out = distance < 0.0
    out = select(call_is_out, prepaid * above1 - bond * above2, bond * below2 - prepaid * below1)
    out = select(out > 0.0, out, 0.0)
    intrinsic = prepaid - bond
    call = out + select(intrinsic > 0.0, intrinsic, 0.0)
    put = out - select(intrinsic < 0.0, intrinsic, 0.0)
    density = density * _DENSITY
    return (
        call,
        put,
        carry * above1,
        0.0 - carry * below1,
        density * carry / (spot * total_volatility),
        density * prepaid * root_years * 0.01,
    )


def _loop(offsets: Offsets, terms: Floats, columns: Floats) -> None:
    ladders, contracts = terms.shape[1], columns.shape[1]
    shared = np.empty((4, ladders))
    prepaid, carry, discount, root_years = shared[0], shared[1], shared[2], shared[3]
    spots, years, rates, yields = terms[0], terms[1], terms[2], terms[3]
    for ladder in range(ladders):
        prepaid[ladder], carry[ladder], discount[ladder], root_years[ladder] = growth(
            spots[ladder], years[ladder], rates[ladder], yields[ladder]
        )
    each = np.empty((9, _TOGETHER))
    spot, ahead, carried, discounted, root = each[0], each[1], each[2], each[3], each[4]
    level, slope, curve, spread = each[5], each[6], each[7], each[8]
    is_smiled, is_quoted = terms.shape[0] == 8, columns.shape[0] == 12
    ladder = 0
    for start in range(0, contracts, _TOGETHER):
        count = min(_TOGETHER, contracts - start)
        first = 0
        while first < count:
            while offsets[ladder + 1] <= start + first:
                ladder += 1
            stop = min(offsets[ladder + 1] - start, count)
            spot[first:stop] = spots[ladder]
            ahead[first:stop] = prepaid[ladder]
            carried[first:stop] = carry[ladder]
            discounted[first:stop] = discount[ladder]
            root[first:stop] = root_years[ladder]
            if is_smiled:
                level[first:stop] = terms[4, ladder]
                slope[first:stop] = terms[5, ladder]
                curve[first:stop] = terms[6, ladder]
            if is_quoted:
                spread[first:stop] = terms[7, ladder]
            first = stop
        strikes, volatilities = columns[0][start : start + count], columns[1][start : start + count]
        calls, puts = columns[2][start : start + count], columns[3][start : start + count]
        call_deltas, put_deltas = columns[4][start : start + count], columns[5][start : start + count]
        gammas, vegas = columns[6][start : start + count], columns[7][start : start + count]
        if is_smiled:
            for i in range(count):
                volatilities[i] = bent(level[i], log(strikes[i] / spot[i]), slope[i], curve[i])
        for i in range(count):
            calls[i], puts[i], call_deltas[i], put_deltas[i], gammas[i], vegas[i] = value(
                spot[i], ahead[i], carried[i], discounted[i], root[i], strikes[i], volatilities[i]
            )
        if is_quoted:
            call_bids, put_bids = columns[8][start : start + count], columns[9][start : start + count]
            call_asks, put_asks = columns[10][start : start + count], columns[11][start : start + count]
            for i in range(count):
                call_bids[i] = bid(calls[i], spread[i])
                put_bids[i] = bid(puts[i], spread[i])
                call_asks[i] = ask(calls[i], spread[i])
                put_asks[i] = ask(puts[i], spread[i])


def price_with_numpy(offsets: Offsets, terms: Floats, columns: Floats) -> None:
    """As `price`, and to the same bytes, by NumPy alone."""
    shared = np.stack(growth(terms[0], terms[1], terms[2], terms[3]))
    ladder_of = np.repeat(np.arange(terms.shape[1]), np.diff(offsets))
    for start in range(0, columns.shape[1], BLOCK):
        some = columns[:, start : start + BLOCK]
        ladders = ladder_of[start : start + BLOCK]
        prepaid, carry, discount, root_years = shared[:, ladders]
        spot = terms[Term.SPOT, ladders]
        if len(terms) > Term.VOLATILITY:
            level, slope, curve = terms[Term.VOLATILITY : Term.SPREAD, ladders]
            some[1] = bent(level, log(some[0] / spot), slope, curve)
        some[2:8] = value(spot, prepaid, carry, discount, root_years, some[0], some[1])
        if len(columns) == QUOTED:
            spread = terms[Term.SPREAD, ladders]
            some[8:10] = bid(some[2:4], spread)
            some[10:12] = ask(some[2:4], spread)


_PRICE = Kernel("void(int64[::1], float64[:, ::1], float64[:, ::1])", price_with_numpy, _loop)
