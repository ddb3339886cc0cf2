"""Option strategies by legs: what opening, holding, rolling and hedging them earns on each path."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from optionchain import numerics
from optionchain.arrays import Floats
from optionchain.carried import discounts_of, drops_of
from optionchain.errors import InvalidInput
from optionchain.expirations import Expiration
from optionchain.measures.assignment import exercised_early
from optionchain.measures.fills import Fills, last_known
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
        unit: Of coin-settled options: ``settled`` counts coins, which bear no interest, and ``currency`` what they are
            worth at the close. Their hedge is by inverse futures.
        assignment: Whether holders of american options that are sold exercise them early: not at all (``none``), or at
            the first step from which waiting earns nothing (``optimal``). The leg then settles at its intrinsic value.
    """

    legs: tuple[Leg, ...]
    days: float
    roll: bool = False
    hedge: bool = False
    fill: Literal["quotes", "mid"] = "quotes"
    label: str = "strategy"
    unit: Literal["settled", "currency"] = "settled"
    assignment: Literal["none", "optimal"] = "none"
    is_profit_and_loss: ClassVar[bool] = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "legs", tuple(self.legs))
        object.__setattr__(self, "days", positive("days", self.days))
        if not self.legs:
            raise InvalidInput("legs", "must not be empty")
        if self.fill not in ("quotes", "mid"):
            raise InvalidInput("fill", "must be quotes or mid")
        if self.unit not in ("settled", "currency"):
            raise InvalidInput("unit", "must be settled or currency")
        if self.assignment not in ("none", "optimal"):
            raise InvalidInput("assignment", "must be none or optimal")
        if self.assignment == "optimal" and self.hedge:
            raise InvalidInput("assignment", "must be none where the position is hedged")

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
        if self.block.parameters.settlement == "coin":
            return self._earned_in_coin()
        discount = self._discounts()
        proceeds = self._leg_proceeds() * discount[-1]
        if self.strategy.assignment == "optimal" and self.block.parameters.is_american:
            settled = self._settled_early(discount)
            proceeds = np.where(np.isnan(settled), proceeds, settled)
        earned: Floats = proceeds.sum(axis=1) - self.cost * discount[0]
        return earned + self._hedge_gains(discount) if self.strategy.hedge else earned

    def _earned_in_coin(self) -> Floats:
        """``[paths]`` coins, or what they are worth at the close, discounted to the start."""
        earned: Floats = self._leg_proceeds().sum(axis=1) - self.cost
        if self.strategy.hedge:
            earned += self._inverse_hedge()
        if self.strategy.unit == "currency":
            earned = earned * self.block.prices[:, self.close] * self._discounts()[-1]
        return earned

    def _inverse_hedge(self) -> Floats:
        """``[paths]`` coins from minus the delta in coin of inverse futures, changed at every step."""
        values = self.block.contract_values(self.strikes, self.expiration, first=self.open, stop=self.close)
        calls, puts = values.coin_deltas()
        deltas = np.zeros((self.block.paths, self.close - self.open))
        for index, leg in enumerate(self.strategy.legs):
            deltas += leg.quantity * (calls if leg.side == "call" else puts)[:, :, index]
        prices = self.block.prices[:, self.open : self.close + 1]
        gains: Floats = -(deltas * (1.0 - prices[:, :-1] / prices[:, 1:])).sum(axis=1)
        return gains

    def _settled_early(self, discount: Floats) -> Floats:
        """``[paths, legs]`` what being assigned brings, discounted to the start; NaN where a leg is not."""
        settled = np.full(self.strikes.shape, np.nan)
        if self.close - self.open < 2:
            return settled
        values = self.block.contract_values(
            self.strikes, self.expiration, first=self.open + 1, stop=self.close
        )
        prices = self.block.prices[:, self.open + 1 : self.close]
        for index, leg in enumerate(self.strategy.legs):
            if leg.quantity < 0.0:
                worth = values.call_mid if leg.side == "call" else values.put_mid
                intrinsic = exercised_early(
                    self.block.parameters,
                    leg.side,
                    worth[:, :, index],
                    prices,
                    self.strikes[:, index],
                    self.open + 1,
                )
                first = np.argmax(intrinsic > 0.0, axis=1)
                paid = np.take_along_axis(intrinsic, first[:, None], axis=1)[:, 0]
                settled[:, index] = np.where(paid > 0.0, leg.quantity * paid * discount[1 + first], np.nan)
        return settled

    def _leg_proceeds(self) -> Floats:
        """``[paths, legs]`` what closing or settling brings, in the money of then."""
        values = self.block.contract_values(
            self.strikes, self.expiration, first=self.close, stop=self.close + 1
        )
        proceeds = np.empty(self.strikes.shape)
        days = self.block.days_to(self.expiration, self.close)
        fills = Fills(
            spreads=None if days == 0.0 else self.strategy.spreads(self.block),
            spots=self.block.prices[:, self.close],
            years=days / DAYS_PER_YEAR,
            are_stored=self.block.is_recorded,
        )
        for index, leg in enumerate(self.strategy.legs):
            chosen = (slice(None), 0, index)
            filled = fills.price(values, chosen, leg.side, is_bought=leg.quantity < 0)
            proceeds[:, index] = leg.quantity * filled
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
            elapsed = self.block.elapsed_years()
            intervals = np.diff(
                elapsed[self.open : self.close + 1] if self.block.is_recorded else elapsed[:2]
            )
            kept = parameters.dividend_yield + parameters.borrow_cost
            with_dividends = prices[:, 1:] * numerics.exp(kept * intervals)
            for step, amount in drops_of(parameters):
                if self.open < step <= self.close:
                    with_dividends[:, step - self.open - 1] += amount
            gains = with_dividends * discount[1:] - prices[:, :-1] * discount[:-1]
        if self.block.is_recorded:
            deltas = last_known(deltas)
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
    fills = Fills(
        spreads=strategy.spreads(block),
        spots=spots,
        years=float(chains.days_to_expiration[index]) / DAYS_PER_YEAR,
        are_stored=block.is_recorded,
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
    if block.is_recorded:
        later = (step for step in range(opened + 1, block.steps) if block.days_to(expiration, step) == 0.0)
        return next(later, block.steps - 1)
    lifetime = expiration.expires_at - block.parameters.start_at
    expiry_step = -(-lifetime // block.parameters.interval)
    return min(max(expiry_step, opened + 1), block.steps - 1)
