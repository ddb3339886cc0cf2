"""Sweeps on behalf of HTTP callers: accepted, put in line, shown; `SweepWorkers` does them."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from actors.shared import check_in_time
from adapters.files.work_folders import WorkFolders
from cluster.sweeps.settings import SweepSettings
from cluster.sweeps.workers import KIND, SweepWorkers
from optionchain.context import Context
from optionchain.errors import InvalidInput, NotFound, Unavailable
from optionchain.ports.work import Work, WorkLine
from optionchain.sweeps.definition import SweepDefinition
from optionchain.sweeps.engine import Engine
from optionchain.sweeps.index import OpenIndex
from optionchain.sweeps.run import check_measures
from optionchain.sweeps.sweep import Sweep
from optionchain.sweeps.tables import Format, rendered
from optionchain.sweeps.wire import Limits, sweep_from_wire
from optionchain.wire.instants import instant_to_wire

OVER = ("completed", "cancelled", "failed")
"""The states in which a shown sweep stays."""


class SweepService:
    """Runs sweeps for callers. Undecorated: `cluster` makes it a Ray actor, tests call it as it is.

    Args:
        open_engine: Makes the engine that computes.
        settings: Limits, and the folder whose unfinished sweeps are taken up again.
        open_index: Makes the index of sweeps; None keeps none.
    """

    def __init__(
        self,
        open_engine: Callable[[], Engine],
        settings: SweepSettings,
        open_index: OpenIndex | None = None,
    ) -> None:
        self._settings = settings
        self._line: WorkLine = WorkFolders(settings.output, KIND, observer=open_engine().observer)
        self._workers = SweepWorkers(
            self._line,
            open_engine,
            None if open_index is None else open_index(),
            output=settings.output,
            most_running=settings.max_running,
            most_kept=settings.max_kept,
        )

    def call(self, context: Context, method: str, arguments: Sequence[Any]) -> Any:
        """Have a method do what it does, on somebody's behalf.

        Raises:
            Unavailable: The caller gave up before it was begun.
        """
        check_in_time(context, "the sweep service")
        return getattr(self, method)(*arguments)

    def submit(self, owner: str, wire: Mapping[str, Any], run: str | None = None) -> dict[str, Any]:
        """Accept a sweep; the same one again is the same, and goes on if it was cancelled or failed.

        Args:
            owner: The caller.
            wire: The sweep.
            run: Of a task, that it is a part of: then the run decides which sweep it is, and not the definition.

        Raises:
            InvalidInput: It is wrong, or larger than the limits.
            Overloaded: The caller has too many that are not done.
            Unavailable: The service is being closed.
        """
        sweep = accepted(wire, self._settings)
        if self._workers.is_closing:
            raise Unavailable("the sweep service")
        facts = {"scenarios": len(sweep.plan), "paths": sweep.paths}
        work = Work(id=job_id(owner, sweep, run), kind=KIND, owner=owner, facts=facts)
        submitted = self._line.submit(work, wire, most_unfinished=self._settings.max_unfinished)
        self._workers.look()
        return shown(submitted)

    def price(self, owner: str, wire: Mapping[str, Any], run: str | None = None) -> int:
        """How many prices a sweep takes that is about to be submitted; 0 for one that was submitted before.

        Args:
            owner: The caller.
            wire: The sweep.
            run: As of `submit`.

        Raises:
            InvalidInput: It is wrong, or larger than the limits.
        """
        sweep = accepted(wire, self._settings)
        if self._status_or_none(owner, job_id(owner, sweep, run)) is not None:
            return 0
        return len(sweep.plan) * sweep.paths * sweep.base.total_steps

    def listed(self, owner: str, offset: int, limit: int) -> tuple[int, list[dict[str, Any]]]:
        """How many sweeps a caller has, and some of them, the latest first."""
        total, some = self._line.listed(owner, offset=offset, limit=limit)
        return total, [shown(work) for work in some]

    def status(self, owner: str, identity: str) -> dict[str, Any]:
        """How far a sweep is.

        Raises:
            NotFound: The caller has none of this id.
        """
        return shown(self._line.find(owner, identity))

    def definition(self, owner: str, identity: str) -> dict[str, Any]:
        """What a sweep computes, as it was submitted: the same again is this sweep.

        Raises:
            NotFound: The caller has none of this id.
        """
        return dict(self._line.parameters(owner, identity))

    def statuses(self, asked: Sequence[tuple[str, str]]) -> list[dict[str, Any] | None]:
        """How far the sweeps of some owners and ids are; None of one that is not there."""
        return [self._status_or_none(owner, identity) for owner, identity in asked]

    def cancel(self, owner: str, identity: str) -> dict[str, Any]:
        """Stop a sweep and keep what is done; one that is over stays as it is.

        Raises:
            NotFound: The caller has none of this id.
        """
        work = self._line.cancel(owner, identity)
        self._workers.look()
        return shown(work)

    def results(self, owner: str, identity: str, style: Format) -> bytes:
        """The table of a sweep that is over; of a cancelled one, the scenarios that were done.

        Raises:
            NotFound: The caller has none of this id.
            NotOver: It is not over yet.
            HasFailed: It failed.
        """
        return rendered(self._line.result(owner, identity), style)

    def close(self) -> None:
        """Stop what runs, and wait for it; it is taken up again by the next service of this folder."""
        self._workers.close()

    def _status_or_none(self, owner: str, identity: str) -> dict[str, Any] | None:
        try:
            return self.status(owner, identity)
        except NotFound:
            return None


def accepted(wire: Mapping[str, Any], settings: SweepSettings) -> Sweep:
    """A sweep that callers may have computed.

    Raises:
        InvalidInput: It is wrong, or larger than the limits.
    """
    limits = Limits(
        scenarios=settings.max_scenarios, prices=settings.max_prices, numbers=settings.max_numbers
    )
    if wire.get("keep", "statistics") not in ("statistics", None):
        raise InvalidInput("keep", "must be statistics over HTTP")
    sweep = sweep_from_wire(wire, limits=limits)
    check_measures(sweep)
    return sweep


def job_id(owner: str, sweep: SweepDefinition, run: str | None = None) -> str:
    """A UUID that follows from the caller and the definition, or from the run of a task."""
    digest = hashlib.sha256(f"{owner}\0{sweep.id if run is None else run}".encode()).digest()
    return str(uuid.UUID(bytes=digest[:16], version=5))


def shown(work: Work) -> dict[str, Any]:
    """What callers see of a sweep."""
    return {
        "id": work.id,
        "state": "completed" if work.state == "succeeded" else work.state,
        "error": work.error,
        "scenarios": work.facts.get("scenarios"),
        "paths": work.facts.get("paths"),
        "submitted_at": _instant(work.submitted_at),
        "ended_at": None if work.ended_at is None else _instant(work.ended_at),
        "progress": None if work.progress is None else dict(work.progress),
    }


def _instant(seconds: float) -> str:
    return instant_to_wire(datetime.fromtimestamp(seconds, UTC))
