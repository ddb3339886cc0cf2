"""Brings the records of sweeps up to what became of their runs: whoever ended them, and whoever died meanwhile."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from cluster.sweeps.locks import Locks
from cluster.sweeps.queue import SweepQueue
from cluster.sweeps.records import SweepRecord, SweepRecords
from optionchain.errors import OptionChainError, Unavailable
from optionchain.observing import Observer, tell_failure
from optionchain.tasks import Run

# How soon is seen here what became of a run elsewhere: that the scheduler ended it, that its task was cancelled.
SECONDS_BETWEEN_LOOKS = 5.0


class Outcomes:
    """A thread that looks at the runs of all sweeps that are not over, now and then, and when it is told to.

    Args:
        records: Of sweeps.
        queue: Of their runs.
        asking: Held while something is asked for a sweep.
        table_so_far: Makes the table of a sweep that was cancelled.
        ended: Called when sweeps have ended.
        observer: Told of failures.
    """

    def __init__(
        self,
        records: SweepRecords,
        queue: SweepQueue,
        asking: Locks,
        table_so_far: Callable[[SweepRecord], bytes],
        ended: Callable[[], object],
        observer: Observer,
    ) -> None:
        self._records = records
        self._queue = queue
        self._asking = asking
        self._table_so_far = table_so_far
        self._ended = ended
        self._observer = observer
        self._bell, self._is_over = threading.Event(), False
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()

    def look(self) -> None:
        """Look soon."""
        self._bell.set()

    def close(self) -> None:
        """Look no more."""
        self._is_over = True
        self._bell.set()
        self._thread.join()

    def _follow(self) -> None:
        while not self._is_over:
            self._bell.clear()
            with suppress(Unavailable):  # the queue is silent, as others tell
                self._look()
            self._bell.wait(SECONDS_BETWEEN_LOOKS)

    def _look(self) -> None:
        records = self._records.unfinished()
        runs = self._queue.runs([record.run for record in records]) if records else {}
        for record in records:
            try:
                self._bring_up(record, runs.get(record.run))
            except Unavailable:
                raise
            except Exception as error:  # this one is tried again
                tell_failure(self._observer, "sweep.bring_up", error)
        self._ended()

    def _bring_up(self, seen: SweepRecord, run: Run | None) -> None:
        with self._asking.held(seen.id):
            record = self._records.known(seen.id)
            if record is None or record.run != seen.run or record.is_over:
                return
            if run is None:
                self._without_run(record)
            elif run.state == "cancelled":
                self._cancelled(record)
            elif run.is_over:
                self._over(record, run.state, run.error)
            elif run.state == "running" or run.attempts:
                self._records.moved(record.id, run.id, "running" if run.state == "running" else "queued")

    def _without_run(self, record: SweepRecord) -> None:
        """It has yet to be due, or was cancelled before; or nobody knows of it, and it must be put in line again."""
        task = self._queue.task(record.owner, record.task) if record.task else None
        if not record.is_wanted or (task is not None and task.state == "cancelled"):
            self._cancelled(record)
        elif task is None or (task.state == "ended" and not self._queue.runs([record.run])):
            # An actor died just before; or an earlier release has recorded it.
            record, instant = record.due_again()
            self._records.keep(record)
            self._queue.schedule(record.owner, record.id, record.task, instant)

    def _cancelled(self, record: SweepRecord) -> None:
        """Keep the table of what was done before."""
        with suppress(OptionChainError):  # this release does not know the definition
            self._records.keep_table(record.id, self._table_so_far(record))
        self._over(self._records.known(record.id) or record, "cancelled")

    def _over(self, record: SweepRecord, state: str, error: str | None = None) -> None:
        self._records.keep(replace(record, state=state, error=error, ended_at=time.time()))
