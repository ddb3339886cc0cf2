"""What a run of the queue does with the sweep of a caller: computes it, shows how far it is, and stops when it must."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeAlias

from cluster.quotas.keeping import spending
from cluster.quotas.opening import open_amounts
from cluster.settings import Settings
from cluster.sweeps.accepting import accepted, prices_of, sweep_id
from cluster.sweeps.locks import Locks
from cluster.sweeps.records import SweepRecord, SweepRecords
from cluster.tasks.sweeps import PostedSweep, SweepParameters, whole_sweep
from cluster.tasks.work import Stopped, Work
from optionchain.access.quotas import Quota
from optionchain.errors import Defect, OptionChainError, Unavailable, WrongState
from optionchain.observing import observed
from optionchain.sweeps.definition import SweepDefinition
from optionchain.sweeps.engine import Engine
from optionchain.sweeps.index import SweepIndex
from optionchain.sweeps.progress import Progress
from optionchain.sweeps.results import parquet_bytes
from optionchain.sweeps.wire import sweep_from_wire

OpenEngine: TypeAlias = Callable[[Callable[[], bool]], Engine]
"""Makes an engine that asks now and then whether it may go on."""
Tell: TypeAlias = Callable[[Mapping[str, Any]], None]
"""Shows how far a sweep is."""


class Computing:
    """Computes the sweeps of callers. Its methods block, and are called from several threads.

    Args:
        records: Of sweeps.
        settings: Of all; the limits of sweeps are among them.
        open_engine: Makes the engine that computes.
        index: The index of sweeps; None keeps none.
        closing: Set when what runs is to go back into the queue.
    """

    def __init__(
        self,
        records: SweepRecords,
        settings: Settings,
        open_engine: OpenEngine,
        index: SweepIndex | None,
        closing: threading.Event,
    ) -> None:
        self._records = records
        self._settings = settings
        self.open_engine = open_engine
        self._observer = open_engine(lambda: True).observer
        self._index = index
        self._closing = closing
        # There is one driver to a folder: who goes on with a sweep waits for who stops.
        self._drivers = Locks()

    def compute(self, work: Work, parameters: SweepParameters | PostedSweep) -> Mapping[str, Any]:
        """What a run of the queue does, and says when it is done.

        Raises:
            Stopped: It is not wanted any more, or another worker has it.
            OptionChainError: It failed; `Unavailable` where another attempt may succeed.
        """
        if isinstance(parameters, PostedSweep):
            record = self._records.find(work.owner, parameters.sweep_id)
        else:
            record = self._of_time(work, parameters)
        work.say(f"sweep {record.id}: {record.scenarios} scenarios of {record.paths} paths")
        if record.run != work.run.id:
            raise WrongState("sweep", record.id, "is computed by another run: post it again")
        with self._drivers.held(record.id, lambda: self._check(work, record.id)):
            record = self._check(work, record.id)
            if record.state != "succeeded":
                self._go_on(work, record)
        return {"sweep_id": record.id, "scenarios": record.scenarios, "paths": record.paths}

    def table_so_far(self, record: SweepRecord) -> bytes:
        """The table of what is done of a sweep."""
        return self._computed(record, lambda: False)[1]

    def _go_on(self, work: Work, record: SweepRecord) -> None:
        if record.is_over:  # its run was requeued
            record = replace(record, state="queued", error=None, ended_at=None)
            self._records.keep(record)
        self._records.moved(record.id, record.run, "running")
        try:
            with observed(self._observer, "sweep.compute", sweep=record.id, run=record.run):
                is_complete, table = self._computed(record, lambda: self._may_go_on(work, record.id))
        except OptionChainError:
            raise
        except Exception as error:  # its owner is told no details, and another attempt would not help
            raise Defect from error
        self._check(work, record.id)
        if not is_complete:
            raise Unavailable("the sweep service")
        self._records.keep_table(record.id, table)

    def _computed(self, record: SweepRecord, may_go_on: Callable[[], bool]) -> tuple[bool, bytes]:
        """Whether a sweep is complete, and the table of what is done of it."""
        result = sweep_from_wire(self._records.definition(record.owner, record.id)).run(
            engine=self.open_engine(may_go_on),
            output=self._records.folder_of(record.id),
            observer=_Reporter(
                lambda progress: self._records.moved(record.id, record.run, "running", progress), may_go_on
            ),
            index=None if self._index is None else _OwnedBy(record.owner, self._index),
            # What another release has begun is begun anew: a table is of one computation.
            in_doubt="anew",
        )
        return result.state == "completed", parquet_bytes(result.to_arrow())

    def _of_time(self, work: Work, parameters: SweepParameters) -> SweepRecord:
        """The record of a scheduled sweep: another one for each run, the same at every attempt."""
        identity = sweep_id(work.owner, work.run.id)
        known = self._records.known(identity)
        if known is not None:
            return known
        wire = whole_sweep(work, parameters)
        sweep = accepted(wire, self._settings.sweep)
        record = SweepRecord.of(identity, work.owner, sweep, task=work.run.task_id, run=work.run.id)

        async def begin() -> None:
            async with (
                open_amounts(self._settings) as quotas,
                spending(quotas, work.owner, Quota.SWEEP_PRICES, prices_of(sweep)),
            ):
                self._records.begin(record, wire)

        asyncio.run(begin())
        return record

    def _may_go_on(self, work: Work, identity: str) -> bool:
        try:
            self._check(work, identity)
        except (Stopped, Unavailable):
            return False
        return True

    def _check(self, work: Work, identity: str) -> SweepRecord:
        """The record of a sweep that is to go on; its owner's last word is known here before the worker hears of it."""
        work.check()
        record = self._records.known(identity)
        if record is None or record.run != work.run.id or not record.is_wanted:
            raise Stopped
        if self._closing.is_set():
            raise Unavailable("the sweep service")
        return record


class _Stopped(KeyboardInterrupt):
    """It must stop; what is done is kept, as after Ctrl-C."""


class _Reporter:
    def __init__(self, tell: Tell, may_go_on: Callable[[], bool]) -> None:
        self._tell = tell
        self._may_go_on = may_go_on

    def started(self, sweep: SweepDefinition, progress: Progress) -> None:
        self.advanced(progress)

    def advanced(self, progress: Progress) -> None:
        self._tell(_shown(progress))
        if not self._may_go_on():
            raise _Stopped

    def ended(self, progress: Progress, state: str) -> None:
        return


class _OwnedBy:
    """An index whose records say whose they are.

    Args:
        owner: The caller.
        index: The index, which is closed by whoever opened it.
    """

    def __init__(self, owner: str, index: SweepIndex) -> None:
        self._owner = owner
        self._index = index
        self.forget = index.forget

    def record(self, sweep: str, folder: str | None, facts: Mapping[str, Any]) -> None:
        """As `SweepIndex.record`."""
        self._index.record(sweep, folder, {**facts, "owner": self._owner})

    def close(self) -> None:
        """It is closed by whoever opened it."""


def _shown(progress: Progress) -> dict[str, Any]:
    return {
        "scenarios": progress.scenarios,
        "failures": progress.failures,
        "share": progress.blocks / progress.total_blocks,
        "paths": progress.paths,
        "contracts": progress.contracts,
        "paths_per_second": progress.paths_per_second,
        "contracts_per_second": progress.contracts_per_second,
        "seconds": progress.seconds,
        "seconds_left": progress.seconds_left,
    }
