"""Sweeps on behalf of HTTP callers: each is a run of the queue of tasks, computed here, and shown from its record."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from actors.shared import check_in_time
from cluster.settings import Settings
from cluster.sweeps.accepting import accepted, prices_of, sweep_id
from cluster.sweeps.computing import Computing, OpenEngine
from cluster.sweeps.locks import Locks
from cluster.sweeps.outcomes import Outcomes
from cluster.sweeps.queue import SweepQueue
from cluster.sweeps.records import SweepRecord, SweepRecords
from cluster.tasks.work import HistoryCalls
from optionchain.context import Context
from optionchain.errors import NotFound, Unavailable
from optionchain.observing import observed
from optionchain.sweeps.index import OpenIndex
from optionchain.sweeps.tables import Format, rendered
from optionchain.tasks import Run
from optionchain.wire.instants import instant_to_wire

OVER = ("completed", "cancelled", "failed")
"""The states in which a shown sweep stays."""


class SweepService:
    """Runs sweeps for callers. Undecorated: `cluster` makes it a Ray actor, tests call it as it is.

    Args:
        open_engine: Makes the engine that computes.
        settings: Limits, the folder of records, and where the queue is.
        open_history: Opens the way to the history service.
        open_index: Makes the index of sweeps; None keeps none.
    """

    def __init__(
        self,
        open_engine: OpenEngine,
        settings: Settings,
        open_history: Callable[[], HistoryCalls],
        open_index: OpenIndex | None = None,
    ) -> None:
        self._settings = settings.sweep
        self._observer = open_engine(lambda: True).observer
        self._index = None if open_index is None else open_index()
        self._closing = threading.Event()
        self._records = SweepRecords(settings.sweep.output, self._observer)
        self._computing = Computing(self._records, settings, open_engine, self._index, self._closing)
        self._queue = SweepQueue(settings, open_history, self._computing.compute, self._observer)
        self._asking = Locks()
        self._at_work, self._change = 0, threading.Condition()
        self._prune()
        self._outcomes = Outcomes(
            self._records,
            self._queue,
            self._asking,
            self._computing.table_so_far,
            self._prune,
            self._observer,
        )

    def call(self, context: Context, method: str, arguments: Sequence[Any]) -> Any:
        """Have a method do what it does, on somebody's behalf.

        Raises:
            Unavailable: The caller gave up before it was begun.
        """
        check_in_time(context, "the sweep service")
        return getattr(self, method)(*arguments)

    def submit(self, owner: str, wire: Mapping[str, Any]) -> dict[str, Any]:
        """Accept a sweep; the same one again is the same, and goes on if it was cancelled or failed.

        Args:
            owner: The caller.
            wire: The sweep.

        Raises:
            InvalidInput: It is wrong, or larger than the limits.
            Overloaded: The caller has too many that are not done.
            Unavailable: The service is being closed, or the queue does not answer.
        """
        sweep = accepted(wire, self._settings)
        if self._closing.is_set():
            raise Unavailable("the sweep service")
        identity = sweep_id(owner, sweep.id)
        with self._asking.held(identity):
            known = self._records.known(identity)
            if known is not None and (known.state == "succeeded" or (known.is_wanted and not known.is_over)):
                return shown(known)
            record, instant = SweepRecord.of(identity, owner, sweep).due_again()
            self._records.begin(record, wire, most_unfinished=self._settings.max_unfinished)
            try:
                self._queue.schedule(owner, identity, record.task, instant)
            except Exception:
                self._take_back(record, known)
                raise
        return shown(record)

    def price(self, owner: str, wire: Mapping[str, Any]) -> int:
        """How many prices a sweep takes that is about to be submitted; 0 for one that was submitted before.

        Args:
            owner: The caller.
            wire: The sweep.

        Raises:
            InvalidInput: It is wrong, or larger than the limits.
        """
        sweep = accepted(wire, self._settings)
        return 0 if self._records.known(sweep_id(owner, sweep.id)) else prices_of(sweep)

    def listed(self, owner: str, offset: int, limit: int) -> tuple[int, list[dict[str, Any]]]:
        """How many sweeps a caller has, and some of them, the latest first."""
        total, some = self._records.listed(owner, offset=offset, limit=limit)
        return total, [shown(record) for record in some]

    def status(self, owner: str, identity: str) -> dict[str, Any]:
        """How far a sweep is.

        Raises:
            NotFound: The caller has none of this id.
        """
        return shown(self._records.find(owner, identity))

    def definition(self, owner: str, identity: str) -> dict[str, Any]:
        """What a sweep computes, as it was submitted: the same again is this sweep.

        Raises:
            NotFound: The caller has none of this id.
        """
        return dict(self._records.definition(owner, identity))

    def statuses(self, asked: Sequence[tuple[str, str]]) -> list[dict[str, Any] | None]:
        """How far the sweeps of some owners and ids are; None of one that is not there."""
        return [self._status_or_none(owner, identity) for owner, identity in asked]

    def cancel(self, owner: str, identity: str) -> dict[str, Any]:
        """Stop a sweep and keep what is done; one that is over stays as it is.

        Raises:
            NotFound: The caller has none of this id.
            Unavailable: The queue does not answer.
        """
        with self._asking.held(identity):
            record = self._records.find(owner, identity)
            if record.is_over:
                return shown(record)
            if record.is_posted:  # else its task is to be due again
                self._queue.cancel(owner, record.task)
            record = replace(self._records.find(owner, identity), is_wanted=False)
            self._records.keep(record)
        self._outcomes.look()
        return shown(record)

    def results(self, owner: str, identity: str, style: Format) -> bytes:
        """The table of a sweep that is over; of a cancelled one, the scenarios that were done.

        Raises:
            NotFound: The caller has none of this id.
            NotOver: It is not over yet.
            HasFailed: It failed.
        """
        return rendered(self._records.table(owner, identity), style)

    def work(self, run: Run) -> Run | None:
        """As `Runner.run`: for the scheduler, which hands the runs of sweeps out to this actor."""
        with self._change:
            if self._closing.is_set():
                raise Unavailable("the sweep service")
            self._at_work += 1
        try:
            return self._queue.work(run)
        finally:
            with self._change:
                self._at_work -= 1
                self._change.notify_all()
            self._outcomes.look()

    def close(self) -> None:
        """Stop what runs, and wait for it; it goes back into the queue, for the next service of this folder."""
        with self._change:
            if self._closing.is_set():
                return
            self._closing.set()
            self._change.wait_for(lambda: not self._at_work)
        self._outcomes.close()
        self._queue.close()
        if self._index is not None:
            self._index.close()

    def _take_back(self, record: SweepRecord, known: SweepRecord | None) -> None:
        """Forget what was not put into the queue, and so was not accepted."""
        with suppress(OSError), observed(self._observer, "sweep.take_back", sweep=record.id):
            if known is None:
                self._records.drop(record.id)
            else:
                self._records.keep(known)

    def _prune(self) -> None:
        """Forget what is too old, with its folder and its record in the index."""
        for record in self._records.prune(self._settings.max_kept):
            if self._index is not None:
                with suppress(Exception), observed(self._observer, "sweep.unindex", sweep=record.id):
                    self._index.forget(self._records.folder_of(record.id))

    def _status_or_none(self, owner: str, identity: str) -> dict[str, Any] | None:
        try:
            return self.status(owner, identity)
        except NotFound:
            return None


def shown(record: SweepRecord) -> dict[str, Any]:
    """What callers see of a sweep."""
    return {
        "id": record.id,
        "state": "completed" if record.state == "succeeded" else record.state,
        "error": record.error,
        "scenarios": record.scenarios,
        "paths": record.paths,
        "submitted_at": _instant(record.submitted_at),
        "ended_at": None if record.ended_at is None else _instant(record.ended_at),
        "progress": None if record.progress is None else dict(record.progress),
    }


def _instant(seconds: float) -> str:
    return instant_to_wire(datetime.fromtimestamp(seconds, UTC))
