"""Measures: functions from a block of simulated paths to one number a path, and a library of named ones.

A new measure is written in `prices` or `strategies`, marked there, and is named in documents and exported from here.
"""

from optionchain.measures import prices, several, strategies
from optionchain.measures.known_means import TERMINAL_PRICE, Control, expected_terminal_price
from optionchain.measures.legs import ByDelta, ByMoneyness, Leg
from optionchain.measures.names import (
    MEASURES_WITH_TERMS,
    PLAIN_MEASURES,
    is_profit,
    measure,
    measure_name,
    named,
    named_with_terms,
)
from optionchain.measures.path_block import Measure, PathBlock, sample_block
from optionchain.measures.prices import *  # noqa: F403
from optionchain.measures.several import *  # noqa: F403
from optionchain.measures.strategies import *  # noqa: F403
from optionchain.measures.strategy import Strategy

__all__ = [
    "MEASURES_WITH_TERMS",
    "PLAIN_MEASURES",
    "TERMINAL_PRICE",
    "ByDelta",
    "ByMoneyness",
    "Control",
    "Leg",
    "Measure",
    "PathBlock",
    "Strategy",
    "expected_terminal_price",
    "is_profit",
    "measure",
    "measure_name",
    "named",
    "named_with_terms",
    "sample_block",
]
__all__ += several.__all__
__all__ += prices.__all__
__all__ += strategies.__all__
