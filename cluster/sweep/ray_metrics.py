"""The progress of sweeps as metrics, through Ray's agent; they have no labels, however many sweeps there are."""

from __future__ import annotations

import threading
from functools import cache

from ray.util.metrics import Counter, Gauge

from cluster.sweep.definition import Sweep
from cluster.sweep.progress import Progress

COUNTED = ("scenarios", "paths", "contracts", "failures")


class _Series:
    """The series of this process, which its sweeps share."""

    def __init__(self) -> None:
        self._counters = {
            "scenarios": Counter("optionchain_sweep_scenarios", "Scenarios that sweeps have finished"),
            "paths": Counter("optionchain_sweep_paths", "Paths that sweeps have simulated"),
            "contracts": Counter("optionchain_sweep_contracts", "Contracts that sweeps have priced"),
            "failures": Counter("optionchain_sweep_failures", "Scenarios of sweeps that failed"),
        }
        self._gauge = Gauge("optionchain_sweep_running", "Sweeps that run")
        self._lock = threading.Lock()
        self._running = 0

    def add(self, name: str, amount: int) -> None:
        # Ray refuses an increment of zero.
        if amount:
            self._counters[name].inc(amount)

    def run(self, change: int) -> None:
        with self._lock:
            self._running += change
            self._gauge.set(self._running)

    def still_running(self) -> None:
        """Say it again: Ray forgets what a gauge was set to before its last report."""
        self.run(0)


class OnMetrics:
    """An observer that counts what a sweep does; what an earlier run had done is not counted again."""

    def __init__(self) -> None:
        self._counted: dict[str, int] | None = None

    def started(self, sweep: Sweep, progress: Progress) -> None:
        self._counted = _counts(progress)
        _series().run(+1)

    def advanced(self, progress: Progress) -> None:
        self._count(progress)
        _series().still_running()

    def ended(self, progress: Progress, state: str) -> None:
        if self._counted is not None:
            self._count(progress)
            _series().run(-1)

    def _count(self, progress: Progress) -> None:
        now, before = _counts(progress), self._counted or {}
        for name in COUNTED:
            _series().add(name, now[name] - before.get(name, 0))
        self._counted = now


def _counts(progress: Progress) -> dict[str, int]:
    return {name: getattr(progress, name) for name in COUNTED}


@cache
def _series() -> _Series:
    return _Series()
