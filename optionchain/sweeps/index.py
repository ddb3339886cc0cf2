"""An index of sweeps: one record each, so that what ran where, and how far it is, can be found without its folder."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Protocol, TypeAlias

import orjson

from optionchain.observing import Observer, observed
from optionchain.patience import SILENT_INDEX_SECONDS
from optionchain.sweeps.definition import SweepDefinition, identity_of
from optionchain.sweeps.progress import Progress

SECONDS_BETWEEN_RECORDS = 5.0


class SweepIndex(Protocol):
    """Keeps one record a sweep and folder."""

    def record(self, sweep: str, folder: str | None, facts: Mapping[str, Any]) -> None:
        """Make the record, or change it; when it was first made is kept as ``started_at``.

        Args:
            sweep: The sweep's id.
            folder: Where it is recorded; None where it is not.
            facts: Numbers, texts, instants, None.

        Raises:
            Unavailable: The index does not answer.
        """
        ...

    def forget(self, folder: str) -> None:
        """Remove the records of the sweeps below a folder.

        Raises:
            Unavailable: The index does not answer.
        """
        ...

    def close(self) -> None:
        """Release what it holds."""
        ...


OpenIndex: TypeAlias = Callable[[], SweepIndex]


class InIndex:
    """An observer that keeps a sweep's record: when it starts, every few seconds, and when it ends.

    Args:
        index: Where; when it fails, the sweep goes on without it.
        folder: Where the sweep is recorded.
        observer: Told of each record, ``sweep.index``, and of its failure.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        index: SweepIndex,
        folder: str | None,
        observer: Observer,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._index = index
        self._folder = folder
        self._observer = observer
        self._clock = clock
        self._next = clock()
        self._id: str | None = None

    def started(self, sweep: SweepDefinition, progress: Progress) -> None:
        description = sweep.description()
        self._id = identity_of(description)
        definition = orjson.dumps(description, option=orjson.OPT_SORT_KEYS).decode()
        self._record(progress, "running", symbol=sweep.base.symbol, definition=definition, owner=None)

    def advanced(self, progress: Progress) -> None:
        if self._clock() >= self._next:
            self._record(progress, "running")

    def ended(self, progress: Progress, state: str) -> None:
        self._record(progress, state)

    def _record(self, progress: Progress, state: str, **facts: Any) -> None:
        if self._id is None:
            return
        pause = SILENT_INDEX_SECONDS
        # Whatever is wrong with the index, a sweep of hours is not to be lost by it.
        with suppress(Exception), observed(self._observer, "sweep.index", sweep=self._id, state=state):
            self._index.record(self._id, self._folder, {**facts, **_facts(progress), "state": state})
            pause = SECONDS_BETWEEN_RECORDS
        self._next = self._clock() + pause


def _facts(progress: Progress) -> dict[str, Any]:
    return {
        "scenarios": progress.scenarios,
        "total_scenarios": progress.total_scenarios,
        "failures": progress.failures,
        "blocks": progress.blocks,
        "total_blocks": progress.total_blocks,
        "updated_at": datetime.now(UTC),
    }
