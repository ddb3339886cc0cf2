"""Option strategies by legs: what opening, holding, rolling and hedging them earns on each path."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from optionchain.arrays import Floats
from optionchain.declared.checks import finite, positive
from optionchain.errors import InvalidInput
from optionchain.measures.legs import Leg
from optionchain.measures.path_block import PathBlock
from optionchain.measures.trade import Assignment, Settled, Trade, open_trade
from optionchain.pricing.spreads import Spreads


@dataclass(frozen=True, slots=True, kw_only=True)
class Strategy:
    """The profit and loss of an option position, discounted to the start, for one contract of each leg's quantity.

    The position is opened at step 0 in the listed expiration nearest to `days`, held until its expiry, and
    settled there at its intrinsic value. Where the simulation ends first it is closed at its last step. Of legs with
    several expirations, those that expire later are closed at the expiry of the first, at their prices of then.

    Attributes:
        legs: One or more.
        days: Calendar days to the expiration that is wanted, > 0; a leg may say another.
        shares: Units of the underlying that are bought with the options, and sold at the close; negative is sold short.
            Dividends are kept. Shares that an early assignment takes away are gone from then on.
        roll: Open the position anew at each expiry, as long as a later step is left.
        hedge: Hold minus the position's delta of the underlying, changed at every step, at no cost.
        fill: ``quotes`` buys at the ask and sells at the bid; ``mid`` trades at the model's price.
        label: The measure's name.
        unit: Of coin-settled options: ``settled`` counts coins, which bear no interest, and ``currency`` what they are
            worth at the close. Their hedge is by inverse futures.
        assignment: Whether holders of american options that are sold exercise them early: not at all (``none``), or at
            the first step from which waiting earns nothing (``optimal``). The leg then settles at its intrinsic value.
    """

    legs: tuple[Leg, ...]
    days: float
    shares: float = 0.0
    roll: bool = False
    hedge: bool = False
    fill: Literal["quotes", "mid"] = "quotes"
    label: str = "strategy"
    unit: Literal["settled", "currency"] = "settled"
    assignment: Assignment = "none"
    is_profit_and_loss: ClassVar[bool] = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "legs", tuple(self.legs))
        object.__setattr__(self, "days", positive("days", self.days))
        object.__setattr__(self, "shares", finite("shares", self.shares, low=-1e6, high=1e6))
        if not self.legs:
            raise InvalidInput("legs", "must not be empty")
        check_trading(self.fill, self.assignment)
        if self.unit not in ("settled", "currency"):
            raise InvalidInput("unit", "must be settled or currency")
        if self.hedge and self.assignment == "optimal":
            raise InvalidInput("assignment", "must be none where the position is hedged")
        if self.hedge and self.shares:
            raise InvalidInput("shares", "must be 0 where the position is hedged")

    @property
    def name(self) -> str:
        return self.label

    def __call__(self, block: PathBlock) -> Floats:
        """``[paths]`` currency units at the start."""
        if self.shares and block.parameters.settlement == "coin":
            raise InvalidInput("shares", "cannot be held beside options that are settled in coin")
        if self.hedge or self.shares or self.assignment == "optimal":
            refuse_curve(block)
        earned = np.zeros(block.paths)
        step = 0
        while step < block.steps - 1:
            spreads = spreads_at(self.fill, block)
            trade = open_trade(block, step, self.legs, days=self.days, spreads=spreads)
            earned += self._earned(trade)
            step = trade.close
            if not self.roll:
                break
        return earned

    def _earned(self, trade: Trade) -> Floats:
        """``[paths]`` discounted to the start of the simulation."""
        if trade.block.parameters.settlement == "coin":
            return self._earned_in_coin(trade)
        discount = trade.discounts()
        settled = trade.settled(discount, self.assignment)
        earned = trade.earned(discount, settled)
        if self.hedge:
            earned = earned - (trade.deltas() * trade.underlying_gains(discount)).sum(axis=1)
        if self.shares:
            earned = earned + (self._held(trade, settled) * trade.underlying_gains(discount)).sum(axis=1)
        return earned

    def _earned_in_coin(self, trade: Trade) -> Floats:
        """``[paths]`` coins, or what they are worth at the close, discounted to the start."""
        settled = trade.settled(np.ones(trade.close - trade.open + 1), self.assignment)
        earned: Floats = settled.proceeds.sum(axis=1) - trade.cost
        if self.hedge:  # minus the delta in coin of inverse futures, changed at every step
            prices = trade.block.prices[:, trade.open : trade.close + 1]
            earned -= (trade.coin_deltas() * (1.0 - prices[:, :-1] / prices[:, 1:])).sum(axis=1)
        if self.unit == "currency":
            earned = earned * trade.block.prices[:, trade.close] * trade.discounts()[-1]
        return earned

    def _held(self, trade: Trade, settled: Settled) -> Floats:
        """``[paths, close - open]`` the shares that are held from each step to the next."""
        held = np.full((trade.block.paths, trade.close - trade.open), self.shares)
        if trade.block.parameters.settlement == "cash":
            return held
        steps = np.arange(trade.open, trade.close)
        taken_by, sign = ("call", 1.0) if self.shares > 0.0 else ("put", -1.0)
        for index, leg in enumerate(self.legs):
            if leg.side == taken_by and leg.quantity < 0.0:
                held += sign * leg.quantity * (steps >= settled.at[:, index, None])
        return sign * np.maximum(sign * held, 0.0)


def refuse_curve(block: PathBlock) -> None:
    """Refuse to hold the underlying where options are on futures of a curve, of which each is another price.

    Raises:
        InvalidInput: ``futures``.
    """
    if block.parameters.futures is not None:
        reason = "of a curve are not held: a strategy on them has options alone, and is neither hedged nor assigned"
        raise InvalidInput("futures", reason)


def spreads_at(fill: Literal["quotes", "mid"], block: PathBlock) -> Spreads | None:
    """Between the ask and the bid at which is traded; None at the model's price."""
    return None if fill == "mid" else block.parameters.spreads


def check_trading(fill: str, assignment: str) -> None:
    """Refuse what is no way to trade, or to be assigned.

    Raises:
        InvalidInput: ``fill`` or ``assignment``.
    """
    if fill not in ("quotes", "mid"):
        raise InvalidInput("fill", "must be quotes or mid")
    if assignment not in ("none", "optimal"):
        raise InvalidInput("assignment", "must be none or optimal")
