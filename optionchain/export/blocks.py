"""The steps of a simulation in blocks: enough at a time for fast pricing and writing, and no more."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

import numpy as np

from optionchain.arrays import Floats, Steps
from optionchain.chains.block import ChainBlock, build_block
from optionchain.chains.recorded import RecordedChains
from optionchain.errors import InvalidInput
from optionchain.expirations import Expiration, ExpirationPlan
from optionchain.expirations.listing import (
    ExpirationLister,
    Listing,
    Microseconds,
    microseconds,
    single_listing,
)
from optionchain.parameters import SimulationParameters, SingleExpiration


class Simulated(Protocol):
    """What rows are made of: a `Simulation`, which gives itself as a table and so cannot be named here."""

    parameters: SimulationParameters

    @property
    def prices(self) -> Steps:
        """``[steps]`` of the underlying."""
        ...

    @property
    def volatilities(self) -> Steps:
        """``[steps]`` annualised, at the money."""
        ...

    def ladder_prices(self, steps: range) -> Floats | None:
        """``[2, steps]`` between which prices strikes are listed; None where that is each step's own."""
        ...

    @property
    def others(self) -> tuple[Simulated, ...]:
        """The further underlyings of a market."""
        ...

    @property
    def recorded(self) -> RecordedChains | None:
        """The chains of stored days; None where they are priced."""
        ...

    def expirations(self, step: int) -> tuple[Expiration, ...]:
        """The expirations listed at a step."""
        ...


# The last whole second before nanoseconds from 1970 leave 64 bits.
LAST_NANOSECOND = datetime(2262, 4, 11, 23, 47, 16, tzinfo=UTC)


@dataclass(frozen=True, slots=True, eq=False)
class StepBlock:
    """Consecutive steps of a simulation.

    Attributes:
        simulation: The simulation.
        steps: Which of its steps.
    """

    simulation: Simulated
    steps: range

    @property
    def instants(self) -> list[datetime]:
        """The simulated instant of each step."""
        return [self.simulation.parameters.simulated_at(step) for step in self.steps]

    @property
    def simulated_at(self) -> Microseconds:
        """``[steps]`` the simulated instants, in microseconds from 1970."""
        return np.array([microseconds(instant) for instant in self.instants])

    @property
    def prices(self) -> Steps:
        """``[steps]`` of the underlying."""
        return self.simulation.prices[self.steps.start : self.steps.stop]

    @property
    def volatilities(self) -> Steps:
        """``[steps]`` annualised, at the money."""
        return self.simulation.volatilities[self.steps.start : self.steps.stop]


def check_nanoseconds(simulation: Simulated, steps: range, field: str, what: str) -> None:
    """Refuse what counts nanoseconds where an instant of these steps is beyond them.

    Raises:
        InvalidInput: It is; the error names `field` and says `what`.
    """
    latest = max(
        simulation.parameters.simulated_at(steps[-1]), simulation.expirations(steps[-1])[-1].expires_at
    )
    if latest > LAST_NANOSECOND:
        raise InvalidInput(field, f"{what} ends in the year {LAST_NANOSECOND.year}: choose fewer steps")


def step_blocks(simulation: Simulated, steps: range, size: int) -> Iterator[StepBlock]:
    """Cut consecutive steps into blocks of `size`, the last one as it comes."""
    for start in range(0, len(steps), size):
        yield StepBlock(simulation, steps[start : start + size])


def chain_blocks(
    simulation: Simulated, steps: range, contracts: int
) -> Iterator[tuple[StepBlock, ChainBlock]]:
    """The option chains of consecutive steps, in blocks of up to `contracts` contracts, or of one step.

    Raises:
        InvalidInput: The parameters lead a chain out of range.
    """
    size = max(contracts // simulation.parameters.most_contracts, 1)
    if simulation.recorded is not None:
        for block in step_blocks(simulation, steps, size):
            yield block, simulation.recorded.block(block.steps)
        return
    for block, quote_times, listing in _listed(simulation, step_blocks(simulation, steps, size)):
        yield (
            block,
            build_block(
                simulation.parameters,
                quote_times=quote_times,
                spots=block.prices,
                base_volatilities=block.volatilities,
                listing=listing,
                centres=simulation.ladder_prices(block.steps),
            ),
        )


def _listed(
    simulation: Simulated, blocks: Iterable[StepBlock]
) -> Iterator[tuple[StepBlock, Microseconds, Listing]]:
    """Each block with its quote times and its expirations."""
    parameters = simulation.parameters
    if isinstance(parameters.expirations, SingleExpiration):
        expires_at = parameters.expirations.expires_at(parameters.start_at)
        for block in blocks:
            # The last snapshot may lie after the expiry; its quotes are those at the expiry.
            quote_times = np.minimum(block.simulated_at, microseconds(expires_at))
            yield block, quote_times, single_listing(expires_at, len(block.steps))
        return
    lister = ExpirationLister(ExpirationPlan(parameters.expirations))
    for block in blocks:
        yield block, block.simulated_at, lister.list(block.instants)
