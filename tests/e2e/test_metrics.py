"""The metrics page: every process of a real cluster on it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

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


def test_top_shows_what_is_done_now(cluster: Cluster, api: httpx.Client) -> None:
    session = create(api)["id"]

    def seen() -> dict[str, Any] | None:
        step(api, session)
        shown = cluster.run("top", "--once", "--json", "--interval", "6")
        assert shown.returncode == 0, shown.stderr
        view = json.loads(shown.stdout)
        asked = {request["request"]: request for request in view["requests"]}
        stored = {store["operation"] for store in view["stores"]}
        # The replica and the actor tell of their parts of a step at different times, and the actor counts sessions now
        # and then.
        is_told = "POST /api/v1/chain/step" in asked and "Redis session.save" in stored
        is_told = is_told and view["sessions"]["alive"] >= 1
        return view | {"asked": asked} if is_told else None

    view = eventually(seen, "the steps are told", patience_seconds=120.0)

    steps = view["asked"]["POST /api/v1/chain/step"]
    assert 0.0 < steps["median_seconds"] <= steps["p99_seconds"]
    assert view["actors"]
    assert "steps/s" in cluster.run("top", "--once", "--interval", "1").stdout


def test_top_without_a_service_says_so(tmp_path: Path) -> None:
    shown = Cluster(tmp_path).run("top", "--once")

    assert shown.returncode == 1
    assert "Nothing is running" in shown.stderr
