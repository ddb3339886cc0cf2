"""The metrics page: every process of a real cluster on it."""

from __future__ import annotations

import httpx
from prometheus_client.parser import text_string_to_metric_families

from adapters.metrics.rows import HTTP, SESSION, SHARED_PROCESS
from tests.clusters import Cluster, create, step
from tests.waiting import eventually


def figures(page: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Every line, by its name and labels."""
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
    }


def line(name: str, **labels: str) -> tuple[str, frozenset[tuple[str, str]]]:
    return name, frozenset(labels.items())


def test_what_all_processes_did_is_on_the_metrics_page(api: httpx.Client) -> None:
    session = create(api)["id"]
    step(api, session)
    api.delete("/api/v1/chain", params={"sessionid": session})
    step_of = {"route": "/api/v1/chain/step", "method": "POST", "status": "200"}
    wanted = {
        line("optionchain_http_request_seconds_count", **step_of),
        line("optionchain_http_request_seconds_bucket", **step_of, le="10"),
        line("optionchain_steps_total", model="GeometricBrownian"),
        line("optionchain_redis_seconds_count", operation="session.save", outcome="ok"),
        line("optionchain_session_call_seconds_count", outcome="ok"),
        line("optionchain_server_up", server="redis"),
        line("optionchain_server_up", server="mongodb"),
        line("optionchain_sessions_alive"),
        *(
            line("optionchain_process_memory_bytes", process=process)
            for process in (HTTP, SESSION, SHARED_PROCESS)
        ),
        line("api_requests_total", endpoint="/api/v1/chain/step", method="POST", status="200"),
        line("simulation_steps_total", method="GeometricBrownian"),
    }

    counted = (
        line("optionchain_http_request_seconds_count", **step_of),
        line("optionchain_sessions_deleted_total", kind="chain"),
    )

    def told() -> dict[tuple[str, frozenset[tuple[str, str]]], float] | None:
        page = figures(api.get("/metrics").text)
        # Counters are there with their zeros before anything is counted.
        return page if wanted <= page.keys() and all(page.get(one, 0.0) >= 1.0 for one in counted) else None

    found = eventually(told, "everything is told", patience_seconds=60.0)

    assert found[line("optionchain_http_rejected_total", kind="too_large")] >= 0.0
    assert found[line("optionchain_server_up", server="redis")] == 1.0
    ours = {name for name, labels in found}
    assert not any(name.startswith("ray_") or name.endswith("_total_total") for name in ours)
    rays = {"WorkerId", "SessionName", "NodeAddress", "Component", "Version", "otel_scope_name"}
    assert not rays & {label for _, labels in found for label, _ in labels}


def test_the_metrics_page_needs_a_key(cluster: Cluster) -> None:
    assert httpx.get(f"{cluster.state.base_url}/metrics", trust_env=False).status_code == 401
