"""How far apart bids and asks are: a constant, or a width for each contract by its price, moneyness and time."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Protocol

import numpy as np

from optionchain import numerics
from optionchain.arrays import Floats
from optionchain.pricing.inputs import Term
from optionchain.pricing.quotes import quote

CENTS = 100.0
COIN_TICK = 0.0001
"""Of prices in coin where no other is said."""


class Spreads(Protocol):
    """A spread model: what makes bids and asks of the model's prices."""

    @property
    def is_constant(self) -> bool:
        """Whether every contract has the width that the pricing loop quotes with, on the grid of cents."""
        ...

    @property
    def grid(self) -> tuple[float, float]:
        """The tick as a number of units of its last decimal, and how many of these are one currency unit."""
        ...

    def quotes(
        self, mids: Floats, *, spot: Term, strikes: Floats, years: Term, volatilities: Floats, vegas: Floats
    ) -> tuple[Floats, Floats]:
        """Bids and asks around the model's prices.

        Args:
            mids: Any shape. Currency units, in [0, 1e13].
            spot: Currency units, > 0; it broadcasts with the mids, as the others do.
            strikes: Currency units, > 0.
            years: To expiry, >= 0.
            volatilities: Of each contract, annualised.
            vegas: Price change per percentage point of volatility.

        Returns:
            Bids, >= 0, and asks, of the shape of the mids, such that ``bid <= mid <= ask``.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SpreadModel:
    """The width of a quote, and the grid that bids and asks lie on.

    A contract's width is ``base + proportional * mid + moneyness * |ln(strike / spot)| + tenor * sqrt(years)``, and at
    least a tick. Where nothing but `base` is given, it is `base` as it is, on the grid of cents.

    Attributes:
        base: Currency units, >= 0.
        proportional: Part of the mid, >= 0.
        moneyness: Currency units per unit of log-moneyness, >= 0.
        tenor: Currency units at one year to expiry, >= 0.
        tick: Least move of a quote, in currency units; None is a cent.
        coarse_from: The price from which quotes move by `coarse_tick`; None where all move by `tick`.
        coarse_tick: A multiple of `tick`.
    """

    base: float
    proportional: float = 0.0
    moneyness: float = 0.0
    tenor: float = 0.0
    tick: float | None = None
    coarse_from: float | None = None
    coarse_tick: float | None = None

    @property
    def is_constant(self) -> bool:
        """Whether every contract has the same width, on the grid of cents."""
        return not (self.proportional or self.moneyness or self.tenor) and self.tick is None

    @property
    def grid(self) -> tuple[float, float]:
        """The tick as a number of units of its last decimal, and how many of these are one currency unit."""
        return _grid(0.01 if self.tick is None else self.tick)

    def quotes(
        self,
        mids: Floats,
        *,
        spot: Term,
        strikes: Floats,
        years: Term,
        volatilities: Floats | None = None,
        vegas: Floats | None = None,
    ) -> tuple[Floats, Floats]:
        """Bids and asks around model prices; arguments as `Spreads.quotes`, of which volatility and vega do not count.

        Returns:
            Bids, >= 0, and asks, of the shape of the mids, in whole ticks and at least one apart: half the width away
            from the mid, rounded half to even, and where that would cross the mid the tick before.

        Example:
            >>> model = SpreadModel(base=0.02, proportional=0.01, tick=0.05)
            >>> bids, asks = model.quotes(np.array([0.0, 12.0]), spot=100.0, strikes=np.array([150.0, 90.0]), years=0.1)
            >>> bids.tolist(), asks.tolist()
            ([0.0, 11.95], [0.05, 12.05])
        """
        if self.is_constant:
            return quote(mids, self.base)
        half = 0.5 * self._widths(mids, spot, strikes, years)
        bids, asks = _on_grid(mids, half, self.grid)
        if self.coarse_from is None or self.coarse_tick is None:
            return bids, asks
        coarse_bids, coarse_asks = _on_grid(mids, half, _grid(self.coarse_tick))
        # What the coarse grid would take below its first price, or the fine one lifts above it, is at that price.
        first = self.coarse_from
        return (
            np.where(bids >= first, np.maximum(coarse_bids, first), bids),
            np.where(asks > first, coarse_asks, asks),
        )

    def _widths(self, mids: Floats, spot: Term, strikes: Floats, years: Term) -> Floats:
        moneyness = np.abs(numerics.log(np.asarray(strikes / spot)))
        widths = (
            self.base + self.proportional * mids + self.moneyness * moneyness + self.tenor * np.sqrt(years)
        )
        ticks, units = self.grid
        return np.maximum(widths, ticks / units)


def _on_grid(mids: Floats, half: Floats, grid: tuple[float, float]) -> tuple[Floats, Floats]:
    ticks, units = grid
    bids = np.rint(np.maximum(mids - half, 0.0) * units / ticks)
    bids = np.where(bids * ticks / units > mids, bids - 1.0, bids)
    asks = np.rint((mids + half) * units / ticks)
    asks = np.where(asks * ticks / units < mids, asks + 1.0, asks)
    return bids * ticks / units, np.maximum(asks, bids + 1.0) * ticks / units


@lru_cache(maxsize=64)
def _grid(tick: float) -> tuple[float, float]:
    """As `SpreadModel.grid`: in cents where the tick has no finer decimals."""
    step = Decimal(repr(tick)).normalize()
    decimals = max(2, -int(step.as_tuple().exponent))
    return float(int(step.scaleb(decimals))), 10.0**decimals
