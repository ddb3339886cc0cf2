"""The metrics of several nodes and processes as one page, as a Prometheus reads it."""

from __future__ import annotations

import pytest
from prometheus_client.parser import text_string_to_metric_families

from cluster.metrics.aliases import ALIASES
from cluster.metrics.page import page_of
from cluster.metrics.sums import summed

RAY = 'Component="core_worker",WorkerId="{worker}",otel_scope_name="ray"'
PAGE = """# HELP ray_optionchain_conflicts_total Refused
# TYPE ray_optionchain_conflicts_total counter
ray_optionchain_conflicts_total{{{ray}}} {count}
# TYPE ray_optionchain_http_request_seconds_bucket_total counter
ray_optionchain_http_request_seconds_bucket_total{{{ray},le="0.1",method="GET",route="/x/{{id}}",status="200"}} {count}
ray_optionchain_http_request_seconds_bucket_total{{{ray},le="+Inf",method="GET",route="/x/{{id}}",status="200"}} 3.0
# TYPE ray_optionchain_http_request_seconds_sum_total counter
ray_optionchain_http_request_seconds_sum_total{{{ray},method="GET",route="/x/{{id}}",status="200"}} 0.5
# TYPE ray_optionchain_http_request_seconds_count_total counter
ray_optionchain_http_request_seconds_count_total{{{ray},method="GET",route="/x/{{id}}",status="200"}} 3.0
ray_optionchain_http_request_seconds_count_total{{{ray},method="GET",route="/x/{{id}}",status="404"}} 1.0
# TYPE ray_optionchain_resident_sessions gauge
ray_optionchain_resident_sessions{{{ray}}} {count}
# TYPE ray_optionchain_sessions_alive gauge
ray_optionchain_sessions_alive{{{ray}}} {count}
# TYPE ray_node_cpu_utilization gauge
ray_node_cpu_utilization 0.5
"""


def page(worker: str, count: float) -> str:
    return PAGE.format(ray=RAY.format(worker=worker), count=count)


def read(text: bytes) -> dict[tuple[str, ...], float]:
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


def test_processes_are_summed_and_nothing_of_rays_remains() -> None:
    text = page_of(summed([page("a", 1.0), page("b", 2.0)]))

    found = read(text)
    assert found["optionchain_conflicts_total",] == 3.0
    assert found["optionchain_http_request_seconds_bucket", "0.1", "GET", "/x/{id}", "200"] == 3.0
    assert found["optionchain_http_request_seconds_bucket", "+Inf", "GET", "/x/{id}", "200"] == 6.0
    assert found["optionchain_http_request_seconds_sum", "GET", "/x/{id}", "200"] == 1.0
    assert found["optionchain_resident_sessions",] == 3.0
    assert found["optionchain_sessions_alive",] == 2.0, "each process tells of the same sessions"
    for stranger in ("WorkerId", "otel_", "Component", "ray_", "_total_total", "node_cpu"):
        assert stranger not in text.decode()
    assert text.decode().count("# TYPE optionchain_http_request_seconds histogram") == 1


def test_counters_and_distributions_are_there_before_anything_happened() -> None:
    found = read(page_of(summed([""])))

    assert found["optionchain_http_rejected_total", "overloaded"] == 0.0
    assert found["optionchain_batch_seconds_bucket", "+Inf"] == 0.0
    assert found["optionchain_batch_seconds_count",] == 0.0
    assert found["session_creations_total",] == 0.0
    assert ("optionchain_sessions_alive",) not in found, "how many there are is not known"


def test_buckets_are_in_their_order() -> None:
    lines = page_of(summed([""])).decode().splitlines()

    bounds = [line.split('"')[1] for line in lines if line.startswith("optionchain_batch_seconds_bucket")]
    assert bounds[-1] == "+Inf"
    assert [float(bound) for bound in bounds] == sorted(map(float, bounds))


def test_the_rust_names_have_the_same_figures() -> None:
    found = read(page_of(summed([page("a", 1.0), page("b", 2.0)])))

    assert found["api_requests_total", "/x/{id}", "GET", "200"] == 6.0
    assert found["api_request_duration_seconds_count", "/x/{id}", "GET"] == 8.0
    assert found["api_errors_total", "/x/{id}", "404"] == 2.0
    assert ("api_errors_total", "/x/{id}", "200") not in found
    assert found["active_sessions",] == 2.0


@pytest.mark.parametrize(("route", "is_counted"), [("/health", False), ("/ready", False), ("/x/{id}", True)])
def test_probes_are_not_among_the_requests_of_the_rust_names(route: str, is_counted: bool) -> None:
    of_requests = [alias for alias in ALIASES if alias.name.startswith("api_")]

    assert {alias.where({"route": route, "status": "404"}) for alias in of_requests} == {is_counted}
