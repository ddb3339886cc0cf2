"""What the observer is told, as metrics through Ray's agent, which Prometheus scrapes: one line a metric.

Every label is from a bounded set. A metric is made when it is first told of, so that no process has those of another.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

from ray.util.metrics import Counter, Gauge, Histogram

from optionchain.observing import Operation

# From the 50 us of a warm call to the seconds of a store that hangs.
SECONDS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0]
SIZES = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0]


@dataclass(frozen=True)
class Duration:
    """How long an operation takes that ends as it should."""

    of: str
    name: str
    description: str

    def observe(self, operation: Operation) -> None:
        self._histogram.observe(operation.seconds)

    @cached_property
    def _histogram(self) -> Histogram:
        return Histogram(self.name, self.description, SECONDS)


@dataclass(frozen=True)
class Size:
    """A fact of an operation that ends as it should: how many of something it was about."""

    of: str
    fact: str
    name: str
    description: str

    def observe(self, operation: Operation) -> None:
        self._histogram.observe(float(operation.facts[self.fact] or 0))

    @cached_property
    def _histogram(self) -> Histogram:
        return Histogram(self.name, self.description, SIZES)


@dataclass(frozen=True)
class Count:
    """How many of something happened."""

    of: str
    name: str
    description: str
    labels: tuple[str, ...] = ()

    def told(self, amount: float, labels: dict[str, str]) -> None:
        # Ray refuses an increment of zero.
        if amount:
            self._counter.inc(amount, labels)

    @cached_property
    def _counter(self) -> Counter:
        return Counter(self.name, self.description, self.labels)


@dataclass(frozen=True)
class Level:
    """How many of something there are."""

    of: str
    name: str
    description: str
    labels: tuple[str, ...] = ()

    def told(self, amount: float, labels: dict[str, str]) -> None:
        self._gauge.set(amount, labels)

    @cached_property
    def _gauge(self) -> Gauge:
        return Gauge(self.name, self.description, self.labels)


Metric: TypeAlias = Duration | Size | Count | Level

METRICS: Sequence[Metric] = (
    Size("session.batch", "calls", "optionchain_batch_size", "Calls served together"),
    Duration("session.batch", "optionchain_batch_seconds", "Time to serve a batch"),
    Size("session.commit", "checkpoints", "optionchain_commit_size", "Checkpoints stored together"),
    Duration("session.commit", "optionchain_commit_seconds", "Time to store checkpoints"),
    Count("session.steps", "optionchain_steps", "Snapshots that moved a cursor"),
    Count("session.snapshots_cached", "optionchain_snapshot_cache_hits", "Snapshots that were cached"),
    Count(
        "session.snapshots_found", "optionchain_shared_snapshot_hits", "Snapshots that others had rendered"
    ),
    Count("session.activated", "optionchain_activations", "Sessions loaded from the store"),
    Count("session.evicted", "optionchain_evictions", "Sessions that left memory"),
    Count("session.conflicts", "optionchain_conflicts", "Checkpoints refused: another writer was first"),
    Level("session.resident", "optionchain_resident_sessions", "Sessions in memory"),
    Count("sweep.scenarios", "optionchain_sweep_scenarios", "Scenarios that sweeps have finished"),
    Count("sweep.paths", "optionchain_sweep_paths", "Paths that sweeps have simulated"),
    Count("sweep.contracts", "optionchain_sweep_contracts", "Contracts that sweeps have priced"),
    Count("sweep.failures", "optionchain_sweep_failures", "Scenarios of sweeps that failed"),
    Level("sweep.running", "optionchain_sweep_running", "Sweeps that run"),
)


class RayMetrics:
    """The observer that keeps metrics, of one process; what no metric is about it does not hear.

    Args:
        metrics: One entry each.
    """

    def __init__(self, metrics: Sequence[Metric] = METRICS) -> None:
        self._of_operations: defaultdict[str, list[Duration | Size]] = defaultdict(list)
        self._of_quantities: dict[str, Count | Level] = {}
        for metric in metrics:
            if isinstance(metric, Count | Level):
                self._of_quantities[metric.of] = metric
            else:
                self._of_operations[metric.of].append(metric)

    def started(self, operation: Operation) -> None:
        pass

    def finished(self, operation: Operation) -> None:
        for metric in self._of_operations.get(operation.name, ()):
            metric.observe(operation)

    def failed(self, operation: Operation, error: BaseException) -> None:
        pass

    def counted(self, quantity: str, amount: float = 1.0, **labels: str) -> None:
        metric = self._of_quantities.get(quantity)
        if metric is not None:
            metric.told(amount, labels)
