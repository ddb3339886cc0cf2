"""Quotes as a market maker makes them: as wide as the price is uncertain, on a grid, without a bid for dust."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, TypeAlias, TypeVar

import numpy as np

from optionchain import numerics
from optionchain.arrays import Floats
from optionchain.declared.fields import Number, Omission, settle
from optionchain.declared.parts import Part, Parts
from optionchain.errors import InvalidInput
from optionchain.pricing.inputs import Term
from optionchain.pricing.spreads import Spreads

DAYS_OF_A_MONTH = 30.0
DAYS_PER_YEAR = 365.0
# Of a month: shorter expirations are quoted no wider in volatility than this.
_SHORTEST_MONTHS = 1.0 / 30.0
# Of a tick: what a price on the grid may have lost to rounding.
_ROUNDING = 1e-9
_CENTS = 100.0

T = TypeVar("T", bound=type)

SPREAD_MODELS: Parts[Spreads] = Parts("spread model", "optionchain.spread_models")


def spread_model(name: str) -> Callable[[T], T]:
    """Make a spread model known by a name."""
    return SPREAD_MODELS.register(name=name)


def _cents(about: str) -> Number:
    return Number(about, low=0.01, high=1e3)


@spread_model("market_maker")
@dataclass(frozen=True, slots=True, kw_only=True)
class MarketMaker:
    """Widths by price, vega, time and distance, on ticks by price level.

    The width is ``proportional mid + points vega sqrt(30 / days) (1 + wings d²)`` where d is the distance of strike and
    price in deviations until expiration, and at least a tick. The bid is rounded down and the ask up to the grid,
    so that the model's price is never outside. Where no tick is left for a bid, there is none: it is 0.

    Attributes:
        points: Width at the money, in points of volatility, for a month; shorter expirations are wider, longer
            narrower.
        wings: How much wider a quote is in the wings, per squared deviation.
        proportional: Part of the mid that is added.
        tick: Least move of quotes below `tick_change`, whole cents.
        large_tick: The same from there on.
        tick_change: The price from which on ticks are large.
    """

    points: Annotated[
        float, Number("Width at the money for a month, in points of volatility", high=100.0)
    ] = 0.5
    wings: Annotated[float, Number("How much wider in the wings, per squared deviation", high=100.0)] = 0.15
    proportional: Annotated[float, Number("Part of the mid that is added", high=1.0)] = 0.005
    tick: Annotated[float, _cents("Least move of cheap quotes, whole cents")] = 0.01
    large_tick: Annotated[float, _cents("Least move of dear quotes, whole cents")] = 0.05
    tick_change: Annotated[float, Number("Price from which on ticks are large", high=1e6)] = 3.0

    is_constant: ClassVar[bool] = False

    def __post_init__(self) -> None:
        settle(self)
        for name in ("tick", "large_tick"):
            cents = getattr(self, name) * _CENTS
            if abs(cents - round(cents)) > _ROUNDING * cents:
                raise InvalidInput(name, "must be whole cents")
        for price in (self.tick, self.large_tick):
            multiple = self.tick_change / price
            if abs(multiple - round(multiple)) > 1e-6:
                raise InvalidInput("tick_change", "must be a multiple of both ticks")

    @property
    def grid(self) -> tuple[float, float]:
        """The tick in cents; see `Spreads.grid`."""
        return float(round(self.tick * _CENTS)), _CENTS

    def quotes(
        self, mids: Floats, *, spot: Term, strikes: Floats, years: Term, volatilities: Floats, vegas: Floats
    ) -> tuple[Floats, Floats]:
        """Bids and asks; arguments and result as `Spreads.quotes`."""
        half = 0.5 * self.widths(
            mids, spot=spot, strikes=strikes, years=years, volatilities=volatilities, vegas=vegas
        )
        return self._down(np.maximum(mids - half, 0.0)), np.maximum(self._up(mids + half), self.tick)

    def widths(
        self, mids: Floats, *, spot: Term, strikes: Floats, years: Term, volatilities: Floats, vegas: Floats
    ) -> Floats:
        """The distance of bid and ask before they are put on the grid, in currency units; arguments as `quotes`."""
        months = np.maximum(np.asarray(years) * DAYS_PER_YEAR / DAYS_OF_A_MONTH, _SHORTEST_MONTHS)
        deviation = volatilities * np.sqrt(months * DAYS_OF_A_MONTH / DAYS_PER_YEAR)
        distance = numerics.log(np.asarray(strikes / spot)) / np.maximum(deviation, 1e-8)
        of_vega = self.points * vegas / np.sqrt(months) * (1.0 + self.wings * distance * distance)
        widths = self.proportional * mids + of_vega
        return np.asarray(np.maximum(widths, np.where(mids < self.tick_change, self.tick, self.large_tick)))

    def _down(self, prices: Floats) -> Floats:
        return self._on_grid(
            prices, np.where(prices < self.tick_change, self.tick, self.large_tick), np.floor, 1.0
        )

    def _up(self, prices: Floats) -> Floats:
        return self._on_grid(
            prices, np.where(prices > self.tick_change, self.large_tick, self.tick), np.ceil, -1.0
        )

    def _on_grid(self, prices: Floats, ticks: Floats, rounded: Any, sign: float) -> Floats:
        """Whole cents, as floats nearest to them."""
        cents = np.rint(ticks * _CENTS)
        return np.asarray(rounded(prices * _CENTS / cents + sign * _ROUNDING) * cents / _CENTS)


SpreadModelParameter: TypeAlias = Annotated[
    Spreads | None,
    Part("Spread model with its parameters, in place of `spread` and what widens it", SPREAD_MODELS),
    Omission("means `spread` and what widens it", is_silent=True),
]
