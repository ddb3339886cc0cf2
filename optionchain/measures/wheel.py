"""The wheel: puts are sold until shares are delivered, then calls on them until they are called away, and so on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from optionchain.arrays import Floats
from optionchain.declared.checks import positive
from optionchain.errors import InvalidInput
from optionchain.measures.legs import ByDelta, ByMoneyness, Leg, Pick
from optionchain.measures.path_block import PathBlock
from optionchain.measures.strategy import check_trading, refuse_curve, spreads_at
from optionchain.measures.trade import Assignment, open_trade


@dataclass(frozen=True, slots=True, kw_only=True)
class Wheel:
    """The profit and loss of a wheel on one unit, discounted to the start.

    A path without shares sells a put; at its expiry in the money a share is bought at the strike. A path with a share
    sells a call; at its expiry in the money the share is sold at the strike. What is held at the end is worth its
    price.

    Attributes:
        put, call: Which strikes are sold.
        days: Calendar days to the expiration that is wanted, > 0.
        fill, assignment: As `Strategy` has them.
        label: The measure's name.
    """

    put: Pick
    call: Pick
    days: float = 30.0
    fill: Literal["quotes", "mid"] = "quotes"
    assignment: Assignment = "none"
    label: str = "wheel"
    is_profit_and_loss: ClassVar[bool] = True

    def __post_init__(self) -> None:
        for field in ("put", "call"):
            if not isinstance(getattr(self, field), ByDelta | ByMoneyness):
                raise InvalidInput(field, "must be ByDelta or ByMoneyness")
        object.__setattr__(self, "days", positive("days", self.days))
        check_trading(self.fill, self.assignment)

    @property
    def name(self) -> str:
        return self.label

    def __call__(self, block: PathBlock) -> Floats:
        """``[paths]`` currency units at the start.

        Raises:
            InvalidInput: Nothing is delivered by these options, which are settled in cash or in coin.
        """
        if block.parameters.settlement in ("cash", "coin"):
            raise InvalidInput("settlement", "must be physical for a wheel, or unsaid")
        refuse_curve(block)
        legs = (Leg("put", -1, self.put), Leg("call", -1, self.call))
        owns, earned, step = np.zeros(block.paths, dtype=bool), np.zeros(block.paths), 0
        while step < block.steps - 1:
            trade = open_trade(
                block,
                step,
                legs,
                days=self.days,
                spreads=spreads_at(self.fill, block),
                is_traded=np.column_stack([~owns, owns]),
            )
            discount = trade.discounts()
            settled = trade.settled(discount, self.assignment)
            ends = np.where(owns, settled.at[:, 1], settled.at[:, 0])
            steps = np.arange(trade.open, trade.close)
            held = np.where(owns[:, None], steps < ends[:, None], steps >= ends[:, None])
            earned += trade.earned(discount, settled)
            earned += (held * trade.underlying_gains(discount)).sum(axis=1)
            expiration = trade.expirations[0]
            prices = block.settled_at(expiration, first=trade.close, stop=trade.close + 1)[:, 0]
            pays = np.where(owns, prices > trade.strikes[:, 1], prices < trade.strikes[:, 0])
            is_over = block.days_to(expiration, trade.close) == 0.0
            owns = owns ^ ((ends < trade.close) | (pays & is_over))
            step = trade.close
        return earned
