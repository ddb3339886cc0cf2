"""What a measure sees: some paths of one simulation, with their chains priced when they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeAlias

import numpy as np

from optionchain import numerics
from optionchain.arrays import Floats, Paths
from optionchain.chains.path_chains import ChosenContracts, PathChains, price_chosen, price_path_chains
from optionchain.contracts.carried import drops_of, market_of, with_dividends
from optionchain.draws.correlated import CorrelatedDraws, OpenStream
from optionchain.draws.philox import Draws, PhiloxDraws
from optionchain.errors import InvalidInput
from optionchain.expirations import Expiration, days_to_expiration
from optionchain.expirations.listing import Microseconds, microseconds
from optionchain.market import others_of, price_weights_of
from optionchain.parameters import SimulationParameters
from optionchain.pricing.black_scholes import DAYS_PER_YEAR
from optionchain.simulation import Simulation

# Contracts of the chains that a block keeps: 10 arrays of 8 bytes each, 80 MB.
MOST_KEPT_CONTRACTS = 1_000_000
# Contracts whose ladders and smiles are made in one pass. Measured best of 2,000 to 65,000.
PRICED_TOGETHER = 32_768


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PathBlock:
    """Paths `first_path`, `first_path + 1`, ... of one simulation; measures share them, so they are read-only.

    Attributes:
        parameters: What the paths were made from.
        first_path: Index of the first row's path.
        prices: ``[paths, steps]`` of the underlying, in its currency; column 0 is the start.
        volatilities: ``[paths, steps]`` annualised volatility that prices each chain at the money.
        others: The same paths of the further underlyings of a market, in their order.
    """

    parameters: SimulationParameters
    first_path: int
    prices: Paths
    volatilities: Paths
    others: tuple[PathBlock, ...] = ()
    _simulation: Simulation = field(init=False, repr=False)
    _chains: dict[int, PathChains] = field(init=False, repr=False, default_factory=dict)
    _counts: dict[str, int] = field(
        init=False, repr=False, default_factory=lambda: {"contracts": 0, "kept": 0}
    )

    def __post_init__(self) -> None:
        for shared in (self.prices, self.volatilities):
            shared.flags.writeable = False
        object.__setattr__(self, "_simulation", Simulation(self.parameters))

    @property
    def paths(self) -> int:
        """Number of paths."""
        return len(self.prices)

    @property
    def steps(self) -> int:
        """Number of snapshots of each path."""
        return int(self.prices.shape[1])

    @property
    def contracts_priced(self) -> int:
        """Contracts priced so far; a call and a put on one strike are two."""
        return self._counts["contracts"] + sum(other.contracts_priced for other in self.others)

    @property
    def is_recorded(self) -> bool:
        """Whether the chains are stored quotes, which have bids and asks of their own."""
        return self._simulation.recorded is not None

    def elapsed_years(self) -> Floats:
        """``[steps]`` calendar years, ACT/365, from the start to each step."""
        if self._simulation.recorded is not None:
            begun = self.parameters.simulated_at(0)
            days = [
                days_to_expiration(begun, self.parameters.simulated_at(step)) for step in range(self.steps)
            ]
            return np.array(days) / DAYS_PER_YEAR
        step_years = self.parameters.interval.total_seconds() / 86_400.0 / DAYS_PER_YEAR
        return np.arange(self.steps, dtype=np.float64) * step_years

    def expirations(self, step: int) -> tuple[Expiration, ...]:
        """The expirations listed at a step, soonest first; the same for every path."""
        return self._simulation.expirations(step)

    def days_to(self, expiration: Expiration, step: int) -> float:
        """Calendar days from a step to an expiration; 0 when it is past."""
        return max(days_to_expiration(self.parameters.simulated_at(step), expiration.expires_at), 0.0)

    def chains(self, step: int) -> PathChains:
        """The option chain of each path at a step, ``[paths, expirations, strikes]``.

        Args:
            step: 0 to ``steps - 1``.

        Raises:
            IndexError: There is no such step.
            InvalidInput: The strike interval is too fine for a price.
        """
        return next(self.chains_at([step]))

    def chains_at(self, steps: Sequence[int]) -> Iterator[PathChains]:
        """The option chains at some steps, one after the other; faster than asking for each of them.

        Args:
            steps: Each 0 to ``steps - 1``.

        Raises:
            IndexError: There is no such step.
            InvalidInput: The strike interval is too fine for a price.
        """
        for step in steps:
            if not 0 <= step < self.steps:
                raise IndexError(f"step {step} is not one of 0 to {self.steps - 1}")
        together = max(PRICED_TOGETHER // (self.paths * self.parameters.most_contracts), 1)
        for first in range(0, len(steps), together):
            some = steps[first : first + together]
            priced = self._priced([step for step in some if step not in self._chains])
            yield from (self._chains.get(step) or priced[step] for step in some)

    def contract_values(
        self, strikes: Floats, expiration: Expiration, *, first: int, stop: int
    ) -> ChosenContracts:
        """What chosen contracts are worth at steps ``first`` to ``stop - 1``, by the smile of each moment, and once
        they have expired by what they are settled at.

        Args:
            strikes: ``[paths, contracts]``.
            expiration: Of all of them.
            first: The first step.
            stop: One past the last step.

        Returns:
            Every number of them, ``[paths, steps, contracts]``, but the quotes.
        """
        steps = range(first, stop)
        if self._simulation.recorded is not None:
            return self._simulation.recorded.chosen(strikes, expiration, steps)
        years = np.array([self.days_to(expiration, step) for step in steps]) / DAYS_PER_YEAR
        self._counts["contracts"] += 2 * self.paths * len(steps) * strikes.shape[1]
        return price_chosen(
            self.parameters,
            spots=self.settled_at(expiration, first=first, stop=stop),
            volatilities=self.volatilities[:, first:stop],
            years=years,
            quoted_at=self._quoted_at(steps),
            strikes=strikes,
        )

    def settled_at(self, expiration: Expiration, *, first: int, stop: int) -> Floats:
        """``[paths, steps]`` the prices at steps ``first`` to ``stop - 1`` by which contracts are valued.

        Those that expired between two steps are settled at the second, by a price that has not fallen by a dividend
        since: of what was exercised the share is another's on the ex-date.
        """
        prices = self.prices[:, first:stop]
        if self.parameters.dividends is None:
            return prices
        drops = drops_of(self.parameters, after=microseconds(expiration.expires_at))
        later = [(step - first, amount) for step, amount in drops if first <= step < stop]
        if later:
            prices = prices.copy()
        for step, amount in later:
            prices[:, step:] += amount
        return prices

    def _quoted_at(self, steps: Sequence[int]) -> Microseconds:
        return np.array([microseconds(self.parameters.simulated_at(step)) for step in steps])

    def _priced(self, steps: Sequence[int]) -> dict[int, PathChains]:
        """The chains at steps, priced in one pass, and kept as long as there is room."""
        if not steps:
            return {}
        if self._simulation.recorded is not None:
            return {step: self._simulation.recorded.of_paths(step, self.paths) for step in steps}
        columns = list(steps)
        chains = price_path_chains(
            self.parameters,
            spots=self.prices[:, columns],
            volatilities=self.volatilities[:, columns],
            days_to_expiration=[
                np.array([self.days_to(each, step) for each in self.expirations(step)]) for step in steps
            ],
            quoted_at=self._quoted_at(steps),
        )
        priced = dict(zip(steps, chains, strict=True))
        contracts = sum(each.strikes.size for each in chains)
        self._counts["contracts"] += 2 * contracts
        if self._counts["kept"] + contracts <= MOST_KEPT_CONTRACTS:
            self._counts["kept"] += contracts
            self._chains.update(priced)
        return priced


Measure: TypeAlias = Callable[[PathBlock], Floats]
"""A function from a block to one number a path, ``[paths]``; its name is `name`, or else ``__name__``."""


def sample_block(
    parameters: SimulationParameters,
    draws: Draws,
    *,
    first_path: int = 0,
    open_stream: OpenStream | None = None,
) -> PathBlock:
    """Simulate the paths of `draws`.

    Args:
        parameters: What to simulate; their seed is not looked at, for the draws have one.
        draws: The random numbers, one path each.
        first_path: Index of their first path.
        open_stream: Makes such draws of another seed, for the other underlyings of a market; None draws them
            independently.

    Raises:
        InvalidInput: The parameters drive a price above 1e12; the field is named.
    """
    numerics.compile_kernels()  # a sweep prices for long
    model = market_of(parameters)
    try:
        path = model.sample(parameters.initial_price, parameters.total_steps, draws)
    except InvalidInput as error:
        raise error.under(f"method.{type(model).__name__}") from error
    path = with_dividends(path, parameters)
    return PathBlock(
        parameters=parameters,
        first_path=first_path,
        prices=path.prices,
        volatilities=path.volatilities,
        others=_others(parameters, first_path, open_stream or partial(_independent, first_path, draws.paths)),
    )


def _independent(first_path: int, paths: int, seed: int) -> Draws:
    return PhiloxDraws(seed, first_path=first_path, paths=paths)


def _others(
    parameters: SimulationParameters, first_path: int, open_stream: OpenStream
) -> tuple[PathBlock, ...]:
    if parameters.underlyings is None:
        return ()
    weights = price_weights_of(parameters)
    return tuple(
        sample_block(
            each,
            CorrelatedDraws(parameters.seed, stream, weights[stream], open_stream),
            first_path=first_path,
        )
        for stream, each in enumerate(others_of(parameters), start=1)
    )
