"""Prometheus and Alertmanager as an instance runs them, beside an agent whose page a test writes."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
import yaml

from cluster.instance.embedded_servers import running
from cluster.instance.state import InstanceState, PrivateServer
from cluster.observe.configuration import write_targets
from cluster.observe.servers import (
    ALERTMANAGER,
    COLLECTOR,
    GRAFANA,
    JAEGER,
    LOKI,
    PROGRAMS,
    PROMETHEUS,
    missing,
    observing_servers,
    traces_endpoint,
)
from tests.observing import ARE_INSTALLED, WHERE_TO_GET, Pager, hurried, listening
from tests.waiting import eventually

PATIENCE_SECONDS = 90.0
pytestmark = [pytest.mark.timeout(300), pytest.mark.skipif(not ARE_INSTALLED, reason=WHERE_TO_GET)]
PAGE = b"""# TYPE ray_optionchain_conflicts_total counter
ray_optionchain_conflicts_total{WorkerId="a"} 7.0
# TYPE ray_optionchain_batch_seconds_bucket_total counter
ray_optionchain_batch_seconds_bucket_total{WorkerId="a",le="0.1"} 3.0
ray_optionchain_batch_seconds_bucket_total{WorkerId="a",le="+Inf"} 4.0
# TYPE ray_node_mem_used gauge
ray_node_mem_used 5.0
"""


def test_servers_that_run_are_configured_where_they_are(tmp_path: Path) -> None:
    first = observing_servers(tmp_path, webhook=None, logs=tmp_path, ray_logs=tmp_path)
    again = observing_servers(tmp_path, webhook=None, logs=tmp_path, ray_logs=tmp_path, running=first)

    assert [(server.port, server.command) for server in again] == [
        (server.port, server.command) for server in first
    ]
    configured = (tmp_path / "prometheus.yml").read_text()
    assert all(f"127.0.0.1:{server.port}" in configured for server in first)


@contextmanager
def agent() -> Iterator[ThreadingHTTPServer]:
    """What Ray's agent would show."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/plain; version=0.0.4")
            self.send_header("content-length", str(len(PAGE)))
            self.end_headers()
            self.wfile.write(PAGE)

        def log_message(self, *_: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def state(metrics_port: int) -> InstanceState:
    return InstanceState("", "", None, "", "", "", "", {}, metrics_port=metrics_port)


class Watching:
    """Both servers, and who is told."""

    def __init__(self, folder: Path, servers: dict[str, PrivateServer], pager: Pager) -> None:
        self.folder, self.servers, self.pager = folder, servers, pager

    def asked(self, query: str) -> dict[tuple[str, ...], float]:
        answer = httpx.get(
            f"{self.servers[PROMETHEUS].url}/api/v1/query", params={"query": query}, trust_env=False
        )
        return {
            tuple(value for key, value in sorted(line["metric"].items()) if key in ("__name__", "le")): float(
                line["value"][1]
            )
            for line in answer.json()["data"]["result"]
        }


@pytest.fixture
def watching(tmp_path: Path) -> Iterator[Watching]:
    folder = tmp_path / "observe"
    with listening() as pager, ExitStack() as stack:
        servers = {
            server.name: server
            for server in observing_servers(folder, webhook=pager.url, logs=tmp_path, ray_logs=tmp_path)
            if server.name in (PROMETHEUS, ALERTMANAGER)
        }
        hurried(folder)
        for server in servers.values():
            stack.enter_context(running(server, tmp_path, patience_seconds=PATIENCE_SECONDS))
        yield Watching(folder, servers, pager)


def test_series_have_the_names_of_the_documentation_and_an_agent_that_dies_is_paged(
    watching: Watching,
) -> None:
    with agent() as told:
        write_targets(watching.folder, state(told.server_port))
        found = eventually(
            lambda: watching.asked('{__name__=~".*optionchain_.*|ray_.*"}'),
            "Prometheus hears the agent",
            patience_seconds=PATIENCE_SECONDS,
        )

    assert found == {
        ("optionchain_conflicts_total",): 7.0,
        ("optionchain_batch_seconds_bucket", "0.1"): 3.0,
        ("optionchain_batch_seconds_bucket", "+Inf"): 4.0,
        ("ray_node_mem_used",): 5.0,
    }
    eventually(
        lambda: ("ServiceDown", "firing") in watching.pager.alerts("page"),
        "the page comes",
        patience_seconds=PATIENCE_SECONDS,
    )
    # Nobody is told what follows from that.
    assert {name for name, _ in watching.pager.alerts("page")} == {"ServiceDown"}


def test_a_heart_stops_with_its_prometheus_and_beats_again(watching: Watching) -> None:
    def beats(since: float) -> bool:
        return bool(watching.pager.alerts("heartbeat", since))

    (prometheus,) = [
        process
        for process in psutil.Process().children()
        if process.name() == Path(watching.servers[PROMETHEUS].command[0]).name
    ]
    eventually(lambda: beats(0.0), "it beats", patience_seconds=PATIENCE_SECONDS)
    prometheus.suspend()
    try:
        # Alertmanager believes an alert for four times as long as it is to wait for the next telling of it.
        eventually(lambda: not beats(time.monotonic() - 5.0), "it stops", patience_seconds=PATIENCE_SECONDS)
        stopped = time.monotonic()
    finally:
        prometheus.resume()
    eventually(lambda: beats(stopped), "it beats again", patience_seconds=PATIENCE_SECONDS)


def test_what_is_not_installed_is_said_with_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    servers = observing_servers(tmp_path, webhook=None, logs=tmp_path, ray_logs=tmp_path)

    assert servers == ()
    told = missing(servers)
    assert [line.partition(" is not installed: ")[0] for line in told] == list(PROGRAMS)
    assert all("https://" in line for line in told)


def found(folder: Path, *names: str) -> tuple[PrivateServer, ...]:
    """What would run if these programs were installed; they are empty files, which nobody starts."""
    (folder / "bin").mkdir(exist_ok=True)
    for name in names:
        (folder / "bin" / name).touch(mode=0o700)
    return observing_servers(folder, webhook=None, logs=folder, ray_logs=folder / "ray")


def written(server: PrivateServer, option: str) -> dict[str, Any]:
    """The configuration file that a server is started with."""
    (file,) = [word.partition("=")[2] for word in server.command if word.startswith(option)]
    read: dict[str, Any] = yaml.safe_load(Path(file).read_text())
    return read


def test_whatever_is_installed_knows_of_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    servers = found(tmp_path, "prometheus", "jaeger", "loki", "otelcol-contrib", "grafana")
    named = {server.name: server for server in servers}

    (provisioning,) = [word.partition("=")[2] for word in named[GRAFANA].command if "provisioning" in word]
    sources = yaml.safe_load((Path(provisioning) / "datasources" / "optionchain.yml").read_text())
    assert {source["name"]: source["url"] for source in sources["datasources"]} == {
        name: named[name].url for name in (PROMETHEUS, LOKI, JAEGER)
    }
    (dashboards,) = yaml.safe_load((Path(provisioning) / "dashboards" / "optionchain.yml").read_text())[
        "providers"
    ]
    assert (Path(dashboards["options"]["path"]) / "service.json").exists()

    collector = written(named[COLLECTOR], "--config=")
    assert collector["receivers"]["filelog"]["include"] == [str(tmp_path / "ray" / "worker-*.err")]
    assert {name: place["endpoint"] for name, place in collector["exporters"].items()} == {
        "otlphttp/traces": f"http://127.0.0.1:{named[JAEGER].port}",
        "otlphttp/logs": f"{named[LOKI].url}/otlp",
    }
    assert traces_endpoint(servers) == f"http://127.0.0.1:{named[COLLECTOR].port}"
    assert named[JAEGER].url != f"http://127.0.0.1:{named[JAEGER].port}"

    again = observing_servers(
        tmp_path, webhook=None, logs=tmp_path, ray_logs=tmp_path / "ray", running=servers
    )
    assert again == servers


@pytest.mark.parametrize(
    ("installed", "run", "endpoint", "told"),
    [
        (["jaeger"], [JAEGER], JAEGER, None),
        (["loki"], [], None, "Loki is installed and not started"),
        (["otelcol"], [], None, "The Collector is installed and not started"),
        (["otelcol", "loki"], [LOKI, COLLECTOR], None, None),
        (["otelcol", "jaeger"], [JAEGER, COLLECTOR], COLLECTOR, None),
    ],
)
def test_nothing_is_started_that_nobody_would_tell_anything(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    installed: list[str],
    run: list[str],
    endpoint: str | None,
    told: str | None,
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))

    servers = found(tmp_path, *installed)

    ports = {server.name: server.port for server in servers}
    assert list(ports) == run
    assert traces_endpoint(servers) == (f"http://127.0.0.1:{ports[endpoint]}" if endpoint else None)
    assert [line.startswith(told) for line in missing(servers) if "not started" in line] == (
        [True] if told else []
    )
