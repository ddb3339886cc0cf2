"""The workers of the sweep service: each claims a sweep, computes it, and says what became of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from adapters.files.folders import Folder
from optionchain.errors import Defect, InvalidInput, LeaseLost
from optionchain.observing import observed, tell_failure
from optionchain.ports.work import Ending, Lease, WorkLine
from optionchain.sweeps.definition import SweepDefinition
from optionchain.sweeps.engine import Engine
from optionchain.sweeps.index import SweepIndex
from optionchain.sweeps.progress import Progress
from optionchain.sweeps.results import parquet_bytes
from optionchain.sweeps.wire import sweep_from_wire

KIND = "sweep"
# A worker that says nothing for so long is taken for dead. Those that live renew it a few times meanwhile.
LEASE_SECONDS = 60.0
# How soon work is found that nobody has called out.
SECONDS_BETWEEN_LOOKS = 5.0


class Stopped(KeyboardInterrupt):
    """Its caller has had enough, or the service ends; what is done is kept, as after Ctrl-C."""


class SweepWorkers:
    """Threads that run sweeps: so many at a time, and one that ends those that were cancelled while they waited.

    Args:
        line: Of work.
        open_engine: Makes the engine that computes.
        index: The index of sweeps; None keeps none. It is closed with the workers.
        output: Where each sweep is recorded, in a folder of its work's id.
        most_running: Sweeps at a time.
        most_kept: Of those that are over.
    """

    def __init__(
        self,
        line: WorkLine,
        open_engine: Callable[[], Engine],
        index: SweepIndex | None,
        *,
        output: str,
        most_running: int,
        most_kept: int,
    ) -> None:
        self._line = line
        self.open_engine = open_engine
        self._observer = open_engine().observer
        self._index = index
        self._output = output
        self._folder = Folder(output)
        self._most_kept = most_kept
        self._bell = threading.Condition()
        self._rung = 0
        self._leases: dict[str, Lease] = {}
        self._closed = threading.Event()
        self._prune()
        kinds = [*([True] * most_running), False]
        self._threads = [threading.Thread(target=self._serve, args=(kind,), daemon=True) for kind in kinds]
        self._threads.append(threading.Thread(target=self._renew, daemon=True))
        for thread in self._threads:
            thread.start()

    @property
    def is_closing(self) -> bool:
        """Whether nothing more is taken up."""
        return self._closed.is_set()

    def look(self) -> None:
        """Something has come, or is to be ended."""
        with self._bell:
            self._rung += 1
            self._bell.notify_all()

    def close(self) -> None:
        """Stop what runs, and wait for it: it stays in the line."""
        self._closed.set()
        self.look()
        for thread in self._threads:
            thread.join()
        if self._index is not None:
            self._index.close()

    def _serve(self, is_wanted: bool) -> None:
        """Do one sweep after the other; those that nobody wants any more are ended apart, without waiting."""
        while not self.is_closing:
            rung, lease = self._rung, None
            try:
                lease = self._line.claim({KIND}, seconds=LEASE_SECONDS, is_wanted=is_wanted)
            except Exception as error:  # a line that does not answer now is asked again
                tell_failure(self._observer, "work.claim", error)
            if lease is None:
                self._wait(rung, SECONDS_BETWEEN_LOOKS)
                continue
            self._leases[lease.work.id] = lease
            try:
                self._do(lease)
            finally:
                del self._leases[lease.work.id]

    def _renew(self) -> None:
        """Keep the leases of sweeps whose next task takes long."""
        while not self.is_closing:
            for lease in list(self._leases.values()):
                with suppress(Exception):  # the worker hears of it at its next report
                    self._line.report(lease, seconds=LEASE_SECONDS)
            self._closed.wait(LEASE_SECONDS / 4)

    def _wait(self, rung: int, seconds: float) -> None:
        """Until the bell rings that had rung so often, or for some seconds."""
        with self._bell:
            self._bell.wait_for(lambda: self._rung != rung, seconds)

    def _do(self, lease: Lease) -> None:
        state: Ending = "failed"
        table, error = None, None
        try:
            with observed(self._observer, "work.sweep", work=lease.work.id) as operation:
                state, table = self._computed(lease)
                operation.facts["state"] = state
        except LeaseLost:
            return
        except Exception as problem:
            error = str(problem if isinstance(problem, InvalidInput) else Defect())
        with suppress(Exception), observed(self._observer, "work.finish", work=lease.work.id, state=state):
            self._line.finish(lease, state, result=table, error=error)
        self._prune()

    def _computed(self, lease: Lease) -> tuple[Ending, bytes]:
        """How a run ended, and its table."""
        work = lease.work
        result = sweep_from_wire(lease.parameters).run(
            engine=self.open_engine(),
            output=f"{self._output}/{work.id}",
            observer=_Reporter(self._line, lease, lambda: self.is_closing or not work.is_wanted),
            index=None if self._index is None else _OwnedBy(work.owner, self._index),
            # What another release has begun is begun anew: a table is of one computation.
            in_doubt="anew",
        )
        return "succeeded" if result.state == "completed" else "cancelled", parquet_bytes(result.to_arrow())

    def _prune(self) -> None:
        """Forget what is too old, with its folder and its record in the index."""
        for work in self._line.prune(self._most_kept):
            with suppress(FileNotFoundError), observed(self._observer, "sweep.forget", work=work.id):
                self._folder.remove(work.id)
            if self._index is not None:
                with suppress(Exception), observed(self._observer, "sweep.unindex", work=work.id):
                    self._index.forget(f"{self._output}/{work.id}")


class _Reporter:
    """Tells the line how far a sweep is, and stops the sweep when it is not wanted any more.

    Args:
        line: Of work.
        lease: Of the sweep.
        must_stop: Whether it is to stop although it is wanted.
    """

    def __init__(self, line: WorkLine, lease: Lease, must_stop: Callable[[], bool]) -> None:
        self._line = line
        self._lease = lease
        self._must_stop = must_stop

    def started(self, sweep: SweepDefinition, progress: Progress) -> None:
        self.advanced(progress)

    def advanced(self, progress: Progress) -> None:
        work = self._line.report(self._lease, seconds=LEASE_SECONDS, progress=_shown(progress))
        if not work.is_wanted or self._must_stop():
            raise Stopped

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
