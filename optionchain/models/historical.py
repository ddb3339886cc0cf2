"""Replay of prices that were seen."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np

from optionchain import numerics
from optionchain.arrays import Floats, Steps
from optionchain.declared.checks import finite
from optionchain.declared.fields import Parameter, settle
from optionchain.declared.limits import HIGHEST_PATH, WIDEST_PRICED
from optionchain.draws.philox import Draws
from optionchain.errors import InvalidInput
from optionchain.models.model import MAX_VOLATILITY, SampledPaths, market_model
from optionchain.models.path import quoted_volatilities
from optionchain.time_frame import TimeFrame, time_frame_schema

MAX_PRICES = 100_000
LEAST_PRICE = 1.0 / WIDEST_PRICED  # the least that a chain can be built on
SYMBOL = re.compile(r"[A-Za-z0-9._-]{1,32}")


class TimeFrameParameter(Parameter):
    """The calendar time between two prices."""

    def check(self, field: str, value: object) -> TimeFrame:
        return value if isinstance(value, TimeFrame) else TimeFrame.from_wire(value, field)

    def to_wire(self, value: TimeFrame) -> str | dict[str, float]:
        return value.to_wire()

    def schema(self) -> dict[str, Any]:
        return time_frame_schema() | {"description": "Calendar time between two prices."}


class PricesParameter(Parameter):
    """A list of prices, oldest first."""

    def check(self, field: str, value: object) -> tuple[float, ...]:
        if isinstance(value, np.ndarray):
            value = value.tolist()
        if not isinstance(value, Sequence) or isinstance(value, str | bytes):
            raise InvalidInput(field, "must be a list of prices")
        if len(value) > MAX_PRICES:
            raise InvalidInput(field, f"must have at most {MAX_PRICES} prices")
        for index, price in enumerate(value):
            number = isinstance(price, float | int) and not isinstance(price, bool)
            if not number or not LEAST_PRICE <= price <= HIGHEST_PATH:
                reason = f"must be a number from {LEAST_PRICE:g} to {HIGHEST_PATH:g}"
                raise InvalidInput(f"{field}[{index}]", reason)
        return tuple(map(float, value))

    def to_wire(self, value: tuple[float, ...]) -> list[float]:
        return list(value)

    def schema(self) -> dict[str, Any]:
        price = {"type": "number", "minimum": LEAST_PRICE, "maximum": HIGHEST_PATH}
        about = "Prices to replay, oldest first. Too few, or none: taken from the history of the symbol."
        return {"type": "array", "items": price, "maxItems": MAX_PRICES, "description": about}


class SymbolParameter(Parameter):
    """The asset whose history fills in what `prices` lacks."""

    def check(self, field: str, value: object) -> str:
        if not isinstance(value, str) or not SYMBOL.fullmatch(value):
            raise InvalidInput(field, "must be 1 to 32 of the characters A-Z a-z 0-9 . _ -")
        return value

    def to_wire(self, value: str) -> str:
        return value

    def schema(self) -> dict[str, Any]:
        about = "Asset of the history; null means the session's symbol."
        return {"type": "string", "pattern": f"^{SYMBOL.pattern}$", "description": about}


@market_model
@dataclass(frozen=True, slots=True, kw_only=True)
class Historical:
    """Given prices, replayed as they are: every path is the same and `spot` is not looked at.

    The volatility at a step is the realised volatility of all prices up to it, and of none after it.

    Attributes:
        fallback_volatility: Annualised volatility until two returns were seen. Not a parameter of a caller:
            a simulation puts its own volatility here.
        annual_days: Days of a year, by which moves are annualised; a simulation puts its own here too.
    """

    timeframe: Annotated[TimeFrame, TimeFrameParameter()]
    prices: Annotated[tuple[float, ...], PricesParameter()]
    symbol: Annotated[str | None, SymbolParameter()] = None
    fallback_volatility: float = 0.2
    annual_days: float = 365.0

    def __post_init__(self) -> None:
        settle(self)
        finite("fallback_volatility", self.fallback_volatility, low=0.0, high=MAX_VOLATILITY)

    @property
    def periods_per_year(self) -> float:
        """Prices in a year of so many days."""
        return self.timeframe.periods_per_year * (self.annual_days / 365.0)

    def sample(self, spot: float, steps: int, draws: Draws) -> SampledPaths:
        """Replay the first `steps` prices; arguments and result as `MarketModel.sample`.

        Raises:
            InvalidInput: There are fewer prices than steps.
        """
        if len(self.prices) < steps:
            raise InvalidInput("prices", f"{len(self.prices)} were given, and {steps} steps need one each")
        prices = np.array(self.prices[:steps])
        volatilities = np.full(steps, self.fallback_volatility)
        volatilities[2:] = realised_volatilities(prices, self.periods_per_year)
        paths = (draws.paths, 1)
        return SampledPaths(np.tile(prices, paths), np.tile(quoted_volatilities(volatilities, prices), paths))


def realised_volatilities(prices: Steps, periods_per_year: float) -> Floats:
    """Annualised sample standard deviation of the log returns up to each price, from the third price on.

    Args:
        prices: ``[steps]``, > 0.
        periods_per_year: Prices per year, > 0.

    Returns:
        ``[max(steps - 2, 0)]``, >= 0; element i looks at ``prices[:i + 3]`` only.

    Example:
        >>> realised_volatilities(np.array([100.0, 110.0, 99.0, 108.9]), 252.0).round(4)
        array([2.2525, 1.8392])
    """
    returns = np.diff(numerics.log(prices))
    # A shift by a return that every window contains keeps the difference of sums from cancelling.
    shifted = returns - returns[:1]
    counts = np.arange(2, len(returns) + 1)
    sums, squares = np.cumsum(shifted)[1:], np.cumsum(shifted * shifted)[1:]
    variances: Floats = np.maximum(squares - sums * sums / counts, 0.0) / (counts - 1)
    return np.sqrt(variances) * math.sqrt(periods_per_year)
