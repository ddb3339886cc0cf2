"""Strategies that traders have names for, each a list of legs."""

from __future__ import annotations

from typing import Literal, TypedDict, Unpack

from optionchain.measures.legs import ByDelta, ByMoneyness, Leg
from optionchain.measures.names import named_with_terms
from optionchain.measures.strategy import Strategy

__all__ = [
    "iron_condor",
    "long_call",
    "long_put",
    "short_put",
    "short_straddle",
    "short_strangle",
    "strategy",
]


class Terms(TypedDict, total=False):
    """How a strategy is traded; see `Strategy`."""

    days: float
    roll: bool
    hedge: bool
    fill: Literal["quotes", "mid"]
    label: str
    unit: Literal["settled", "currency"]
    assignment: Literal["none", "optimal"]


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


def _named(name: str, terms: Terms) -> Terms:
    return Terms(label=name) | terms
