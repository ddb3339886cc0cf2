"""The names of the Rust service's metrics, for its dashboards and alerts: the same figures under both names."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from cluster.metrics.sums import Samples


@dataclass(frozen=True, kw_only=True)
class Alias:
    """One metric of the Rust service.

    Attributes:
        name: As it is there; of a counter with its `_total`.
        kind: Of the metric.
        of: Ours: the name of a sample, or of a histogram.
        labels: Its labels, and which of ours they are.
        where: Which of our lines belong to it.
    """

    name: str
    kind: str
    of: str
    labels: Mapping[str, str] = field(default_factory=dict)
    where: Callable[[Mapping[str, str]], bool] = lambda _: True

    def samples(self, ours: Samples) -> Samples:
        """Its samples."""
        if self.kind != "histogram":
            return {self.name: ours[self.of].regrouped(self.labels, self.where)}
        buckets = {**self.labels, "le": "le"}
        return {
            self.name + part: ours[self.of + part].regrouped(
                buckets if part == "_bucket" else self.labels, self.where
            )
            for part in ("_bucket", "_sum", "_count")
        }


# Neither is counted there.
PROBES = ("/health", "/ready")


def _is_no_probe(labels: Mapping[str, str]) -> bool:
    return labels["route"] not in PROBES


def _is_error(labels: Mapping[str, str]) -> bool:
    return _is_no_probe(labels) and not labels["status"].startswith("2")


def _is_insert(labels: Mapping[str, str]) -> bool:
    return labels["command"] == "insert" and labels["outcome"] == "ok"


_REQUESTS, _MONGODB = "optionchain_http_request_seconds", "optionchain_mongodb_seconds"
_ENDPOINT = {"endpoint": "route", "method": "method"}

ALIASES: Sequence[Alias] = (
    Alias(
        name="api_requests_total",
        kind="counter",
        of=f"{_REQUESTS}_count",
        labels={**_ENDPOINT, "status": "status"},
        where=_is_no_probe,
    ),
    Alias(
        name="api_request_duration_seconds",
        kind="histogram",
        of=_REQUESTS,
        labels=_ENDPOINT,
        where=_is_no_probe,
    ),
    Alias(
        name="api_errors_total",
        kind="counter",
        of=f"{_REQUESTS}_count",
        labels={"endpoint": "route", "error_type": "status"},
        where=_is_error,
    ),
    Alias(name="active_sessions", kind="gauge", of="optionchain_sessions_alive"),
    Alias(name="session_creations_total", kind="counter", of="optionchain_sessions_created_total"),
    Alias(name="session_deletions_total", kind="counter", of="optionchain_sessions_deleted_total"),
    Alias(
        name="simulation_steps_total",
        kind="counter",
        of="optionchain_steps_total",
        labels={"method": "model"},
    ),
    Alias(name="simulation_step_duration_seconds", kind="histogram", of="optionchain_batch_seconds"),
    Alias(name="cache_hits_total", kind="counter", of="optionchain_cache_hits_total"),
    Alias(name="cache_misses_total", kind="counter", of="optionchain_cache_misses_total"),
    # Of two of its caches, ours is one: paths of both versions of the API.
    Alias(name="simulation_cache_size", kind="gauge", of="optionchain_cached_paths"),
    Alias(name="v2_tape_cache_size", kind="gauge", of="optionchain_cached_paths"),
    Alias(name="v2_snapshot_cache_size", kind="gauge", of="optionchain_cached_snapshots"),
    Alias(name="v2_simulations_expired_total", kind="counter", of="optionchain_sessions_expired_total"),
    Alias(name="memory_usage_bytes", kind="gauge", of="optionchain_process_memory_bytes"),
    Alias(
        name="mongodb_inserts_total",
        kind="counter",
        of=f"{_MONGODB}_count",
        labels={"collection": "collection"},
        where=_is_insert,
    ),
    Alias(
        name="mongodb_insert_duration_seconds",
        kind="histogram",
        of=_MONGODB,
        labels={"collection": "collection"},
        where=_is_insert,
    ),
)
