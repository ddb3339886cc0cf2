"""Measures of the underlying's path: where it ends, how much it moved, how far it fell."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from optionchain import numerics
from optionchain.arrays import Floats
from optionchain.contracts.carried import discounts_of, market_of
from optionchain.declared.checks import positive
from optionchain.measures.names import named, named_with_terms
from optionchain.measures.path_block import PathBlock
from optionchain.models import Historical

__all__ = [
    "average_price",
    "call_payoff",
    "max_drawdown",
    "put_payoff",
    "realised_volatility",
    "terminal_price",
    "total_return",
    "touch_probability",
]

# Of a model that says nothing of its step: a trading day.
DEFAULT_STEP_YEARS = 1 / 252


@named
def terminal_price(block: PathBlock) -> Floats:
    """The price at the last step, ``[paths]``, in currency units."""
    return block.prices[:, -1].copy()


@named
def total_return(block: PathBlock) -> Floats:
    """The return from the first to the last step, ``[paths]``; 0.1 is ten percent."""
    returns: Floats = block.prices[:, -1] / block.prices[:, 0] - 1.0
    return returns


@named
def average_price(block: PathBlock) -> Floats:
    """The arithmetic mean of the prices of all steps, ``[paths]``, in currency units."""
    means: Floats = block.prices.mean(axis=1)
    return means


@named
def realised_volatility(block: PathBlock) -> Floats:
    """Annualised sample standard deviation of the log returns, ``[paths]``; 0 with fewer than two returns.

    A step counts as long as the market model says (its `dt`), which need not be the calendar's length.
    """
    if block.steps < 3:
        return np.zeros(block.paths)
    returns = np.diff(numerics.log(block.prices), axis=1)
    deviations: Floats = returns.std(axis=1, ddof=1)
    return deviations * math.sqrt(_steps_per_year(block))


@named
def max_drawdown(block: PathBlock) -> Floats:
    """The greatest loss from a maximum so far, ``[paths]``, as a fraction of it, in [0, 1)."""
    fractions = block.prices / np.maximum.accumulate(block.prices, axis=1)
    lowest: Floats = fractions.min(axis=1)
    return 1.0 - lowest


@dataclass(frozen=True, slots=True)
class Touch:
    """Whether a path is ever at or beyond a level: 1 or 0, so that its mean is the probability.

    Attributes:
        level: As a multiple of the initial price, > 0. Above 1 it is touched from below, otherwise from above.
    """

    level: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "level", positive("level", self.level))

    @property
    def name(self) -> str:
        return f"touch_{self.level:g}"

    def __call__(self, block: PathBlock) -> Floats:
        barrier = self.level * block.parameters.initial_price
        is_beyond = block.prices >= barrier if self.level > 1.0 else block.prices <= barrier
        return np.asarray(is_beyond.any(axis=1), dtype=np.float64)


@named_with_terms
def touch_probability(level: float) -> Touch:
    """The probability that the price is ever at or beyond `level` times the initial price."""
    return Touch(level)


@dataclass(frozen=True, slots=True)
class EuropeanPayoff:
    """What a European option with its expiry at the last step pays, discounted to the start.

    Attributes:
        side: ``call`` or ``put``.
        moneyness: The strike as a multiple of the initial price, > 0.
    """

    side: Literal["call", "put"]
    moneyness: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "moneyness", positive("moneyness", self.moneyness))

    @property
    def name(self) -> str:
        return f"{self.side}_payoff_{self.moneyness:g}"

    def __call__(self, block: PathBlock) -> Floats:
        strike = self.moneyness * block.parameters.initial_price
        sign = 1.0 if self.side == "call" else -1.0
        [discount] = discounts_of(block.parameters, block.elapsed_years()[-1:])
        payoffs: Floats = np.maximum(sign * (block.prices[:, -1] - strike), 0.0) * discount
        return payoffs


@named_with_terms
def call_payoff(moneyness: float = 1.0) -> EuropeanPayoff:
    """The discounted payoff of a call whose strike is `moneyness` times the initial price."""
    return EuropeanPayoff("call", moneyness)


@named_with_terms
def put_payoff(moneyness: float = 1.0) -> EuropeanPayoff:
    """The discounted payoff of a put whose strike is `moneyness` times the initial price."""
    return EuropeanPayoff("put", moneyness)


def _steps_per_year(block: PathBlock) -> float:
    method = market_of(block.parameters)
    if isinstance(method, Historical):
        return method.periods_per_year
    step_years: float = getattr(method, "dt", DEFAULT_STEP_YEARS)
    return 1.0 / step_years
