"""Strategies that traders have names for, each a list of legs."""

from __future__ import annotations

from typing import Literal, TypedDict, Unpack

from optionchain.chains.columns import Side
from optionchain.measures.legs import ByDelta, ByMoneyness, Leg
from optionchain.measures.names import named_with_terms
from optionchain.measures.strategy import Strategy
from optionchain.measures.trade import Assignment
from optionchain.measures.wheel import Wheel

__all__ = [
    "calendar_spread",
    "covered_call",
    "iron_condor",
    "long_call",
    "long_put",
    "short_put",
    "short_straddle",
    "short_strangle",
    "strategy",
    "wheel",
]


class Terms(TypedDict, total=False):
    """How a strategy is traded; see `Strategy`."""

    days: float
    shares: float
    roll: bool
    hedge: bool
    fill: Literal["quotes", "mid"]
    label: str
    unit: Literal["settled", "currency"]
    assignment: Assignment


def strategy(*legs: Leg, **terms: Unpack[Terms]) -> Strategy:
    """A strategy of any legs, 30 days where nothing else is said."""
    return Strategy(legs=legs, **(Terms(days=30.0) | terms))


@named_with_terms
def short_strangle(*, delta: float = 0.16, **terms: Unpack[Terms]) -> Strategy:
    """Sell the put and the call of this delta."""
    pick = ByDelta(delta)
    return strategy(Leg("put", -1, pick), Leg("call", -1, pick), **_named("short_strangle", terms))


@named_with_terms
def short_straddle(**terms: Unpack[Terms]) -> Strategy:
    """Sell the put and the call at the money."""
    pick = ByMoneyness(1.0)
    return strategy(Leg("put", -1, pick), Leg("call", -1, pick), **_named("short_straddle", terms))


@named_with_terms
def iron_condor(*, delta: float = 0.16, wing_delta: float = 0.05, **terms: Unpack[Terms]) -> Strategy:
    """Sell the strangle of `delta` and buy the one of `wing_delta`, further out."""
    sold, bought = ByDelta(delta), ByDelta(wing_delta)
    legs = (Leg("put", 1, bought), Leg("put", -1, sold), Leg("call", -1, sold), Leg("call", 1, bought))
    return strategy(*legs, **_named("iron_condor", terms))


@named_with_terms
def short_put(*, delta: float = 0.3, **terms: Unpack[Terms]) -> Strategy:
    """Sell the put of this delta."""
    return strategy(Leg("put", -1, ByDelta(delta)), **_named("short_put", terms))


@named_with_terms
def long_put(*, delta: float = 0.3, **terms: Unpack[Terms]) -> Strategy:
    """Buy the put of this delta."""
    return strategy(Leg("put", 1, ByDelta(delta)), **_named("long_put", terms))


@named_with_terms
def long_call(*, delta: float = 0.3, **terms: Unpack[Terms]) -> Strategy:
    """Buy the call of this delta."""
    return strategy(Leg("call", 1, ByDelta(delta)), **_named("long_call", terms))


@named_with_terms
def covered_call(*, delta: float = 0.3, **terms: Unpack[Terms]) -> Strategy:
    """Buy the underlying, and sell the call of this delta."""
    return strategy(Leg("call", -1, ByDelta(delta)), **Terms(shares=1.0) | _named("covered_call", terms))


@named_with_terms
def calendar_spread(
    *, side: Side = "call", moneyness: float = 1.0, far_days: float = 60.0, **terms: Unpack[Terms]
) -> Strategy:
    """Sell the option nearest to this moneyness, and buy the one that expires later."""
    pick = ByMoneyness(moneyness)
    legs = (Leg(side, -1, pick), Leg(side, 1, pick, far_days))
    return strategy(*legs, **_named("calendar_spread", terms))


@named_with_terms
def wheel(
    *,
    put_delta: float = 0.3,
    call_delta: float = 0.3,
    days: float = 30.0,
    fill: Literal["quotes", "mid"] = "quotes",
    assignment: Assignment = "none",
    label: str = "wheel",
) -> Wheel:
    """Sell puts of this delta until shares are delivered, then calls until they are called away, and so on."""
    return Wheel(
        put=ByDelta(put_delta),
        call=ByDelta(call_delta),
        days=days,
        fill=fill,
        assignment=assignment,
        label=label,
    )


def _named(name: str, terms: Terms) -> Terms:
    return Terms(label=name) | terms
