"""The table of metrics: names that dashboards go by, conventions, and the page that documents it."""

from __future__ import annotations

import re
from pathlib import Path

import make_metrics
import pytest

from adapters.metrics.rows import Count, Histogram, Level, Row
from adapters.metrics.table import METRICS
from cluster.metrics.aliases import ALIASES

# As they were when they were first documented: dashboards and alerts go by them.
NAMES = {
    "optionchain_batch_size",
    "optionchain_batch_seconds",
    "optionchain_commit_size",
    "optionchain_commit_seconds",
    "optionchain_steps",
    "optionchain_snapshot_cache_hits",
    "optionchain_activations",
    "optionchain_evictions",
    "optionchain_conflicts",
    "optionchain_resident_sessions",
    "optionchain_sweep_scenarios",
    "optionchain_sweep_paths",
    "optionchain_sweep_contracts",
    "optionchain_sweep_failures",
    "optionchain_sweep_running",
}
# What the Rust service registers (src/infrastructure/telemetry/collector.rs), with its labels.
RUST = {
    "api_requests_total": ("endpoint", "method", "status"),
    "api_request_duration_seconds": ("endpoint", "method"),
    "api_errors_total": ("endpoint", "error_type"),
    "active_sessions": (),
    "session_creations_total": (),
    "session_deletions_total": (),
    "simulation_steps_total": ("method",),
    "simulation_step_duration_seconds": (),
    "cache_hits_total": (),
    "cache_misses_total": (),
    "simulation_cache_size": (),
    "v2_tape_cache_size": (),
    "v2_snapshot_cache_size": (),
    "v2_simulations_expired_total": (),
    "memory_usage_bytes": (),
    "mongodb_inserts_total": ("collection",),
    "mongodb_insert_duration_seconds": ("collection",),
}


def test_the_metrics_that_there_have_always_been() -> None:
    assert {row.name for row in METRICS} >= NAMES


@pytest.mark.parametrize("row", METRICS, ids=lambda row: f"{row.of}-{row.name}")
def test_names_follow_the_conventions(row: Row) -> None:
    assert re.fullmatch(r"optionchain(_[a-z]+)+", row.name)
    # Prometheus adds these itself; and of `_count` the scrape takes the `_total` off again.
    assert not re.search(r"_(total|count|sum|bucket)$", row.name)
    assert "le" not in row.labels
    if isinstance(row, Histogram):
        assert list(row.buckets) == sorted(set(row.buckets))
        assert row.name.endswith("_size" if row.fact and row.fact not in ("waited", "late") else "_seconds")


def test_a_name_is_one_metric() -> None:
    kinds: dict[str, tuple[type, str, tuple[str, ...]]] = {}
    for row in METRICS:
        assert kinds.setdefault(row.name, (type(row), row.description, row.labels)) == (
            type(row),
            row.description,
            row.labels,
        )
    twice = [name for name in kinds if sum(row.name == name for row in METRICS) > 1]
    assert all(isinstance(row, Level) and row.value is not None for row in METRICS if row.name in twice)


def test_values_are_known_of_one_label_alone() -> None:
    assert all(len(row.labels) == 1 for row in METRICS if isinstance(row, Count) and row.known)


def test_the_documentation_has_the_table_of_the_code() -> None:
    page = Path(make_metrics.PAGE).read_text(encoding="utf-8")

    assert page == make_metrics.metrics_page(), "run `python docs/make_metrics.py`"
    assert [row for rows in make_metrics.SECTIONS.values() for row in rows] == list(METRICS)


def test_the_rust_service_is_known_by_all_its_names() -> None:
    assert {alias.name: tuple(alias.labels) for alias in ALIASES} == RUST
