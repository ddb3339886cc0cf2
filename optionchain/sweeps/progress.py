"""How far a sweep is, and who is told."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import Protocol

from optionchain.observing import Observer
from optionchain.sweeps.blocks import Outcome
from optionchain.sweeps.definition import SweepDefinition


@dataclass(slots=True, kw_only=True)
class Progress:
    """How far a sweep is.

    Attributes:
        scenarios: That are done, of `total_scenarios`.
        blocks: That are done, of `total_blocks`.
        resumed_blocks: That an earlier run had done.
        paths: Simulated by this run.
        contracts: Priced by this run.
        failures: Scenarios that failed.
        seconds: Since this run began.
    """

    total_scenarios: int
    total_blocks: int
    scenarios: int = 0
    blocks: int = 0
    resumed_blocks: int = 0
    paths: int = 0
    contracts: int = 0
    failures: int = 0
    seconds: float = 0.0
    _began: float = field(default_factory=time.monotonic, repr=False)

    def add(self, outcome: Outcome) -> None:
        """A task is done."""
        self.blocks += outcome.stop - outcome.start
        self.paths += outcome.paths
        self.contracts += outcome.contracts
        self.seconds = time.monotonic() - self._began

    def resume(self, outcome: Outcome) -> None:
        """A task had been done by an earlier run."""
        self.add(outcome)
        self.resumed_blocks += outcome.stop - outcome.start

    @property
    def paths_per_second(self) -> float:
        return self.paths / self.seconds if self.seconds else 0.0

    @property
    def contracts_per_second(self) -> float:
        return self.contracts / self.seconds if self.seconds else 0.0

    @property
    def seconds_left(self) -> float | None:
        """By the pace of this run; None before its first task."""
        computed = self.blocks - self.resumed_blocks
        if not computed:
            return None
        return self.seconds / computed * (self.total_blocks - self.blocks)


class ProgressObserver(Protocol):
    """Told of a sweep's progress; never fails it."""

    def started(self, sweep: SweepDefinition, progress: Progress) -> None:
        """The work begins."""
        ...

    def advanced(self, progress: Progress) -> None:
        """A task is done."""
        ...

    def ended(self, progress: Progress, state: str) -> None:
        """The work is over: ``completed``, ``interrupted`` or ``failed``."""
        ...


class Silent:
    """Tells nobody."""

    def started(self, sweep: SweepDefinition, progress: Progress) -> None:
        return

    def advanced(self, progress: Progress) -> None:
        return

    def ended(self, progress: Progress, state: str) -> None:
        return


class Together:
    """Tells several observers; one that stops the sweep does not keep the others from hearing of its end.

    Args:
        observers: In the order in which they are told.
    """

    def __init__(self, *observers: ProgressObserver) -> None:
        self._observers = observers

    def started(self, sweep: SweepDefinition, progress: Progress) -> None:
        for observer in self._observers:
            observer.started(sweep, progress)

    def advanced(self, progress: Progress) -> None:
        for observer in self._observers:
            observer.advanced(progress)

    def ended(self, progress: Progress, state: str) -> None:
        for observer in self._observers:
            observer.ended(progress, state)


class Counted:
    """Counts for an observer what this run does; what an earlier one had done is not counted again.

    Tells of ``sweep.scenarios``, ``sweep.paths``, ``sweep.contracts`` and ``sweep.failures``, and of the level
    ``sweep.running``: sweeps of this process.

    Args:
        observer: Told.
    """

    COUNTED = ("scenarios", "paths", "contracts", "failures")

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self._before: dict[str, int] | None = None

    def started(self, sweep: SweepDefinition, progress: Progress) -> None:
        self._before = self._now(progress)
        self._observer.counted("sweep.running", _running.changed(+1))

    def advanced(self, progress: Progress) -> None:
        self._count(progress)
        # Again, for a level is forgotten that nobody tells of.
        self._observer.counted("sweep.running", _running.changed(0))

    def ended(self, progress: Progress, state: str) -> None:
        if self._before is not None:
            self._count(progress)
            self._observer.counted("sweep.running", _running.changed(-1))

    def _count(self, progress: Progress) -> None:
        now, before = self._now(progress), self._before or {}
        for name in self.COUNTED:
            self._observer.counted(f"sweep.{name}", now[name] - before.get(name, 0))
        self._before = now

    def _now(self, progress: Progress) -> dict[str, int]:
        return {name: getattr(progress, name) for name in self.COUNTED}


class _Running:
    """How many sweeps this process runs, in threads of their own."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._count = 0

    def changed(self, by: int) -> int:
        with self._lock:
            self._count += by
            return self._count


_running = _Running()
