"""Measures of several underlyings: baskets of them, how they move together, and what options on that earn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import ClassVar, Literal

import numpy as np

from optionchain import numerics
from optionchain.arrays import Floats
from optionchain.contracts.carried import discounts_of
from optionchain.declared.checks import finite, positive
from optionchain.errors import InvalidInput
from optionchain.measures.names import named, named_with_terms
from optionchain.measures.path_block import PathBlock
from optionchain.measures.strategies import short_straddle
from optionchain.measures.strategy import Strategy

__all__ = ["basket_call", "basket_put", "basket_return", "dispersion", "realised_correlation"]


@dataclass(frozen=True, slots=True)
class Basket:
    """What a basket is worth at the end, for one unit of money at the start.

    Attributes:
        weights: Of the underlyings, the first before the others; None is the same for each.
        moneyness: The strike of an option on it; None is the return of the basket itself.
        side: Of the option.
    """

    weights: tuple[float, ...] | None
    moneyness: float | None = None
    side: Literal["call", "put"] = "call"

    def __post_init__(self) -> None:
        if self.weights is not None:
            object.__setattr__(self, "weights", _checked(self.weights))
        if self.moneyness is not None:
            object.__setattr__(self, "moneyness", positive("moneyness", self.moneyness))

    @property
    def name(self) -> str:
        return "basket_return" if self.moneyness is None else f"basket_{self.side}"

    def __call__(self, block: PathBlock) -> Floats:
        """``[paths]``: the return, or the payoff discounted to the start."""
        blocks = (block, *block.others)
        weights = _weights(self.weights, len(blocks))
        worth = np.zeros(block.paths)
        for weight, each in zip(weights, blocks, strict=True):
            worth += weight * each.prices[:, -1] / each.prices[:, 0]
        if self.moneyness is None:
            return worth - sum(weights)
        gain = worth - self.moneyness if self.side == "call" else self.moneyness - worth
        discount = discounts_of(block.parameters, block.elapsed_years()[-1:])[0]
        payoff: Floats = np.maximum(gain, 0.0) * discount
        return payoff


@dataclass(frozen=True, slots=True)
class Dispersion:
    """Profit and loss of a straddle that is sold on the first underlying, and those that are bought on the others.

    Attributes:
        days: Calendar days to the expiration that is wanted.
        weights: Of the others, the share of the first's initial price that is bought straddles of; None is the same.
        fill: As of a `Strategy`.
    """

    days: float
    weights: tuple[float, ...] | None
    fill: Literal["quotes", "mid"]
    is_profit_and_loss: ClassVar[bool] = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "days", positive("days", self.days))
        if self.weights is not None:
            object.__setattr__(self, "weights", _checked(self.weights))
        if self.fill not in ("quotes", "mid"):
            raise InvalidInput("fill", "must be quotes or mid")

    @property
    def name(self) -> str:
        return "dispersion"

    def __call__(self, block: PathBlock) -> Floats:
        """``[paths]`` currency units at the start, for one straddle of the first underlying."""
        if not block.others:
            raise InvalidInput("underlyings", "dispersion is of a market of several")
        sold = short_straddle(days=self.days, fill=self.fill)
        bought = _turned(sold)
        earned = sold(block)
        for weight, each in zip(_weights(self.weights, len(block.others)), block.others, strict=True):
            earned = earned + weight * (block.prices[:, 0] / each.prices[:, 0]) * bought(each)
        return earned


@named
def realised_correlation(block: PathBlock) -> Floats:
    """The mean correlation of the logarithmic returns of all pairs of underlyings, on each path."""
    returns = [np.diff(numerics.log(each.prices), axis=1) for each in (block, *block.others)]
    if len(returns) < 2 or returns[0].shape[1] < 2:
        raise InvalidInput("underlyings", "a correlation is of several, over two steps or more")
    centred = [each - each.mean(axis=1, keepdims=True) for each in returns]
    sizes = [np.sqrt((each * each).sum(axis=1)) for each in centred]
    pairs = [
        (centred[one] * centred[two]).sum(axis=1) / (sizes[one] * sizes[two])
        for one, two in combinations(range(len(centred)), 2)
    ]
    mean: Floats = np.mean(pairs, axis=0)
    return mean


@named_with_terms
def basket_return(weights: Sequence[float] | None = None) -> Basket:
    """What a basket of the underlyings earns from the first step to the last, per unit of money."""
    return Basket(None if weights is None else tuple(weights))


@named_with_terms
def basket_call(moneyness: float = 1.0, weights: Sequence[float] | None = None) -> Basket:
    """The discounted payoff of a call on a basket that is worth 1 at the start."""
    return Basket(None if weights is None else tuple(weights), moneyness, "call")


@named_with_terms
def basket_put(moneyness: float = 1.0, weights: Sequence[float] | None = None) -> Basket:
    """The discounted payoff of a put on a basket that is worth 1 at the start."""
    return Basket(None if weights is None else tuple(weights), moneyness, "put")


@named_with_terms
def dispersion(
    days: float = 30.0, weights: Sequence[float] | None = None, fill: Literal["quotes", "mid"] = "quotes"
) -> Dispersion:
    """Straddles on the others bought and one on the first sold: it earns where they move, and not together."""
    return Dispersion(days, None if weights is None else tuple(weights), fill)


def _checked(weights: Sequence[float]) -> tuple[float, ...]:
    return tuple(
        finite(f"weights[{index}]", weight, low=-1e6, high=1e6) for index, weight in enumerate(weights)
    )


def _weights(given: tuple[float, ...] | None, count: int) -> tuple[float, ...]:
    if given is None:
        return (1.0 / count,) * count
    if len(given) != count:
        raise InvalidInput("weights", f"must have {count} numbers, one an underlying")
    return given


def _turned(strategy: Strategy) -> Strategy:
    """The other side of a strategy."""
    return replace(strategy, legs=tuple(replace(leg, quantity=-leg.quantity) for leg in strategy.legs))
