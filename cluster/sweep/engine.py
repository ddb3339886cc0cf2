"""Where blocks are computed: an engine turns what is pending into outcomes, in any order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from cluster.sweep.blocks import Outcome
from cluster.sweep.definition import Sweep
from cluster.sweep.kept_paths import run_and_keep
from cluster.sweep.pending import Pending
from cluster.sweep.progress import Observer


class Engine(Protocol):
    """Computes the blocks of a sweep."""

    @property
    def seconds_per_task(self) -> float:
        """What a task should take."""
        ...

    def observers(self) -> Sequence[Observer]:
        """Whoever else is to be told of a sweep that is computed here."""
        ...

    def check(self, sweep: Sweep) -> None:
        """Refuse what cannot be computed here, before any work.

        Raises:
            InvalidInput: The error says what and why.
        """
        ...

    def outcomes(self, sweep: Sweep, pending: Pending, folder: str | None) -> Iterator[Outcome]:
        """Compute what is pending. Closing the iterator cancels what is under way.

        Args:
            sweep: Shipped once.
            pending: Hands out the blocks.
            folder: Where kept paths go; None keeps none.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class InProcess:
    """One block after the other in this process.

    Attributes:
        seconds_per_task: Between two reports of progress.
    """

    seconds_per_task: float = 0.25

    def observers(self) -> Sequence[Observer]:
        """Nobody."""
        return ()

    def check(self, sweep: Sweep) -> None:
        """Everything can be computed here."""

    def outcomes(self, sweep: Sweep, pending: Pending, folder: str | None) -> Iterator[Outcome]:
        """As `Engine.outcomes`."""
        while task := pending.take(workers=1):
            outcome = run_and_keep(sweep, *task, folder)
            pending.observe(outcome)
            yield outcome
