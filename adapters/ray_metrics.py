"""Metrics through Ray's agent, which Prometheus scrapes; every label is from a bounded set."""

from __future__ import annotations

from ray.util.metrics import Counter, Gauge, Histogram

# From the 50 us of a warm call to the seconds of a store that hangs.
SECONDS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0]
SIZES = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0]


class RaySessionMetrics:
    """The `SessionMetrics` of one process."""

    def __init__(self) -> None:
        self._batch_size = Histogram("optionchain_batch_size", "Calls served together", SIZES)
        self._batch_seconds = Histogram("optionchain_batch_seconds", "Time to serve a batch", SECONDS)
        self._commit_size = Histogram("optionchain_commit_size", "Checkpoints stored together", SIZES)
        self._commit_seconds = Histogram("optionchain_commit_seconds", "Time to store checkpoints", SECONDS)
        self._steps = Counter("optionchain_steps", "Snapshots that moved a cursor")
        self._cache_hits = Counter("optionchain_snapshot_cache_hits", "Snapshots that were cached")
        self._activations = Counter("optionchain_activations", "Sessions loaded from the store")
        self._evictions = Counter("optionchain_evictions", "Sessions that left memory")
        self._conflicts = Counter("optionchain_conflicts", "Checkpoints refused: another writer was first")
        self._resident = Gauge("optionchain_resident_sessions", "Sessions in memory")

    def batch(self, calls: int, seconds: float) -> None:
        self._batch_size.observe(calls)
        self._batch_seconds.observe(seconds)

    def commit(self, checkpoints: int, seconds: float) -> None:
        self._commit_size.observe(checkpoints)
        self._commit_seconds.observe(seconds)

    def snapshots(self, *, served: int, cached: int) -> None:
        _add(self._steps, served)
        _add(self._cache_hits, cached)

    def activated(self, sessions: int) -> None:
        _add(self._activations, sessions)

    def evicted(self, sessions: int) -> None:
        _add(self._evictions, sessions)

    def conflicts(self, sessions: int) -> None:
        _add(self._conflicts, sessions)

    def resident(self, sessions: int) -> None:
        self._resident.set(sessions)


def _add(counter: Counter, amount: int) -> None:
    # Ray refuses an increment of zero.
    if amount:
        counter.inc(amount)
