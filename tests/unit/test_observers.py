"""What the observer is told becomes metrics and lines of a log: the names and meanings that dashboards go by."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import orjson
import pytest
from callers import on_behalf_of
from ray.util import metrics as ray_metrics
from recording import Recording

from adapters.ray_metrics import METRICS, RayMetrics
from adapters.settings import TelemetrySettings
from adapters.structured_log import Severity, StructuredLog
from adapters.telemetry import open_observer
from optionchain.errors import Defect, NotFound, Unavailable
from optionchain.observing import Observer, Observers, Unobserved, attempted, observed, tell_failure

pytestmark = pytest.mark.anyio

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


def log(level: Severity) -> tuple[StructuredLog, list[dict[str, Any]]]:
    lines: list[dict[str, Any]] = []

    def write(line: str) -> None:
        assert line.endswith("\n")
        assert line.count("\n") == 1, "one line a fact"
        lines.append(orjson.loads(line))

    return StructuredLog(level, write=write, clock=lambda: 1.5), lines


def test_a_bug_is_logged_with_its_traceback_its_tenant_and_its_trace() -> None:
    observer, lines = log(Severity.ERROR)
    context = on_behalf_of("anna")._replace(trace="00-0af7-b7ad-01")

    with pytest.raises(ZeroDivisionError), observed(observer, "session.batch", context, calls=2):
        _ = 1 / 0

    (line,) = lines
    assert (line["event"], line["level"], line["outcome"]) == ("session.batch", "ERROR", "failed")
    assert (line["tenant"], line["trace"], line["time"]) == ("anna", "00-0af7-b7ad-01", 1.5)
    assert (line["error"], line["facts"]) == ("ZeroDivisionError", {"calls": 2})
    assert "test_observers.py" in line["traceback"]


@pytest.mark.parametrize(
    ("error", "level"),
    [
        (Unavailable("the session store"), "WARNING"),
        (NotFound("session", "x"), "DEBUG"),
        (asyncio.CancelledError(), "DEBUG"),
        (Defect(), "ERROR"),
        (OSError("disk"), "ERROR"),
    ],
    ids=lambda case: case if isinstance(case, str) else type(case).__name__,
)
def test_errors_have_levels(error: BaseException, level: str) -> None:
    everything, lines = log(Severity.DEBUG)
    told = {severity.name: log(severity) for severity in Severity}

    for observer, _ in (everything, lines), *told.values():
        tell_failure(observer, "x", error)

    assert [line["level"] for line in lines] == [level]
    assert {name for name, (_, heard) in told.items() if heard} == {
        severity.name for severity in Severity if severity <= Severity[level]
    }


def test_what_goes_well_is_logged_only_where_everything_is() -> None:
    quiet, nothing = log(Severity.INFO)
    chatty, lines = log(Severity.DEBUG)

    for observer in (quiet, chatty):
        with observed(observer, "history.chain") as operation:
            operation.facts["cached"] = True

    assert nothing == []
    assert [(line["event"], line["outcome"], line["facts"]) for line in lines] == [
        ("history.chain", "finished", {"cached": True})
    ]


async def test_work_beside_everything_else_may_fail_and_is_told() -> None:
    observer = Recording()

    async def work() -> None:
        raise RuntimeError("disk full")

    await attempted(observer, "session.clean_up", work)

    assert isinstance(observer.failure("session.clean_up")[1], RuntimeError)


async def test_work_beside_everything_else_can_be_cancelled() -> None:
    task = asyncio.create_task(attempted(Recording(), "cache.listen", asyncio.Event().wait))
    await asyncio.sleep(0)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task


def test_several_observers_hear_the_same() -> None:
    first, second = Recording(), Recording()
    observers: Observer = Observers((first, Unobserved(), second))

    with observed(observers, "a"):
        observers.counted("b", 2.0, kind="c")
    tell_failure(observers, "d", ValueError())

    for one in (first, second):
        assert one.names() == {"a", "b", "d"}
        assert one.labels == [("b", {"kind": "c"})]
        assert len(one.begun) == len(one.ended) == len(one.failures) == 1


def test_a_process_has_one_observer_at_the_level_of_the_settings(capsys: pytest.CaptureFixture[str]) -> None:
    quiet, chatty = TelemetrySettings(log_level="error"), TelemetrySettings(log_level="debug")

    for settings in (quiet, chatty):
        tell_failure(open_observer(settings), "x", Unavailable("the session store"))

    assert open_observer(chatty) is open_observer(TelemetrySettings(log_level="debug"))
    (line,) = capsys.readouterr().err.splitlines()
    assert orjson.loads(line)["level"] == "WARNING"
