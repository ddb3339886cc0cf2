"""What the observer is told is summed up in the process, as Prometheus shows it."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from adapters.metrics.rows import SECONDS, Count, Histogram, Level
from adapters.metrics.sums import MAX_LINES, OTHERS, MetricSums
from adapters.metrics.table import METRICS
from optionchain.errors import NotFound, Unavailable
from optionchain.observing import observed, tell_failure

REQUEST = Histogram(
    of="http.request",
    name="request_seconds",
    description="",
    labels=("route", "status"),
    buckets=(0.1, 1.0),
)
SIZE = Histogram(of="batch", fact="calls", name="size", description="", buckets=(1.0, 8.0))


def counted(sums: MetricSums) -> dict[tuple[str, ...], float]:
    """What was counted since the last time, by name and labels."""
    return {(series.name, *series.values): amount for series, amount in sums.taken()[0].items()}


def levels(sums: MetricSums) -> dict[tuple[str, ...], float]:
    return {(series.name, *series.values): amount for series, amount in sums.taken()[1].items()}


def test_a_distribution_has_cumulative_buckets_an_exact_sum_and_a_count() -> None:
    sums = MetricSums((SIZE,))

    for calls in (1, 3, 7, 200):
        with observed(sums, "batch", calls=calls):
            pass

    assert counted(sums) == {
        ("size_bucket", "1"): 1.0,
        ("size_bucket", "8"): 3.0,
        ("size_bucket", "+Inf"): 4.0,
        ("size_sum",): 211.0,
        ("size_count",): 4.0,
    }
    assert counted(sums) == {}, "what was handed over is not handed over again"


def test_a_request_is_measured_by_route_and_status_however_it_ends() -> None:
    sums = MetricSums((REQUEST,))

    with observed(sums, "http.request", route="/x/{id}") as operation:
        operation.facts["status"] = 200
    with pytest.raises(ValueError, match="left"), observed(sums, "http.request", route="/x/{id}"):
        raise ValueError("left")

    found = counted(sums)
    assert found["request_seconds_count", "/x/{id}", "200"] == 1.0
    assert found["request_seconds_count", "/x/{id}", "499"] == 1.0
    assert 0.0 < found["request_seconds_sum", "/x/{id}", "200"] < 1.0


def test_more_routes_than_ray_has_lines_for_are_measured_together_by_their_status() -> None:
    sums = MetricSums((replace(REQUEST, buckets=SECONDS),))

    for turn in range(2):
        for number in range(300):
            with observed(sums, "http.request", route=f"/{number}", status=200 if number % 3 else 404):
                pass
        found = counted(sums)
        lines = {key for key in found if key[0] == "request_seconds_bucket"}
        assert {len(key) for key in lines} == {4}
        assert len(lines) <= MAX_LINES, turn
        requests = {key[1:]: count for key, count in found.items() if key[0] == "request_seconds_count"}
        assert sum(requests.values()) == 300.0
        assert requests["/1", "200"] == requests["/3", "404"] == 1.0
        kept = len(requests) - 2
        assert kept > 100
        assert requests[OTHERS, "200"] + requests[OTHERS, "404"] == 300.0 - kept


def test_what_fails_is_measured_only_where_a_label_tells_it_from_the_rest() -> None:
    plain = Histogram(of="work", name="plain", description="")
    split = Histogram(of="work", name="split", description="", labels=("outcome",))
    sums = MetricSums(
        (plain, split, Count(of="failed", name="failures", description="", labels=("operation",)))
    )

    tell_failure(sums, "work", Unavailable("the store"))

    found = counted(sums)
    assert found["split_count", "failed"] == 1.0
    assert not any(name.startswith("plain") for name, *_ in found)
    assert found["failures", "work"] == 1.0


def test_a_callers_mistake_is_no_failure() -> None:
    sums = MetricSums((Count(of="failed", name="failures", description="", labels=("severity",)),))

    tell_failure(sums, "work", NotFound("session", "x"))
    tell_failure(sums, "work", ZeroDivisionError())

    assert counted(sums) == {("failures", "error"): 1.0}


def test_one_row_may_be_about_all_that_begin_alike() -> None:
    row = Histogram(of="history.*", name="calls", description="", labels=("operation", "outcome"))
    sums = MetricSums((row,))

    for name in ("history.chain", "history.assets", "configuration.get"):
        with observed(sums, name):
            pass

    assert {key[1] for key in counted(sums) if key[0] == "calls_count"} == {"history.chain", "history.assets"}


def test_levels_stay_until_they_are_told_anew_and_a_switch_has_two_ways() -> None:
    rows = (
        Level(of="resident", name="resident", description=""),
        Level(of="opened", name="open", description="", labels=("dependency",), value=1.0),
        Level(of="closed", name="open", description="", labels=("dependency",), value=0.0),
    )
    sums = MetricSums(rows)

    sums.counted("resident", 7)
    sums.counted("opened", dependency="the cache")

    assert levels(sums) == levels(sums) == {("resident",): 7.0, ("open", "the cache"): 1.0}
    sums.counted("closed", dependency="the cache")
    assert levels(sums)["open", "the cache"] == 0.0


def test_a_counter_is_zero_from_the_start_of_the_processes_that_count_it() -> None:
    rows = (
        Count(of="a", name="a", description="", by=("http",)),
        Count(of="b", name="b", description="", labels=("kind",), known=("x", "y"), by=("http",)),
        Count(of="c", name="c", description="", by=("session",)),
        Count(of="d", name="d", description="", labels=("unknown",)),
    )

    assert counted(MetricSums(rows, process="http")) == {("a",): 0.0, ("b", "x"): 0.0, ("b", "y"): 0.0}


def test_a_note_is_counted_by_its_facts() -> None:
    sums = MetricSums(METRICS)

    sums.noted("session.created", session_id="abc", kind="chain")

    found = counted(sums)
    assert found["optionchain_sessions_created", "chain"] == 1.0
    assert not any("abc" in key for key in found)


def test_nothing_is_lost_between_threads() -> None:
    sums = MetricSums((Count(of="x", name="x", description=""), SIZE))
    taken = 0.0

    def tell() -> None:
        for _ in range(2000):
            sums.counted("x")

    threads = [threading.Thread(target=tell) for _ in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        taken += counted(sums).get(("x",), 0.0)
    taken += counted(sums).get(("x",), 0.0)

    assert taken == 8000.0
