"""What the prices of a chain give away: combinations of options that cost less than they are surely worth.

Bids are what one gets and asks what one pays, so every violation of quotes can be executed; of one price for both,
as the model's, it says that no probability of prices and times is behind them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from optionchain.arrays import Floats
from optionchain.chains.columns import Side

Kind: TypeAlias = Literal["bound", "vertical", "butterfly", "parity", "calendar"]
KINDS: tuple[Kind, ...] = ("bound", "vertical", "butterfly", "parity", "calendar")

# Of the underlying's price: what rounding may bring.
TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """Prices that do not go together.

    Attributes:
        kind: ``bound``: an option below its intrinsic value, or above the underlying or its strike; ``vertical``: a
            spread of two strikes for less than nothing, or more than their distance; ``butterfly``: three strikes
            for less than nothing; ``parity``: call and put apart; ``calendar``: an earlier option dearer than a
            later one.
        side: ``call`` or ``put``; None of parity.
        expirations: The instants or days; of a calendar the earlier first.
        strikes: Ascending; of a butterfly the middle one is what is sold. Of a calendar the one that is sold, and those
            between which the later ones are bought.
        gain: At least what it brings today for one unit of what is sold, in currency units.
    """

    kind: Kind
    side: Side | None
    expirations: tuple[date, ...]
    strikes: tuple[float, ...]
    gain: float

    def __str__(self) -> str:
        when = " and ".join(f"{each:%Y-%m-%d}" for each in self.expirations)
        strikes = "/".join(f"{each:g}" for each in self.strikes)
        return f"{self.kind} of {f'{self.side}s' if self.side else 'both sides'} {strikes} of {when}: {self.gain:.6g}"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PricedExpiration:
    """The prices of one expiration, ``[strikes]``; NaN where there is none.

    Attributes:
        expires: Its instant or day.
        strikes: Currency units, ascending.
        call_bid, call_ask, put_bid, put_ask: Currency units.
        spot: Currency units.
        discount: Today's price of one unit at expiration; None where no rate is known. Spreads of two strikes then
            count as worth their distance.
        prepaid: Today's price of one unit of the underlying at expiration; None likewise, and then neither parity nor
            bounds nor calendars are looked at, unless options are American.
        is_american: Whether they can be exercised early.
        is_bermudan: Whether on some dates only: of what holds of American ones, what does not need any time.
    """

    expires: date | datetime
    strikes: Floats
    call_bid: Floats
    call_ask: Floats
    put_bid: Floats
    put_ask: Floats
    spot: float
    discount: float | None
    prepaid: float | None
    is_american: bool = False
    is_bermudan: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class _Ladder:
    """One side of an expiration, strikes that are quoted alone; a put is seen as a call on ``-strike``."""

    side: Side
    of: PricedExpiration
    bid_at: Floats
    bids: Floats
    ask_at: Floats
    asks: Floats


def find_arbitrage(
    expirations: Sequence[PricedExpiration], *, tolerance: float | None = None
) -> tuple[Violation, ...]:
    """Every violation, of each strike the one that gains most.

    Args:
        expirations: Of one underlying, soonest first.
        tolerance: Least gain, in currency units; None is a billionth of the underlying's price.
    """
    if not expirations:
        return ()
    least = TOLERANCE * expirations[0].spot if tolerance is None else tolerance
    found = [violation for each in expirations for violation in _of_one(each, least)]
    for index, late in enumerate(expirations):
        for early in expirations[:index]:
            found += _calendars(early, late, least)
    return tuple(found)


def _of_one(priced: PricedExpiration, least: float) -> Iterator[Violation]:
    for ladder in _ladders(priced):
        yield from _bounds(ladder, least)
        yield from _verticals(ladder, least)
        yield from _butterflies(ladder, least)
    yield from _parity(priced, least)


def _ladders(priced: PricedExpiration) -> tuple[_Ladder, _Ladder]:
    call = _ladder("call", priced, priced.call_bid, priced.call_ask)
    return call, _ladder("put", priced, priced.put_bid, priced.put_ask)


def _ladder(side: Side, priced: PricedExpiration, bids: Floats, asks: Floats) -> _Ladder:
    has_bid, has_ask = np.isfinite(bids), np.isfinite(asks)
    bid_at, ask_at = priced.strikes[has_bid], priced.strikes[has_ask]
    return _Ladder(side, priced, bid_at, bids[has_bid], ask_at, asks[has_ask])


def _violations(
    kind: Kind, ladder: _Ladder, gains: Floats, least: float, *strikes: Floats
) -> Iterator[Violation]:
    for index in np.flatnonzero(gains > least).tolist():
        chosen = tuple(float(each[index]) for each in strikes)
        yield Violation(
            kind=kind,
            side=ladder.side,
            expirations=(ladder.of.expires,),
            strikes=tuple(sorted(chosen)),
            gain=float(gains[index]),
        )


def _bounds(ladder: _Ladder, least: float) -> Iterator[Violation]:
    """An option is worth no less than exercising it, and no more than what it can bring."""
    priced, sign = ladder.of, 1.0 if ladder.side == "call" else -1.0
    floor = np.zeros_like(ladder.asks)
    if priced.prepaid is not None and priced.discount is not None:
        floor = np.maximum(floor, sign * (priced.prepaid - priced.discount * ladder.ask_at))
    if priced.is_american and not priced.is_bermudan:
        floor = np.maximum(floor, sign * (priced.spot - ladder.ask_at))
    yield from _violations("bound", ladder, floor - ladder.asks, least, ladder.ask_at)
    if ladder.side == "put":
        ceiling = ladder.bid_at * _dearest(priced, priced.discount)
    elif priced.is_american or priced.prepaid is None:
        ceiling = np.full_like(ladder.bids, max(priced.spot, priced.prepaid or 0.0))
    else:
        ceiling = np.full_like(ladder.bids, priced.prepaid)
    yield from _violations("bound", ladder, ladder.bids - ceiling, least, ladder.bid_at)


def _dearest(priced: PricedExpiration, discount: float | None) -> float:
    """Today's most for one unit that an exercise brings: at expiration, or at any time before it."""
    return max(1.0, discount or 1.0) if priced.is_american else discount or 1.0


def _verticals(ladder: _Ladder, least: float) -> Iterator[Violation]:
    """What pays more costs more, and by no more than the difference."""
    priced = ladder.of
    worth = _dearest(priced, priced.discount)
    if not ladder.bids.size or not ladder.asks.size:
        return
    # Seen from the strike that is worth most: calls from below, puts from above.
    turn = slice(None) if ladder.side == "call" else slice(None, None, -1)
    bid_at, bids, ask_at, asks = (
        each[turn] for each in (ladder.bid_at, ladder.bids, ladder.ask_at, ladder.asks)
    )
    sign = 1.0 if ladder.side == "call" else -1.0
    # Sell the cheap one, buy the best of those that are worth more.
    count = np.searchsorted(sign * ask_at, sign * bid_at, side="left")
    yield from _best_partner(ladder, bids, bid_at, asks, ask_at, count, least)
    # Sell the dear one, buy one that is worth less, and keep what the difference costs at most.
    from_end = ask_at.size - np.searchsorted(sign * ask_at, sign * bid_at, side="right")
    yield from _best_partner(
        ladder,
        bids + worth * sign * bid_at,
        bid_at,
        (asks + worth * sign * ask_at)[::-1],
        ask_at[::-1],
        from_end,
        least,
    )


def _best_partner(
    ladder: _Ladder,
    sold: Floats,
    sold_at: Floats,
    bought: Floats,
    bought_at: Floats,
    count: NDArray[np.integer],
    least: float,
) -> Iterator[Violation]:
    """Of each that is sold, the cheapest of the first `count` that are bought."""
    cheapest = np.minimum.accumulate(bought)
    is_new = np.concatenate([[True], cheapest[1:] < cheapest[:-1]])
    where = np.maximum.accumulate(np.where(is_new, np.arange(bought.size), 0))
    last = np.maximum(count - 1, 0)
    gains = np.where(count > 0, sold - cheapest[last], -np.inf)
    yield from _violations("vertical", ladder, gains, least, sold_at, bought_at[where[last]])


def _butterflies(ladder: _Ladder, least: float) -> Iterator[Violation]:
    """No bid is above what two asks around it cost: above the convex hull of the asks."""
    if ladder.ask_at.size < 2 or not ladder.bids.size:
        return
    at, heights = _lower_hull(ladder.ask_at, ladder.asks)
    inside = (ladder.bid_at > at[0]) & (ladder.bid_at < at[-1])
    bid_at, bids = ladder.bid_at[inside], ladder.bids[inside]
    right = np.searchsorted(at, bid_at, side="left")
    is_corner = at[np.minimum(right, at.size - 1)] == bid_at
    gains = np.where(is_corner, -np.inf, bids - np.interp(bid_at, at, heights))
    yield from _violations(
        "butterfly", ladder, gains, least, at[right - 1], bid_at, at[np.minimum(right, at.size - 1)]
    )


def _lower_hull(at: Floats, heights: Floats) -> tuple[Floats, Floats]:
    """The corners of the convex hull from below, by Andrew's monotone chain."""
    corners: list[tuple[float, float]] = []
    for x, y in zip(at.tolist(), heights.tolist(), strict=True):
        while len(corners) > 1:
            (x0, y0), (x1, y1) = corners[-2], corners[-1]
            if (y1 - y0) * (x - x0) < (y - y0) * (x1 - x0):
                break
            corners.pop()
        corners.append((x, y))
    found = np.array(corners)
    return found[:, 0], found[:, 1]


def _parity(priced: PricedExpiration, least: float) -> Iterator[Violation]:
    """A call less a put is a forward."""
    if priced.is_american or priced.discount is None or priced.prepaid is None:
        return
    forward = priced.prepaid - priced.discount * priced.strikes
    gains = np.fmax(priced.call_bid - priced.put_ask - forward, forward - (priced.call_ask - priced.put_bid))
    for index in np.flatnonzero(gains > least).tolist():
        yield Violation(
            kind="parity",
            side=None,
            expirations=(priced.expires,),
            strikes=(float(priced.strikes[index]),),
            gain=float(gains[index]),
        )


def _calendars(early: PricedExpiration, late: PricedExpiration, least: float) -> Iterator[Violation]:
    """At one ratio of strike to forward the later option is worth more, both in units of their prepaid forwards.

    A later option on a strike between two is worth no more than its share of each. American ones are compared at one
    strike, for the later one can be exercised whenever the earlier can, unless they are on two futures.
    """
    of_early, of_late = _units(early), _units(late)
    if of_early is None or of_late is None or (late.is_american and late.spot != early.spot):
        return
    (money, ratio), (later_money, later_ratio) = of_early, of_late
    for sold, bought in zip(_ladders(early), _ladders(late), strict=True):
        if not sold.bids.size or not bought.asks.size:
            continue
        target = sold.bid_at * ratio / later_ratio
        inside = (target >= bought.ask_at[0]) & (target <= bought.ask_at[-1])
        costs = np.interp(target, bought.ask_at, bought.asks) * money / later_money
        gains = np.where(inside, sold.bids - costs, -np.inf)
        right = np.clip(np.searchsorted(bought.ask_at, target, side="left"), 0, bought.ask_at.size - 1)
        for index in np.flatnonzero(gains > least).tolist():
            above = int(right[index])
            is_one = bought.ask_at[above] == target[index]
            partners = bought.ask_at[above : above + 1] if is_one else bought.ask_at[above - 1 : above + 1]
            yield Violation(
                kind="calendar",
                side=sold.side,
                expirations=(early.expires, late.expires),
                strikes=(float(sold.bid_at[index]), *partners.tolist()),
                gain=float(gains[index]),
            )


def _units(priced: PricedExpiration) -> tuple[float, float] | None:
    """What a price is measured in, and a strike's ratio to the forward; None where no rates are known."""
    if priced.is_american and not priced.is_bermudan:
        return 1.0, 1.0
    if priced.is_bermudan or priced.discount is None or priced.prepaid is None:
        return None
    return priced.prepaid, priced.discount / priced.prepaid
