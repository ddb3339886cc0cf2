"""Where blocks are computed: an engine turns what is pending into outcomes, in any order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from optionchain.observing import Observer, Unobserved
from optionchain.sweeps.blocks import Outcome, PathKeeper, run_and_keep
from optionchain.sweeps.definition import SweepDefinition

# Tasks may grow by this much at a time: the first blocks of a sweep say little of the rest.
_MOST_GROWTH = 4
# The last tasks are this much smaller at most: below, what a task itself costs is more than what it evens out.
_MOST_SHRINKING = 50


class Pending:
    """Hands out runs of blocks that take about the same time.

    The first tasks are one block each: they are the probe.

    Args:
        blocks: Of the sweep.
        done: Ranges ``(start, stop)`` that need no computing.
        seconds_per_task: What a task should take.
    """

    def __init__(
        self, blocks: int, done: Iterable[tuple[int, int]] = (), *, seconds_per_task: float = 1.0
    ) -> None:
        self._ranges = list(reversed(_gaps(blocks, done)))
        self._left = sum(stop - start for start, stop in self._ranges)
        self._seconds_per_task = seconds_per_task
        self._size = 1
        self._seconds_per_block: float | None = None

    @property
    def blocks(self) -> int:
        """That were not handed out."""
        return self._left

    def take(self, workers: int) -> tuple[int, int] | None:
        """The next run of blocks, or None when there are no more.

        Args:
            workers: That share what is left: where there are several, the last tasks are smaller, so that none works
                alone at the end.
        """
        if not self._ranges:
            return None
        start, stop = self._ranges.pop()
        share = self._left if workers == 1 else self._left // (2 * workers)
        size = min(self._size, max(share, self._size // _MOST_SHRINKING, 1))
        if stop - start > size:
            self._ranges.append((start + size, stop))
            stop = start + size
        self._left -= stop - start
        return start, stop

    def observe(self, outcome: Outcome) -> None:
        """Learn from a task what a block costs."""
        seconds = outcome.seconds / (outcome.stop - outcome.start)
        before = self._seconds_per_block
        self._seconds_per_block = seconds if before is None else (before + seconds) / 2
        fitting = int(self._seconds_per_task / max(self._seconds_per_block, 1e-9))
        self._size = max(min(fitting, self._size * _MOST_GROWTH), 1)


class Engine(Protocol):
    """Computes the blocks of a sweep."""

    @property
    def seconds_per_task(self) -> float:
        """What a task should take."""
        ...

    @property
    def observer(self) -> Observer:
        """Told what sweeps do here: ``sweep.run``, ``sweep.task``, ``sweep.index``, and what is counted."""
        ...

    def check(self, sweep: SweepDefinition) -> None:
        """Refuse what cannot be computed here, before any work.

        Raises:
            InvalidInput: The error says what and why.
        """
        ...

    def outcomes(
        self, sweep: SweepDefinition, pending: Pending, keeper: PathKeeper | None
    ) -> Iterator[Outcome]:
        """Compute what is pending. Closing the iterator cancels what is under way.

        Args:
            sweep: Shipped once.
            pending: Hands out the blocks.
            keeper: Takes the paths that are kept; None keeps none.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class InProcess:
    """One block after the other in this process.

    Attributes:
        seconds_per_task: Between two reports of progress.
        observer: Told what sweeps do here.
    """

    seconds_per_task: float = 0.25
    observer: Observer = field(default_factory=Unobserved)

    def check(self, sweep: SweepDefinition) -> None:
        """Everything can be computed here."""

    def outcomes(
        self, sweep: SweepDefinition, pending: Pending, keeper: PathKeeper | None
    ) -> Iterator[Outcome]:
        """As `Engine.outcomes`."""
        while task := pending.take(workers=1):
            outcome = run_and_keep(sweep, *task, keeper)
            pending.observe(outcome)
            yield outcome


def _gaps(blocks: int, done: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """What is left of ``[0, blocks)`` without the ranges that are done."""
    gaps, position = [], 0
    for start, stop in sorted(done):
        if start > position:
            gaps.append((position, start))
        position = max(position, stop)
    if position < blocks:
        gaps.append((position, blocks))
    return gaps
