"""The way of a figure and of an alarm, all real: app, Ray's agent, Prometheus, rule, Alertmanager, webhook."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from typing import Any

import httpx
import make_dashboards
import pytest

from cluster.observe.servers import ALERTMANAGER, PROGRAMS, PROMETHEUS
from tests.clusters import Cluster, create, step
from tests.observing import ARE_INSTALLED, WHERE_TO_GET, Pager, hurried, listening
from tests.waiting import eventually

PATIENCE_SECONDS = 120.0
# What an instance without certificates has none of; tests/integration/cluster/test_https.py tells of them.
NOT_HERE = "optionchain_certificate_expires_timestamp_seconds"
pytestmark = [pytest.mark.timeout(600), pytest.mark.skipif(not ARE_INSTALLED, reason=WHERE_TO_GET)]


class Observed:
    """An observed instance."""

    def __init__(self, cluster: Cluster, pager: Pager) -> None:
        self.cluster, self.pager = cluster, pager

    def url(self, name: str) -> str:
        (server,) = [server for server in self.cluster.state.servers if server.name == name]
        return server.url

    def asked(self, query: str) -> list[dict[str, Any]]:
        """What Prometheus answers."""
        answer = httpx.get(f"{self.url(PROMETHEUS)}/api/v1/query", params={"query": query}, trust_env=False)
        assert answer.status_code == 200, (query, answer.text)
        result: list[dict[str, Any]] = answer.json()["data"]["result"]
        return result

    def process(self, name: str) -> Any:
        (process,) = self.cluster.named(*PROGRAMS[name].names)
        return process


@pytest.fixture(scope="module")
def observed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Observed]:
    folder = tmp_path_factory.mktemp("observed") / "data"
    with listening() as pager:
        cluster = Cluster(folder, data={"observed": True}, telemetry={"webhook": pager.url})
        with cluster.running():
            hurried(folder / "observe")
            watched = Observed(cluster, pager)
            for name in (PROMETHEUS, ALERTMANAGER):
                watched.process(name).send_signal(signal.SIGHUP)
            yield watched


def test_every_query_of_every_dashboard_returns_data(observed: Observed) -> None:
    with observed.cluster.client() as api:
        session = create(api)["id"]
        for _ in range(3):
            step(api, session)
        api.get("/api/v1/chain/export", params={"sessionid": session})
        api.get("/api/v1/historical/assets")
        api.get("/api/v1/config")
    queries = [
        query.replace("$__rate_interval", "1m")
        for dashboard in make_dashboards.DASHBOARDS
        for panel in dashboard.panels
        if panel.kind != "logs"
        for query, _ in panel.queries
        if NOT_HERE not in query
    ]

    def silent() -> list[str]:
        return [query for query in queries if not observed.asked(query)]

    deadline = time.monotonic() + PATIENCE_SECONDS
    eventually(
        lambda: not silent() or time.monotonic() > deadline, "data", patience_seconds=PATIENCE_SECONDS + 5
    )
    assert silent() == []
    # And what HAProxy alone knows, by its own exporter.
    assert observed.asked('haproxy_frontend_http_responses_total{proxy="http_frontend",code="2xx"} > 0')


def test_the_heartbeat_beats_and_stops_and_beats_again(observed: Observed) -> None:
    beats = lambda since: observed.pager.alerts("heartbeat", since)  # noqa: E731
    eventually(lambda: len(beats(0.0)) >= 3, "the heart beats", patience_seconds=PATIENCE_SECONDS)

    alertmanager = observed.process(ALERTMANAGER)
    alertmanager.suspend()
    try:
        stopped = time.monotonic()
        eventually(lambda: time.monotonic() > stopped + 6.0, "some beats are due")
        assert beats(stopped + 2.0) == []
    finally:
        alertmanager.resume()

    resumed = time.monotonic()
    eventually(lambda: beats(resumed), "the heart beats again", patience_seconds=PATIENCE_SECONDS)


def test_an_instance_that_is_killed_is_paged_and_the_page_is_taken_back(observed: Observed) -> None:
    pager, cluster = observed.pager, observed.cluster
    began = time.monotonic()

    with cluster.unsupervised():
        for process in cluster.named("raylet", "gcs_server"):
            process.kill()
        eventually(
            lambda: ("ServiceDown", "firing") in pager.alerts("page", began),
            "the page comes",
            patience_seconds=PATIENCE_SECONDS,
        )

    eventually(
        lambda: ("ServiceDown", "resolved") in pager.alerts("page", began),
        "what comes back is told",
        patience_seconds=300.0,
    )
    assert observed.asked('up{job="optionchain"} == 1')
