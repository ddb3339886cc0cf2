"""The metrics page."""

from __future__ import annotations

import httpx

from tests.clusters import Cluster, create, step
from tests.waiting import eventually


def test_the_steps_of_all_actors_are_on_the_metrics_page(api: httpx.Client) -> None:
    step(api, create(api)["id"])

    eventually(lambda: "\noptionchain_steps_total{" in api.get("/metrics").text, "a step is counted")

    page = api.get("/metrics")
    assert page.headers["content-type"].startswith("text/plain; version=")
    assert all(
        line.split(" ")[2].startswith("optionchain_") for line in page.text.splitlines() if "# TYPE" in line
    )


def test_the_metrics_page_needs_a_key(cluster: Cluster) -> None:
    assert httpx.get(f"{cluster.state.base_url}/metrics", trust_env=False).status_code == 401
