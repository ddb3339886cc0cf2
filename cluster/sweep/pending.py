"""Which blocks of a sweep are still to be computed, and how many make a task."""

from __future__ import annotations

from collections.abc import Iterable

from cluster.sweep.blocks import Outcome

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
