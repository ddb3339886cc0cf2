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
from optionchain.numerics.formula import Number, formula, routine, select
from optionchain.numerics.normal import gauss, scaled_tail
from optionchain.pricing.hyperbola import hyperbolic
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
SLICED = 10
"""Rows of its terms where the smile of each ladder is a hyperbola: in place of volatility, slope and curve its five
numbers, and the spread last."""


def price(offsets: Offsets, terms: Floats, columns: Floats) -> None:
    """Price the contracts of some ladders, and quote them where `columns` has rows for it.

    Args:
        offsets: ``[ladders + 1]`` where the contracts of each ladder begin.
        terms: ``[8, ladders]`` in the order of `Term`; ``[4, ladders]`` where volatilities are given, or 5 with the
            spread where they are to be quoted; ``[10, ladders]`` where smiles are hyperbolas.
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
def standardised(
    prepaid: Number, discount: Number, root_years: Number, strike: Number, volatility: Number
) -> tuple[Number, Number, Number]:
    """Total volatility, moneyness (prepaid forward over discounted strike), and d1."""
    total_volatility = volatility * root_years
    total_volatility = select(total_volatility > _NO_VOLATILITY, total_volatility, _NO_VOLATILITY)
    moneyness = prepaid / (strike * discount)
    d1 = (log(moneyness) + _TIE) / total_volatility + 0.5 * total_volatility
    return total_volatility, moneyness, d1


@formula
def value(
    spot: Number,
    prepaid: Number,
    carry: Number,
    bond: Number,
    root_years: Number,
    total_volatility: Number,
    moneyness: Number,
    d1: Number,
    density: Number,
    tail1: Number,
    tail2: Number,
) -> Values:
    """Call price, put price, call delta, put delta, gamma, and vega per percentage point.

    The side that is out of the money is the difference of two tails, where nothing else cancels; the other side is
    worth as much plus the discounted intrinsic value. The density at d2 is that at d1 times the moneyness, so that
    both tails carry the same rounding of the density, and their difference hardly any of it.

    Args:
        bond: The discounted strike.
        density: `gauss` of d1.
        tail1, tail2: `scaled_tail` of the sizes of d1 and d2.
        spot, prepaid, carry, root_years: As `growth` has them.
        total_volatility, moneyness, d1: As `standardised` has them.
    """
    tail1 = tail1 * density
    tail2 = tail2 * (density * moneyness)
    above1, below1 = select(d1 > 0.0, 1.0 - tail1, tail1), select(d1 > 0.0, tail1, 1.0 - tail1)
    below2 = select(d1 > total_volatility, tail2, 1.0 - tail2)

    intrinsic = prepaid - bond
    # Where the moneyness is below one, d2 is below zero: what is above it is its tail.
    out = select(moneyness < 1.0, prepaid * above1 - bond * tail2, bond * below2 - prepaid * below1)
    out = select(out > 0.0, out, 0.0)
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


@routine
def _share(each: Floats, shared: Floats, offsets: Offsets, ladder: int, start: int) -> int:
    """Copy what ladders share to each of the contracts from `start` on; the first ladder of the next ones."""
    count = min(each.shape[1], offsets[-1] - start)
    first = 0
    while first < count:
        while offsets[ladder + 1] <= start + first:
            ladder += 1
        stop = min(offsets[ladder + 1] - start, count)
        for row in range(shared.shape[0]):
            each[row][first:stop] = shared[row, ladder]
        first = stop
    return ladder


@routine
def _quote(calls: Floats, puts: Floats, spread: Floats, columns: Floats, start: int) -> None:
    count = calls.size
    call_bids, put_bids = columns[8][start : start + count], columns[9][start : start + count]
    call_asks, put_asks = columns[10][start : start + count], columns[11][start : start + count]
    for i in range(count):
        call_bids[i], call_asks[i] = bid(calls[i], spread[i]), ask(calls[i], spread[i])
    for i in range(count):
        put_bids[i], put_asks[i] = bid(puts[i], spread[i]), ask(puts[i], spread[i])


def _loop(offsets: Offsets, terms: Floats, columns: Floats) -> None:
    """In stages, each of which the processor overlaps with itself; together they would wait for each other."""
    shared = np.empty((terms.shape[0] + 4, terms.shape[1]))
    shared[4:] = terms
    prepaid, carry, discount, root_years = shared[0], shared[1], shared[2], shared[3]
    for ladder in range(terms.shape[1]):
        prepaid[ladder], carry[ladder], discount[ladder], root_years[ladder] = growth(
            terms[0, ladder], terms[1, ladder], terms[2, ladder], terms[3, ladder]
        )
    each, work = np.empty((14, _TOGETHER)), np.empty((6, _TOGETHER))
    ahead, carried, discounted, root, spot = each[0], each[1], each[2], each[3], each[4]
    level, slope, curve, spread = each[8], each[9], each[10], each[terms.shape[0] + 3]
    centre, width = each[11], each[12]
    total, moneyness, d1, density, tail1, tail2 = work[0], work[1], work[2], work[3], work[4], work[5]
    ladder = 0
    for start in range(0, columns.shape[1], _TOGETHER):
        ladder = _share(each, shared, offsets, ladder, start)
        count = min(_TOGETHER, columns.shape[1] - start)
        strikes, volatilities = columns[0][start : start + count], columns[1][start : start + count]
        calls, puts = columns[2][start : start + count], columns[3][start : start + count]
        call_deltas, put_deltas = columns[4][start : start + count], columns[5][start : start + count]
        gammas, vegas = columns[6][start : start + count], columns[7][start : start + count]
        if terms.shape[0] == 8:
            for i in range(count):
                volatilities[i] = bent(level[i], log(strikes[i] / spot[i]), slope[i], curve[i])
        elif terms.shape[0] == SLICED:
            for i in range(count):
                volatilities[i] = hyperbolic(
                    log(strikes[i] * discounted[i] / ahead[i]),
                    level[i],
                    slope[i],
                    curve[i],
                    centre[i],
                    width[i],
                )
        for i in range(count):
            total[i], moneyness[i], d1[i] = standardised(
                ahead[i], discounted[i], root[i], strikes[i], volatilities[i]
            )
        for i in range(count):
            density[i] = gauss(d1[i])
        for i in range(count):
            tail1[i] = scaled_tail(abs(d1[i]))
        for i in range(count):
            tail2[i] = scaled_tail(abs(d1[i] - total[i]))
        for i in range(count):
            calls[i], puts[i], call_deltas[i], put_deltas[i], gammas[i], vegas[i] = value(
                spot[i],
                ahead[i],
                carried[i],
                strikes[i] * discounted[i],
                root[i],
                total[i],
                moneyness[i],
                d1[i],
                density[i],
                tail1[i],
                tail2[i],
            )
        if columns.shape[0] == 12:
            _quote(calls, puts, spread, columns, start)


def price_with_numpy(offsets: Offsets, terms: Floats, columns: Floats) -> None:
    """As `price`, and to the same bytes, by NumPy alone."""
    shared = np.stack(growth(terms[0], terms[1], terms[2], terms[3]))
    ladder_of = np.repeat(np.arange(terms.shape[1]), np.diff(offsets))
    for start in range(0, columns.shape[1], BLOCK):
        some = columns[:, start : start + BLOCK]
        ladders = ladder_of[start : start + BLOCK]
        prepaid, carry, discount, root_years = shared[:, ladders]
        spot = terms[Term.SPOT, ladders]
        if len(terms) == len(Term):
            level, slope, curve = terms[Term.VOLATILITY : Term.SPREAD, ladders]
            some[1] = bent(level, log(some[0] / spot), slope, curve)
        elif len(terms) == SLICED:
            shape = terms[Term.VOLATILITY : SLICED - 1, ladders]
            some[1] = hyperbolic(log(some[0] * discount / prepaid), *shape)
        total, moneyness, d1 = standardised(prepaid, discount, root_years, some[0], some[1])
        some[2:8] = value(
            spot,
            prepaid,
            carry,
            some[0] * discount,
            root_years,
            total,
            moneyness,
            d1,
            gauss(d1),
            scaled_tail(abs(d1)),
            scaled_tail(abs(d1 - total)),
        )
        if len(columns) == QUOTED:
            spread = terms[-1, ladders]
            some[8:10] = bid(some[2:4], spread)
            some[10:12] = ask(some[2:4], spread)


_PRICE = Kernel("void(int64[::1], float64[:, ::1], float64[:, ::1])", price_with_numpy, _loop)
