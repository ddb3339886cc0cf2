"""The spans of a running cluster: one tree over the processes that a request passes through."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.clusters import Cluster, create
from tests.collector import Collector, collecting
from tests.waiting import eventually

CALLER = "b7ad6b7169203331"
SHARED_ACTORS = "optionchain-shared"


@pytest.fixture(scope="module")
def traced() -> Iterator[tuple[Cluster, Collector]]:
    """Traced are the calls of those who say so."""
    with tempfile.TemporaryDirectory(prefix="optionchain-e2e-") as folder, collecting() as collector:
        cluster = Cluster(Path(folder), telemetry={"endpoint": collector.url, "ratio": 0.0})
        with cluster.running():
            yield cluster, collector


def tree(collector: Collector, trace_id: str, *names: str) -> list[Any]:
    """The spans of a trace, once all of these have come."""

    def come() -> list[Any] | None:
        spans = [span for span in collector.spans if span.trace_id.hex() == trace_id]
        return spans if set(names) <= {span.name for span in spans} else None

    return eventually(come, f"the spans {names} come", patience_seconds=30.0)


def header(trace_id: str) -> dict[str, str]:
    return {"traceparent": f"00-{trace_id}-{CALLER}-01"}


def test_a_step_is_one_tree_over_replica_and_session_actor(traced: tuple[Cluster, Collector]) -> None:
    cluster, collector = traced
    trace_id = "0af7651916cd43dd8448eb211c80319c"
    with cluster.client() as api:
        session = create(api)["id"]
        api.post("/api/v1/chain/step", params={"sessionid": session}, headers=header(trace_id))

    spans = tree(collector, trace_id, "POST /api/v1/chain/step", "session.commit", "redis.call")

    [request] = [span for span in spans if span.name == "POST /api/v1/chain/step"]
    [commit] = [span for span in spans if span.name == "session.commit"]
    assert request.parent_span_id.hex() == CALLER
    assert collector.ancestors(commit) == ["session.batch", "session.call", "POST /api/v1/chain/step"]
    assert collector.services[request.span_id] == "optionchain-http"
    assert collector.services[commit.span_id] == "optionchain-session"
    assert session not in str([span.name for span in spans])


def test_a_read_of_history_is_one_tree_down_to_mongodb(traced: tuple[Cluster, Collector]) -> None:
    cluster, collector = traced
    trace_id = "1bf7651916cd43dd8448eb211c80319c"
    with cluster.client() as api:
        api.get("/api/v1/historical/assets", headers=header(trace_id)).raise_for_status()

    spans = tree(collector, trace_id, "GET /api/v1/historical/assets", "mongodb.call")

    for command in (span for span in spans if span.name == "mongodb.call"):
        above = collector.ancestors(command)
        assert above[-1] == "GET /api/v1/historical/assets"
        assert any(name.startswith("history.") for name in above)
        assert collector.services[command.span_id] == SHARED_ACTORS
