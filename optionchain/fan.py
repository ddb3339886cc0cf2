"""How else it might have gone: quantiles, step by step, of paths that share a simulation's parameters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from optionchain.arrays import Floats
from optionchain.contracts.carried import market_of, with_dividends
from optionchain.declared.checks import finite, whole
from optionchain.draws.philox import MAX_WORD, PhiloxDraws
from optionchain.errors import InvalidInput
from optionchain.parameters import SimulationParameters

MOST_PATHS, MOST_LEVELS = 1_000, 9
MOST_PRICES = 5_000_000
"""Of all paths, so that a fan takes some tens of megabytes and a second at most."""
LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
_AT_A_TIME = 1 << 20


@dataclass(frozen=True, slots=True, eq=False)
class Fan:
    """Quantiles of prices.

    Attributes:
        paths: How many there were.
        levels: Ascending, each in (0, 1).
        prices: ``[levels, steps]`` in the underlying's currency.
    """

    paths: int
    levels: tuple[float, ...]
    prices: Floats


def fan_of(parameters: SimulationParameters, *, paths: int = 200, levels: Sequence[float] = LEVELS) -> Fan:
    """The quantiles of other paths of the same market.

    They are the paths of the seed that come after the simulation's own, so the same request gives the same fan.

    Args:
        parameters: Of the simulation.
        paths: 1 to 1,000, and at most 5,000,000 prices in all.
        levels: At most nine, each in (0, 1).

    Raises:
        InvalidInput: One of them is out of range, or the parameters drive a price above 1e12.

    Source:
        Quantiles are interpolated linearly (type 7 of Hyndman and Fan, "Sample Quantiles in Statistical
        Packages", The American Statistician 50, 1996).
    """
    steps = parameters.total_steps
    most = min(MOST_PATHS, MOST_PRICES // steps, MAX_WORD - parameters.path)
    count = whole("paths", paths, low=1, high=most)
    asked = _levels(levels)
    method = market_of(parameters)
    sampled = np.empty((count, steps))
    rows = max(_AT_A_TIME // steps, 1)
    for first in range(0, count, rows):
        some = min(rows, count - first)
        draws = PhiloxDraws(parameters.seed, first_path=parameters.path + 1 + first, paths=some)
        try:
            path = method.sample(parameters.initial_price, steps, draws)
        except InvalidInput as error:
            raise error.under(f"method.{type(method).__name__}") from error
        sampled[first : first + some] = with_dividends(path, parameters).prices
    return Fan(count, asked, np.quantile(sampled, asked, axis=0))


def _levels(levels: Sequence[float]) -> tuple[float, ...]:
    if not 1 <= len(levels) <= MOST_LEVELS:
        raise InvalidInput("levels", f"must be 1 to {MOST_LEVELS} numbers")
    return tuple(sorted({finite("levels", level, low=0.0, high=1.0) for level in levels}))
