"""What the observer is told becomes lines of a log, and what is beside the work does not stop it."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest

from adapters.telemetry.structured_log import Severity, StructuredLog
from optionchain.errors import Defect, NotFound, Unavailable
from optionchain.observing import Observer, Observers, Unobserved, attempted, observed, tell_failure
from tests.callers import on_behalf_of
from tests.recording import Recording
from tests.waiting import turns

pytestmark = pytest.mark.anyio


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
    assert (line["tenant"], line["trace_id"], line["time"]) == ("anna", "0af7", 1.5)
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
    await turns(1)
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


def test_an_event_is_a_line_with_who_did_what() -> None:
    observer, lines = log(Severity.INFO)
    quiet, nothing = log(Severity.WARNING)

    for each in (observer, quiet):
        each.noted("session.created", on_behalf_of("anna"), session_id="s1", kind="chain")

    (line,) = lines
    assert (line["event"], line["level"], line["outcome"]) == ("session.created", "INFO", "noted")
    assert (line["tenant"], line["facts"]) == ("anna", {"session_id": "s1", "kind": "chain"})
    assert nothing == []


@pytest.mark.parametrize(("share", "lines_expected"), [(0.0, 0), (0.25, 1), (1.0, 4)])
def test_the_access_log_has_the_share_of_requests_that_was_asked_for(
    share: float, lines_expected: int
) -> None:
    lines: list[str] = []
    draws = iter([0.1, 0.3, 0.6, 0.9])
    observer = StructuredLog(access=share, write=lines.append, draw=lambda: next(draws))

    for _ in range(4):
        with observed(observer, "http.request", route="/health", status=200):
            pass
    with observed(observer, "session.batch"):
        pass

    assert len(lines) == lines_expected
    assert all(orjson.loads(line)["level"] == "INFO" for line in lines)


def test_a_part_of_an_operation_does_not_tell_its_failure_a_second_time() -> None:
    observer, lines = log(Severity.INFO)

    with pytest.raises(Unavailable), observed(observer, "session.commit"), observed(observer, "mongodb.call"):
        raise Unavailable("MongoDB")

    assert [line["event"] for line in lines] == ["session.commit"]


def test_a_line_leaves_the_process_by_its_standard_error(capfd: pytest.CaptureFixture[str]) -> None:
    StructuredLog(process="http").noted("x")

    line = orjson.loads(capfd.readouterr().err)
    assert (line["process"], line["event"]) == ("http", "x")
