"""What the observer is told becomes metrics of Ray: the names and meanings that dashboards go by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
import pytest
from ray.util import metrics as ray_metrics

from adapters.ray_metrics import METRICS, RayMetrics
from adapters.settings import TelemetrySettings
from adapters.telemetry import open_observer
from optionchain.errors import Unavailable
from optionchain.observing import observed, tell_failure

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


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, float]]:
    """What reaches Ray's metrics: the name, what is done, the value."""
    told: list[tuple[str, str, float]] = []

    def listen(kind: type, action: str) -> None:
        def record(self: Any, value: float = 1.0, tags: Mapping[str, str] | None = None) -> None:
            told.append((self.info["name"], action, value))

        monkeypatch.setattr(kind, action, record)

    listen(ray_metrics.Counter, "inc")
    listen(ray_metrics.Gauge, "set")
    listen(ray_metrics.Histogram, "observe")
    return told


def test_the_metrics_that_there_are() -> None:
    assert {metric.name for metric in METRICS} >= NAMES
    assert len({metric.name for metric in METRICS}) == len(METRICS)


def test_an_operation_is_measured_when_it_ends_as_it_should(told: list[tuple[str, str, float]]) -> None:
    observer = RayMetrics()

    with observed(observer, "session.batch", calls=7):
        assert told == []
    with pytest.raises(ValueError, match="no"), observed(observer, "session.commit", checkpoints=3):
        raise ValueError("no")

    assert [(name, value) for name, _, value in told if name.endswith("size")] == [
        ("optionchain_batch_size", 7.0)
    ]
    (seconds,) = [value for name, _, value in told if name == "optionchain_batch_seconds"]
    assert 0.0 < seconds < 1.0
    assert len(told) == 2, "what failed is not measured"


def test_counts_are_added_and_levels_are_set(told: list[tuple[str, str, float]]) -> None:
    observer = RayMetrics()

    observer.counted("session.steps", 5)
    observer.counted("session.steps", 0)
    observer.counted("session.resident", 0)
    observer.counted("session.of_no_interest", 1)

    assert told == [("optionchain_steps", "inc", 5), ("optionchain_resident_sessions", "set", 0)]


def test_a_process_has_one_observer_at_the_level_of_the_settings(capsys: pytest.CaptureFixture[str]) -> None:
    quiet, chatty = TelemetrySettings(log_level="error"), TelemetrySettings(log_level="debug")

    for settings in (quiet, chatty):
        tell_failure(open_observer(settings), "x", Unavailable("the session store"))

    assert open_observer(chatty) is open_observer(TelemetrySettings(log_level="debug"))
    (line,) = capsys.readouterr().err.splitlines()
    assert orjson.loads(line)["level"] == "WARNING"
