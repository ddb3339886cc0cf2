"""Measures: functions from a block of simulated paths to one number a path, and a library of named ones."""

from optionchain.measures.known_means import expected_terminal_price
from optionchain.measures.legs import ByDelta, ByMoneyness, Leg
from optionchain.measures.path_block import Measure, PathBlock, sample_block
from optionchain.measures.prices import (
    average_price,
    call_payoff,
    max_drawdown,
    put_payoff,
    realised_volatility,
    terminal_price,
    total_return,
    touch_probability,
)
from optionchain.measures.strategies import (
    iron_condor,
    long_call,
    long_put,
    short_put,
    short_straddle,
    short_strangle,
    strategy,
)
from optionchain.measures.strategy import Strategy

__all__ = [
    "ByDelta",
    "ByMoneyness",
    "Leg",
    "Measure",
    "PathBlock",
    "Strategy",
    "average_price",
    "call_payoff",
    "expected_terminal_price",
    "iron_condor",
    "long_call",
    "long_put",
    "max_drawdown",
    "put_payoff",
    "realised_volatility",
    "sample_block",
    "short_put",
    "short_straddle",
    "short_strangle",
    "strategy",
    "terminal_price",
    "total_return",
    "touch_probability",
]
