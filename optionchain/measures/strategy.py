"""Option strategies by legs: what opening, holding, rolling and hedging them earns on each path."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from optionchain import numerics
from optionchain.arrays import Floats
from optionchain.carried import discounts_of, drops_of
from optionchain.chains.columns import Side
from optionchain.chains.contracts import CALL, Contracts
from optionchain.errors import InvalidInput
from optionchain.expirations import Expiration
from optionchain.measures.legs import Leg
from optionchain.measures.path_block import PathBlock
from optionchain.pricing.black_scholes import DAYS_PER_YEAR
from optionchain.pricing.spreads import Spreads
from optionchain.validation import positive


@dataclass(frozen=True, slots=True, kw_only=True)
class Strategy:
    """The profit and loss of an option position, discounted to the start, for one contract of each leg's quantity.

    The position is opened at step 0 in the listed expiration nearest to `days`, held until its expiry, and
    settled there at its intrinsic value. Where the simulation ends first it is closed at its last step.

    Attributes:
        legs: One or more.
        days: Calendar days to the expiration that is wanted, > 0.
        roll: Open the position anew at each expiry, as long as a later step is left.
        hedge: Hold minus the position's delta of the underlying, changed at every step, at no cost.
        fill: ``quotes`` buys at the ask and sells at the bid; ``mid`` trades at the model's price.
        label: The measure's name.
    """

    legs: tuple[Leg, ...]
    days: float
    roll: bool = False
    hedge: bool = False
    fill: Literal["quotes", "mid"] = "quotes"
    label: str = "strategy"
    is_profit_and_loss: ClassVar[bool] = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "legs", tuple(self.legs))
        object.__setattr__(self, "days", positive("days", self.days))
        if not self.legs:
            raise InvalidInput("legs", "must not be empty")
        if self.fill not in ("quotes", "mid"):
            raise InvalidInput("fill", "must be quotes or mid")

    @property
    def name(self) -> str:
        return self.label

    def spreads(self, block: PathBlock) -> Spreads | None:
        """Between the ask and the bid at which it trades; None at the model's price."""
        return None if self.fill == "mid" else block.parameters.spreads

    def __call__(self, block: PathBlock) -> Floats:
        """``[paths]`` currency units at the start."""
        earned = np.zeros(block.paths)
        step = 0
        while step < block.steps - 1:
            trade = _open(self, block, step)
            earned += trade.profit_and_loss()
            step = trade.close
            if not self.roll:
                break
        return earned


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Trade:
    """A position from its opening to its close.

    Attributes:
        strikes: ``[paths, legs]``.
        cost: ``[paths]`` what was paid for it at `open`, in the money of then.
        open, close: Steps; the close is the first at or after the expiry, or the last one.
    """

    strategy: Strategy
    block: PathBlock
    expiration: Expiration
    strikes: Floats
    cost: Floats
    open: int
    close: int

    def profit_and_loss(self) -> Floats:
        """``[paths]`` discounted to the start of the simulation."""
        discount = self._discounts()
        earned: Floats = self._proceeds() * discount[-1] - self.cost * discount[0]
        return earned + self._hedge_gains(discount) if self.strategy.hedge else earned

    def _proceeds(self) -> Floats:
        """``[paths]`` what closing or settling brings, in the money of then."""
        values = self.block.contract_values(
            self.strikes, self.expiration, first=self.close, stop=self.close + 1
        )
        proceeds = np.zeros(self.block.paths)
        days = self.block.days_to(self.expiration, self.close)
        fills = _Fills(
            spreads=None if days == 0.0 else self.strategy.spreads(self.block),
            spots=self.block.prices[:, self.close],
            years=days / DAYS_PER_YEAR,
        )
        for index, leg in enumerate(self.strategy.legs):
            chosen = (slice(None), 0, index)
            proceeds += leg.quantity * fills.price(values, chosen, leg.side, is_bought=leg.quantity < 0)
        return proceeds

    def _hedge_gains(self, discount: Floats) -> Floats:
        """``[paths]`` of minus delta units of the underlying, financed at the rate, dividends kept; a future costs
        nothing to hold."""
        values = self.block.contract_values(self.strikes, self.expiration, first=self.open, stop=self.close)
        deltas = np.zeros((self.block.paths, self.close - self.open))
        for index, leg in enumerate(self.strategy.legs):
            of_side = values.call_delta if leg.side == "call" else values.put_delta
            deltas += leg.quantity * of_side[:, :, index]
        prices = self.block.prices[:, self.open : self.close + 1]
        parameters = self.block.parameters
        if parameters.underlying == "future":
            gains: Floats = (prices[:, 1:] - prices[:, :-1]) * discount[1:]
        else:
            interval = float(np.diff(self.block.elapsed_years()[:2])[0])
            kept = parameters.dividend_yield + parameters.borrow_cost
            with_dividends = prices[:, 1:] * numerics.exp(kept * interval)
            for step, amount in drops_of(parameters):
                if self.open < step <= self.close:
                    with_dividends[:, step - self.open - 1] += amount
            gains = with_dividends * discount[1:] - prices[:, :-1] * discount[:-1]
        total: Floats = -(deltas * gains).sum(axis=1)
        return total

    def _discounts(self) -> Floats:
        """``[close - open + 1]`` worth at the start of one unit at each step of the trade."""
        years = self.block.elapsed_years()[self.open : self.close + 1]
        return discounts_of(self.block.parameters, years)


def _open(strategy: Strategy, block: PathBlock, step: int) -> _Trade:
    """Choose the expiration and strikes at a step, and pay for them."""
    chains = block.chains(step)
    index = int(np.argmin(np.abs(chains.days_to_expiration - strategy.days)))
    expiration = block.expirations(step)[index]
    spots = block.prices[:, step]
    strikes = np.empty((block.paths, len(strategy.legs)))
    cost = np.zeros(block.paths)
    fills = _Fills(
        spreads=strategy.spreads(block),
        spots=spots,
        years=float(chains.days_to_expiration[index]) / DAYS_PER_YEAR,
    )
    rows = np.arange(block.paths)
    for number, leg in enumerate(strategy.legs):
        chosen = (rows, index, leg.choose(chains, index, spots))
        strikes[:, number] = chains.strikes[chosen]
        cost += leg.quantity * fills.price(chains, chosen, leg.side, is_bought=leg.quantity > 0)
    return _Trade(
        strategy=strategy,
        block=block,
        expiration=expiration,
        strikes=strikes,
        cost=cost,
        open=step,
        close=_closing_step(block, expiration, step),
    )


def _closing_step(block: PathBlock, expiration: Expiration, opened: int) -> int:
    """The first step after the opening that is at or past the expiry, or the last step."""
    lifetime = expiration.expires_at - block.parameters.start_at
    expiry_step = -(-lifetime // block.parameters.interval)
    return min(max(expiry_step, opened + 1), block.steps - 1)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Fills:
    """At which prices contracts trade at one step.

    Attributes:
        spreads: Between bids and asks; None where the model's price is traded at.
        spots: ``[paths]``.
        years: To the contracts' expiration.
    """

    spreads: Spreads | None
    spots: Floats
    years: float

    def price(self, contracts: Contracts, chosen: Any, side: Side, *, is_bought: bool) -> Floats:
        """``[paths]`` the ask of what is bought, the bid of what is sold.

        Args:
            contracts: Of all paths.
            chosen: Index of one contract of each.
            side: Of the contracts.
            is_bought: Whether they are bought.
        """
        mids: Floats = (contracts.call_mid if side == CALL else contracts.put_mid)[chosen]
        vegas = (contracts.vega if side == CALL else contracts.put_vega)[chosen]
        if self.spreads is None:
            return mids
        bids, asks = self.spreads.quotes(
            mids,
            spot=self.spots,
            strikes=contracts.strikes[chosen],
            years=self.years,
            volatilities=contracts.implied_volatilities[chosen],
            vegas=vegas,
        )
        return asks if is_bought else bids
