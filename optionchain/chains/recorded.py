"""The chains of recorded days: the stored quotes in the shapes that simulated chains have."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from optionchain.arrays import Floats
from optionchain.chains.block import ChainBlock
from optionchain.chains.chain import OptionChain
from optionchain.chains.path_chains import ChosenContracts, PathChains
from optionchain.errors import InvalidInput
from optionchain.expirations import DailyRule, Expiration, ExpirationPlan, Schedule, days_to_expiration
from optionchain.expirations.listing import Listing, microseconds
from optionchain.history.recording import KEPT, Recording
from optionchain.parameters import SimulationParameters
from optionchain.pricing.american import AMERICAN, CALL_THETA, PUT_GAMMA, PUT_THETA, PUT_VEGA
from optionchain.pricing.black_scholes import DAYS_PER_YEAR

LABEL = "recorded"
# The row of a chain that has each kept number of the calls, and of the puts.
_ROWS = {
    "bid": (8, 9),
    "ask": (10, 11),
    "delta": (4, 5),
    "gamma": (6, PUT_GAMMA),
    "theta": (CALL_THETA, PUT_THETA),
    "vega": (7, PUT_VEGA),
}
_VOLATILITY, _MIDS = 1, (2, 3)


def recorded_rule() -> DailyRule:
    """What stands for the rules of expirations that were stored: the label of all of them."""
    return DailyRule(rule_id=LABEL, target_count=1)


class RecordedChains:
    """The chains of a recording.

    Args:
        parameters: Of the simulation, whose method is `Recorded`.
        recording: Its days.
    """

    def __init__(self, parameters: SimulationParameters, recording: Recording) -> None:
        if not isinstance(parameters.expirations, Schedule):
            raise InvalidInput("expirations", "must be a Schedule, which says when recorded dates expire")
        self._parameters = parameters
        self._recording = recording
        self._plan = ExpirationPlan(parameters.expirations)
        self._instants: dict[date, datetime] = {}

    def expirations(self, step: int) -> tuple[Expiration, ...]:
        """Those of a day, ascending."""
        return tuple(self._expiration(day) for day, _ in self._recording.ladders(step))

    def chain(self, step: int) -> OptionChain:
        """The chain of a day; what was not stored is NaN. A mid is between bid and ask, or the last price.

        Raises:
            IndexError: There is no such step.
        """
        if not 0 <= step < len(self._recording):
            raise IndexError(f"step {step} is not one of 0 to {len(self._recording) - 1}")
        rows, expirations = self._recording.rows(step), self.expirations(step)
        ladders = [ladder for _, ladder in self._recording.ladders(step)]
        return OptionChain(
            symbol=self._parameters.symbol,
            quote_time=self._recording.instants[step],
            underlying_price=float(self._recording.days.prices[step]),
            base_volatility=float(self._recording.volatilities[step]),
            risk_free_rate=self._parameters.risk_free_rate,
            dividend_yield=self._parameters.dividend_yield,
            expirations=expirations,
            days_to_expiration=self._days(step, expirations),
            offsets=(0, *(ladder.stop - rows.start for ladder in ladders)),
            columns=self._columns(step, rows),
        )

    def block(self, steps: range) -> ChainBlock:
        """The chains of consecutive days as one."""
        listed = [self.expirations(step) for step in steps]
        counts = np.array([len(each) for each in listed])
        first = self._recording.rows(steps[0]).start
        ends = [ladder.stop - first for step in steps for _, ladder in self._recording.ladders(step)]
        return ChainBlock(
            spots=self._recording.days.prices[steps.start : steps.stop],
            listing=Listing(
                offsets=np.concatenate([[0], np.cumsum(counts)]),
                expires_at=np.array([microseconds(each.expires_at) for day in listed for each in day]),
                labels=np.zeros(int(counts.sum()), dtype=np.int32),
                names=(LABEL,),
            ),
            days_to_expiration=np.concatenate(
                [self._days(step, day) for step, day in zip(steps, listed, strict=True)]
            ),
            offsets=np.array([0, *ends]),
            risk_free_rate=self._parameters.risk_free_rate,
            dividend_yield=self._parameters.dividend_yield,
            columns=np.concatenate(
                [self._columns(step, self._recording.rows(step)) for step in steps], axis=1
            ),
        )

    def of_paths(self, step: int, paths: int) -> PathChains:
        """The chain of a day as that of each of some paths, ``[paths, expirations, strikes]``, with its quotes."""
        chain = self.chain(step)
        sizes = np.diff(chain.offsets)
        grid = np.full((AMERICAN, sizes.size, int(sizes.max())), np.nan)
        for index, (first, last) in enumerate(pairwise(chain.offsets)):
            grid[:, index, : last - first] = chain.columns[:, first:last]
        columns = np.repeat(grid[:, None], paths, axis=1)
        columns.flags.writeable = False
        return PathChains(
            chain.days_to_expiration, np.full(paths, chain.underlying_price), self._parameters, columns
        )

    def chosen(self, strikes: Floats, expiration: Expiration, steps: Sequence[int]) -> ChosenContracts:
        """What was quoted of chosen contracts on some days, ``[paths, days, contracts]``; at their expiration they are
        worth what exercise brings.

        Args:
            strikes: ``[paths, contracts]``.
            expiration: Of all of them.
            steps: The days.
        """
        columns = np.full((AMERICAN, len(strikes), len(steps), strikes.shape[1]), np.nan)
        columns[0] = strikes[:, None, :]
        years = np.empty(len(steps))
        for place, step in enumerate(steps):
            left = days_to_expiration(self._recording.instants[step], expiration.expires_at)
            years[place] = max(left, 0.0) / DAYS_PER_YEAR
            spot = float(self._recording.days.prices[step])
            if left <= 0.0:
                _settle(columns[:, :, place], spot)
                continue
            for day, rows in self._recording.ladders(step):
                if day == expiration.date:
                    of_day = self._columns(step, rows)
                    at = np.minimum(np.searchsorted(of_day[0], strikes), of_day.shape[1] - 1)
                    is_there = of_day[0][at] == strikes
                    columns[:, :, place] = np.where(is_there, of_day[:, at], columns[:, :, place])
        spots = np.broadcast_to(self._recording.days.prices[list(steps)], (len(strikes), len(steps)))
        return ChosenContracts(spots, years, self._parameters, columns)

    def _expiration(self, day: date) -> Expiration:
        if day not in self._instants:
            self._instants[day] = self._plan.instant_of(day)
        return Expiration(expires_at=self._instants[day], labels=(LABEL,), day=day)

    def _days(self, step: int, expirations: Sequence[Expiration]) -> Floats:
        now = self._recording.instants[step]
        return np.array([max(days_to_expiration(now, each.expires_at), 0.0) for each in expirations])

    def _columns(self, step: int, rows: slice) -> Floats:
        """The rows of a chain as the kernel fills them: those of options whose sides have greeks of their own."""
        days = self._recording.days
        kept = {name: days.quotes[:, place, rows] for place, name in enumerate(KEPT)}
        columns = np.full((AMERICAN, rows.stop - rows.start), np.nan)
        columns[0] = days.strikes[rows]
        columns[_VOLATILITY] = _out_of_the_money(
            kept["implied_volatility"], days.strikes[rows], days.prices[step]
        )
        for side, row in enumerate(_MIDS):
            columns[row] = _mids(kept["bid"][side], kept["ask"][side], kept["last"][side])
        for name, places in _ROWS.items():
            columns[list(places)] = kept[name]
        return columns


def _mids(bids: Floats, asks: Floats, lasts: Floats) -> Floats:
    """Between bid and ask; the last price where one of them is not there."""
    return np.where((asks > 0.0) & ~np.isnan(bids), (bids + asks) / 2.0, lasts)


def _out_of_the_money(volatilities: NDArray[np.float64], strikes: Floats, price: float) -> Floats:
    """One volatility a strike: that of the side out of the money, or else the other's."""
    calls, puts = volatilities
    is_call = strikes >= price
    first, second = np.where(is_call, calls, puts), np.where(is_call, puts, calls)
    told: Floats = np.where(np.isnan(first), second, first)
    return told


def _settle(columns: Floats, spot: float) -> None:
    """Write what contracts are worth at their expiration."""
    columns[_MIDS[0]] = np.maximum(spot - columns[0], 0.0)
    columns[_MIDS[1]] = np.maximum(columns[0] - spot, 0.0)
    for row, mid in zip((8, 9, 10, 11), (*_MIDS, *_MIDS), strict=True):
        columns[row] = columns[mid]
