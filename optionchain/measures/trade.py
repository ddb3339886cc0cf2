"""A position in listed options, from its opening to its close: what it costs, brings and can be assigned meanwhile."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from optionchain import numerics
from optionchain.arrays import Floats
from optionchain.chains.path_chains import ChosenContracts
from optionchain.contracts.carried import discounts_of, drops_of
from optionchain.errors import InvalidInput
from optionchain.expirations import Expiration
from optionchain.measures.assignment import exercised_early
from optionchain.measures.fills import Fills, last_known
from optionchain.measures.legs import Leg
from optionchain.measures.path_block import PathBlock
from optionchain.pricing.black_scholes import DAYS_PER_YEAR
from optionchain.pricing.spreads import Spreads

Assignment: TypeAlias = Literal["none", "optimal"]


class Settled(NamedTuple):
    """How the legs of a trade end, ``[paths, legs]`` each.

    Attributes:
        proceeds: What that brings, discounted to the start of the simulation.
        at: The step; that of the close where they are not assigned before.
    """

    proceeds: Floats
    at: NDArray[np.intp]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trade:
    """A position from its opening to its close.

    Attributes:
        block: Where it is traded.
        legs: What is traded.
        quantities: ``[paths, legs]``.
        spreads: Between the ask and the bid at which it trades; None at the model's price.
        expirations: Of each leg.
        strikes: ``[paths, legs]``.
        cost: ``[paths]`` what was paid for it at `open`, in the money of then.
        open, close: Steps; the close is the first at or after the earliest expiry, or the last one.
    """

    block: PathBlock
    legs: tuple[Leg, ...]
    quantities: Floats
    spreads: Spreads | None
    expirations: tuple[Expiration, ...]
    strikes: Floats
    cost: Floats
    open: int
    close: int

    def discounts(self) -> Floats:
        """``[close - open + 1]`` worth at the start of one unit at each step of the trade."""
        years = self.block.elapsed_years()[self.open : self.close + 1]
        return discounts_of(self.block.parameters, years)

    def proceeds(self) -> Floats:
        """``[paths, legs]`` what closing or settling brings, in the money of then."""
        proceeds = np.empty(self.strikes.shape)
        for index, place, values in self._valued(self.close, self.close + 1):
            days = self.block.days_to(self.expirations[index], self.close)
            fills = Fills(
                spreads=None if days == 0.0 else self.spreads,
                spots=self.block.prices[:, self.close],
                years=days / DAYS_PER_YEAR,
                are_stored=self.block.is_recorded,
            )
            leg = self.legs[index]
            filled = fills.price(values, (slice(None), 0, place), leg.side, is_bought=leg.quantity < 0)
            proceeds[:, index] = self.quantities[:, index] * filled
        return proceeds

    def settled(self, discount: Floats, assignment: Assignment) -> Settled:
        """How its legs end.

        Args:
            discount: As `discounts` has it.
            assignment: Whether holders of american options that were sold exercise them early, as `Strategy` has it.
                Nobody does so with those that are settled daily, for which nothing was paid.
        """
        found = Settled(self.proceeds() * discount[-1], np.full(self.strikes.shape, self.close))
        parameters = self.block.parameters
        if assignment == "none" or not parameters.has_early_exercise or self.is_margined:
            return found
        prices = self.block.prices[:, self.open + 1 : self.close]
        units: Floats | float = prices if parameters.settlement == "coin" else 1.0
        for index, place, values in self._valued(self.open + 1, self.close):
            leg = self.legs[index]
            if leg.quantity >= 0.0:
                continue
            worth = values.call_mid if leg.side == "call" else values.put_mid
            intrinsic = exercised_early(
                parameters,
                leg.side,
                worth[:, :, place] * units,
                prices,
                self.strikes[:, index],
                self.open + 1,
            )
            intrinsic = intrinsic / units
            first = np.argmax(intrinsic > 0.0, axis=1)
            paid = np.take_along_axis(intrinsic, first[:, None], axis=1)[:, 0]
            early = paid > 0.0
            brought = self.quantities[:, index] * paid * discount[1 + first]
            found.proceeds[:, index] = np.where(early, brought, found.proceeds[:, index])
            found.at[:, index] = np.where(early, self.open + 1 + first, self.close)
        return found

    def earned(self, discount: Floats, settled: Settled) -> Floats:
        """``[paths]`` what its options bring less what they cost, discounted to the start of the simulation."""
        if self.is_margined:
            return self._varied(discount)
        earned: Floats = settled.proceeds.sum(axis=1) - self.cost * discount[0]
        return earned

    @property
    def is_margined(self) -> bool:
        """Whether its options are settled daily, and not paid for when they are traded."""
        return self.block.parameters.premium == "margined"

    def _varied(self, discount: Floats) -> Floats:
        """``[paths]`` the variation margins of each step, from the price of the opening to the last settlement."""
        marks = np.zeros((self.block.paths, self.close - self.open + 1))
        marks[:, 0], marks[:, -1] = self.cost, self.proceeds().sum(axis=1)
        for index, place, values in self._valued(self.open + 1, self.close):
            of_side = values.call_mid if self.legs[index].side == "call" else values.put_mid
            marks[:, 1:-1] += self.quantities[:, index, None] * of_side[:, :, place]
        margins: Floats = (np.diff(last_known(marks), axis=1) * discount[1:]).sum(axis=1)
        return margins

    def deltas(self) -> Floats:
        """``[paths, close - open]`` of the options, at each step but the close."""
        deltas = np.zeros((self.block.paths, self.close - self.open))
        for index, place, values in self._valued(self.open, self.close):
            of_side = values.call_delta if self.legs[index].side == "call" else values.put_delta
            deltas += self.quantities[:, index, None] * of_side[:, :, place]
        return last_known(deltas) if self.block.is_recorded else deltas

    def coin_deltas(self) -> Floats:
        """As `deltas`, in coin."""
        deltas = np.zeros((self.block.paths, self.close - self.open))
        for index, place, values in self._valued(self.open, self.close):
            calls, puts = values.coin_deltas()
            of_side = calls if self.legs[index].side == "call" else puts
            deltas += self.quantities[:, index, None] * of_side[:, :, place]
        return deltas

    def underlying_gains(self, discount: Floats) -> Floats:
        """``[paths, close - open]`` what one unit earns from each step to the next, discounted to the start.

        It is financed at the rate and keeps its dividends; a future costs nothing to hold.

        Args:
            discount: As `discounts` has it.
        """
        prices = self.block.prices[:, self.open : self.close + 1]
        parameters = self.block.parameters
        if parameters.underlying == "future":
            gains: Floats = (prices[:, 1:] - prices[:, :-1]) * discount[1:]
            return gains
        elapsed = self.block.elapsed_years()
        intervals = np.diff(elapsed[self.open : self.close + 1] if self.block.is_recorded else elapsed[:2])
        kept = parameters.dividend_yield + parameters.borrow_cost
        with_dividends = prices[:, 1:] * numerics.exp(kept * intervals)
        for step, amount in drops_of(parameters):
            if self.open < step <= self.close:
                with_dividends[:, step - self.open - 1] += amount
        return with_dividends * discount[1:] - prices[:, :-1] * discount[:-1]

    def _valued(self, first: int, stop: int) -> Iterator[tuple[int, int, ChosenContracts]]:
        """Each leg, with what contracts of its expiration are worth at some steps, and its place among them."""
        if stop <= first:
            return
        sharing: dict[Expiration, list[int]] = {}
        for index, expiration in enumerate(self.expirations):
            sharing.setdefault(expiration, []).append(index)
        for expiration, indices in sharing.items():
            strikes = self.strikes[:, indices]
            values = self.block.contract_values(strikes, expiration, first=first, stop=stop)
            for place, index in enumerate(indices):
                yield index, place, values


def open_trade(
    block: PathBlock,
    step: int,
    legs: Sequence[Leg],
    *,
    days: float,
    spreads: Spreads | None,
    is_traded: NDArray[np.bool_] | bool = True,
) -> Trade:
    """Choose expirations and strikes at a step, and pay for them.

    Args:
        block: Where it is traded.
        step: Of the opening.
        legs: One or more.
        days: To the expiration that is wanted of legs which say nothing of it.
        spreads: Between asks and bids; None trades at the model's price.
        is_traded: ``[paths, legs]`` which legs each path trades.

    Raises:
        InvalidInput: The legs of several expirations are all of one here, or nobody quoted what is traded.
    """
    chains, listed, spots = block.chains(step), block.expirations(step), block.prices[:, step]
    wanted = [days if leg.days is None else leg.days for leg in legs]
    away = np.where(_are_traded(block, listed, step), chains.days_to_expiration, np.inf)
    nearest = [int(np.argmin(np.abs(away - each))) for each in wanted]
    if len(set(wanted)) > 1 and len(set(nearest)) == 1:
        raise InvalidInput("legs", "are of several expirations, of which only one is listed near those days")
    strikes, cost, rows = np.empty((block.paths, len(legs))), np.zeros(block.paths), np.arange(block.paths)
    quantities = np.array([leg.quantity for leg in legs]) * np.broadcast_to(is_traded, strikes.shape)
    for number, (leg, index) in enumerate(zip(legs, nearest, strict=True)):
        fills = Fills(
            spreads=spreads,
            spots=spots,
            years=float(chains.days_to_expiration[index]) / DAYS_PER_YEAR,
            are_stored=block.is_recorded,
        )
        chosen = (rows, index, leg.choose(chains, index, spots))
        strikes[:, number] = chains.strikes[chosen]
        cost += quantities[:, number] * fills.price(chains, chosen, leg.side, is_bought=leg.quantity > 0)
    expirations = tuple(listed[index] for index in nearest)
    return Trade(
        block=block,
        legs=tuple(legs),
        quantities=quantities,
        spreads=spreads,
        expirations=expirations,
        strikes=strikes,
        cost=cost,
        open=step,
        close=min(_closing_step(block, each, step) for each in expirations),
    )


def _are_traded(block: PathBlock, listed: Sequence[Expiration], step: int) -> NDArray[np.bool_]:
    """Whether contracts of each expiration can still be traded at a step; all where none can."""
    now = block.parameters.simulated_at(step)
    traded = np.array([each.last_trade_at is None or now <= each.last_trade_at for each in listed])
    return traded if traded.any() else np.ones_like(traded)


def _closing_step(block: PathBlock, expiration: Expiration, opened: int) -> int:
    """The first step after the opening that is at or past the expiry, or the last step."""
    if block.is_recorded:
        later = (step for step in range(opened + 1, block.steps) if block.days_to(expiration, step) == 0.0)
        return next(later, block.steps - 1)
    lifetime = expiration.expires_at - block.parameters.start_at
    expiry_step = -(-lifetime // block.parameters.interval)
    return min(max(expiry_step, opened + 1), block.steps - 1)
