"""What `optionchain top` makes of two readings: rates, and the quantiles that Prometheus would give."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.metrics.figures import Between, Reading, quantile, read

BEFORE = """\
# TYPE optionchain_steps counter
optionchain_steps_total{model="Heston"} 10
optionchain_steps_total{model="Bates"} 4
# TYPE optionchain_http_request_seconds histogram
optionchain_http_request_seconds_bucket{route="/a",status="200",le="0.1"} 2
optionchain_http_request_seconds_bucket{route="/a",status="200",le="+Inf"} 2
"""
AFTER = """\
# TYPE optionchain_steps counter
optionchain_steps_total{model="Heston"} 30
optionchain_steps_total{model="Bates"} 1
# TYPE optionchain_http_streams gauge
optionchain_http_streams 3
# TYPE optionchain_http_request_seconds histogram
optionchain_http_request_seconds_bucket{route="/a",status="200",le="0.1"} 42
optionchain_http_request_seconds_bucket{route="/a",status="200",le="+Inf"} 42
optionchain_http_request_seconds_bucket{route="/a",status="503",le="0.1"} 0
optionchain_http_request_seconds_bucket{route="/a",status="503",le="+Inf"} 10
optionchain_http_request_seconds_bucket{route="/b",status="200",le="0.1"} 0
optionchain_http_request_seconds_bucket{route="/b",status="200",le="+Inf"} 0
"""
BETWEEN = Between(Reading(100.0, read(BEFORE)), Reading(110.0, read(AFTER)))


def test_a_counter_that_began_anew_counts_whole() -> None:
    assert BETWEEN.rate("optionchain_steps") == pytest.approx((20 + 1) / 10)
    assert BETWEEN.rate("optionchain_steps", model="Heston") == pytest.approx(2.0)


def test_a_gauge_is_what_it_is_now_and_one_that_is_not_there_is_0() -> None:
    assert BETWEEN.level("optionchain_http_streams") == 3.0
    assert BETWEEN.level("optionchain_sessions_alive") == 0.0


def test_times_are_over_what_was_asked_for_and_without_what_did_not_happen() -> None:
    [route] = BETWEEN.timings("optionchain_http_request_seconds", "route")
    by_status = BETWEEN.timings("optionchain_http_request_seconds", "route", "status")

    assert (route.labels, route.rate) == (("/a",), 5.0)
    # 40 of 50 are below 0.1 s, and 25 make the median.
    assert route.median == pytest.approx(0.1 * 25 / 40)
    assert route.slow == 0.1
    assert [each.labels for each in by_status] == [("/a", "200"), ("/a", "503")]


@given(
    counts=st.lists(st.integers(1, 1000), min_size=2, max_size=12),
    share=st.floats(0.01, 0.99),
)
def test_a_quantile_is_linear_within_its_bucket(counts: list[int], share: float) -> None:
    bounds = np.cumsum(np.arange(1.0, len(counts) + 1))
    cumulative = np.cumsum(counts)
    buckets = {**dict(zip(bounds, cumulative, strict=True)), math.inf: cumulative[-1]}

    expected = np.interp(share * cumulative[-1], [0, *cumulative], [0.0, *bounds])

    assert quantile(share, buckets) == pytest.approx(expected)


def test_of_nothing_there_is_no_quantile_and_beyond_all_bounds_it_is_the_last() -> None:
    assert math.isnan(quantile(0.5, {0.1: 0.0, math.inf: 0.0}))
    assert quantile(0.5, {0.1: 1.0, 0.2: 1.0, math.inf: 10.0}) == 0.2
