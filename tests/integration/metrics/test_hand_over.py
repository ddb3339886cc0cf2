"""What a process sums up reaches Prometheus through Ray's agent: exactly, from zero, and for as long as it lives."""

from __future__ import annotations

import time

import pytest

from adapters.metrics.hand_over import HandOver, ProcessFigures, ray_metrics
from adapters.metrics.sums import MetricSums
from cluster.metrics.agents import cluster_metrics, cluster_samples
from cluster.metrics.sums import Samples
from optionchain.observing import observed
from tests.waiting import passing, until

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("ray_address")]

PATIENCE_SECONDS = 60.0
# As the cluster of these tests is told to report; no report is more frequent than one a second.
REPORT_SECONDS = 1.0
BATCH = "optionchain_batch_size"


async def samples_where(is_true) -> Samples:
    async def found() -> Samples | None:
        samples = await cluster_samples()
        return samples if is_true(samples) else None

    return await until(found, "the metrics say so", patience_seconds=PATIENCE_SECONDS)


async def test_a_distribution_arrives_with_its_exact_sum_and_grows_by_what_comes() -> None:
    sums = MetricSums(process="session")
    hand_over = HandOver(sums)
    before = (await cluster_samples())[f"{BATCH}_count"].total()

    for calls in (3, 5):
        with observed(sums, "session.batch", calls=calls):
            pass
    hand_over.hand_over()
    await samples_where(lambda found: found[f"{BATCH}_count"].total() == before + 2)
    with observed(sums, "session.batch", calls=300):
        pass
    hand_over.hand_over()
    found = await samples_where(lambda found: found[f"{BATCH}_count"].total() == before + 3)

    buckets = found[f"{BATCH}_bucket"].values
    assert buckets["256",] + 1 == buckets["512",] == buckets["+Inf",]
    assert found[f"{BATCH}_sum"].total() >= 308.0


async def test_a_counter_is_known_before_it_was_ever_counted() -> None:
    HandOver(MetricSums(process="http")).hand_over()

    found = await samples_where(lambda found: "too_large" in str(found["optionchain_http_rejected_total"]))

    assert found["optionchain_http_rejected_total"].values["too_large",] >= 0.0


async def test_a_level_that_nobody_tells_anew_stays_while_its_process_lives() -> None:
    sums = MetricSums(process="session")
    hand_over = HandOver(sums, seconds=0.2)
    sums.counted("session.resident", 17)
    hand_over.begin()
    try:
        await samples_where(lambda found: found["optionchain_resident_sessions"].total() == 17.0)

        # Ray forgets after two reports: nothing may be missing in five of them.
        until_when = time.monotonic() + 5 * REPORT_SECONDS
        while time.monotonic() < until_when:
            assert (await cluster_samples())["optionchain_resident_sessions"].total() == 17.0
            await passing(0.2)
    finally:
        hand_over.end()


async def test_a_process_tells_of_itself() -> None:
    sums = MetricSums(process="history")
    HandOver(sums, ProcessFigures().tell).hand_over()

    found = await samples_where(
        lambda found: ("history",) in found["optionchain_process_memory_bytes"].values
    )

    assert 10e6 < found["optionchain_process_memory_bytes"].values["history",] < 10e9
    assert time.time() - found["optionchain_process_start_time_seconds"].values["history",] < 3600.0
    assert time.time() - found["optionchain_process_seen_timestamp_seconds"].values["history",] < 60.0
    assert len(found["optionchain_build_info"].values) == 1


async def test_a_hand_over_that_fails_is_counted_and_raises_nothing() -> None:
    def fail(_: object) -> None:
        raise OSError("no figures")

    sums = MetricSums(process="http")

    HandOver(sums, fail).end()

    failed = {
        series.values: amount for series, amount in sums.taken()[0].items() if "telemetry" in series.name
    }
    assert failed["metrics",] == 1.0


async def test_the_page_has_nothing_of_rays() -> None:
    HandOver(MetricSums(process="http")).hand_over()
    await samples_where(lambda found: found["optionchain_http_replays_total"].values)

    page = (await cluster_metrics()).decode()

    assert "WorkerId" not in page
    assert "otel_scope" not in page
    assert "ray_" not in page


def test_a_process_has_one_set_of_metrics() -> None:
    assert ray_metrics("test-process") is ray_metrics("test-process")
