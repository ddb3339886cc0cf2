"""What watches an instance, as private servers of it: started, supervised and ended as its Redis is.

Whatever of it is installed runs, with the configuration of `ray_config/`. Where there is a collector or a Jaeger, the
instance's traces go there; its logs go to Loki where there is a collector too, for somebody must read their files.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from cluster.instance.ports import free_ports
from cluster.instance.state import PrivateServer
from cluster.observe import configuration

PROMETHEUS, ALERTMANAGER, JAEGER = "Prometheus", "Alertmanager", "Jaeger"
LOKI, COLLECTOR, GRAFANA = "Loki", "Collector", "Grafana"
WITH_PAGES = (GRAFANA, PROMETHEUS, ALERTMANAGER, JAEGER)
KEPT_DAYS = 15
MOST_MEGABYTES = 1024
# Where Grafana's packages put what its program needs.
GRAFANA_HOME = "/usr/share/grafana"


@dataclass(frozen=True, slots=True)
class Places:
    """Where each of them is, on loopback.

    Attributes:
        folder: Of their configuration and data.
        ports: By name, of those that run.
        page_port: Of Jaeger's page; its own port is where spans go.
        webhook: Whom Alertmanager tells.
        ray_logs: The folder of the logs that the collector reads.
    """

    folder: Path
    ports: Mapping[str, int]
    page_port: int
    webhook: str | None
    ray_logs: Path

    def url(self, name: str) -> str:
        """What a person opens, or a client asks."""
        return f"http://127.0.0.1:{self.page_port if name == JAEGER else self.ports[name]}"


def _prometheus(places: Places) -> list[str]:
    port, alertmanager = places.ports[PROMETHEUS], places.ports.get(ALERTMANAGER)
    file = configuration.prometheus(places.folder, port=port, alertmanager_port=alertmanager)
    return [
        f"--config.file={file}",
        f"--storage.tsdb.path={places.folder / 'prometheus'}",
        f"--storage.tsdb.retention.time={KEPT_DAYS}d",
        f"--storage.tsdb.retention.size={MOST_MEGABYTES}MB",
        f"--web.listen-address=127.0.0.1:{port}",
        # At its minute, a heartbeat would still be believed four minutes after the last.
        "--rules.alert.resend-delay=10s",
        "--log.level=warn",
    ]


def _alertmanager(places: Places) -> list[str]:
    return [
        f"--config.file={configuration.alertmanager(places.folder, webhook=places.webhook)}",
        f"--storage.path={places.folder / 'alertmanager'}",
        f"--web.listen-address=127.0.0.1:{places.ports[ALERTMANAGER]}",
        "--cluster.listen-address=",
        "--log.level=warn",
    ]


def _jaeger(places: Places) -> list[str]:
    file = configuration.jaeger(places.folder, port=places.ports[JAEGER], page_port=places.page_port)
    return [f"--config={file}"]


def _loki(places: Places) -> list[str]:
    return [f"-config.file={configuration.loki(places.folder, port=places.ports[LOKI])}"]


def _collector(places: Places) -> list[str]:
    ports = places.ports
    file = configuration.collector(
        places.folder,
        port=ports[COLLECTOR],
        logs=places.ray_logs,
        jaeger_port=ports.get(JAEGER),
        loki_port=ports.get(LOKI),
    )
    return [f"--config={file}"]


def _grafana(places: Places) -> list[str]:
    sources = {each: places.url(each) for each in (PROMETHEUS, LOKI, JAEGER) if each in places.ports}
    return [
        "server",
        f"--homepath={GRAFANA_HOME}",
        "cfg:server.http_addr=127.0.0.1",
        f"cfg:server.http_port={places.ports[GRAFANA]}",
        f"cfg:paths.data={places.folder / 'grafana'}",
        f"cfg:paths.logs={places.folder / 'grafana'}",
        f"cfg:paths.provisioning={configuration.grafana(places.folder, sources)}",
        # It is on loopback, and whoever is on this machine may look.
        "cfg:auth.anonymous.enabled=true",
        "cfg:analytics.reporting_enabled=false",
    ]


class Program(NamedTuple):
    """How one of them is called, by Debian and by itself, where to get it, and what it is told when it starts."""

    names: tuple[str, ...]
    source: str
    arguments: Callable[[Places], list[str]]


PROGRAMS = {
    PROMETHEUS: Program(
        ("prometheus",), "`apt-get install prometheus`, or https://prometheus.io/download/", _prometheus
    ),
    ALERTMANAGER: Program(
        ("prometheus-alertmanager", "alertmanager"),
        "`apt-get install prometheus-alertmanager`, or https://prometheus.io/download/",
        _alertmanager,
    ),
    JAEGER: Program(("jaeger",), "https://www.jaegertracing.io/download/ (version 2)", _jaeger),
    LOKI: Program(("loki",), "https://github.com/grafana/loki/releases", _loki),
    COLLECTOR: Program(
        ("otelcol-contrib", "otelcol"),
        "https://github.com/open-telemetry/opentelemetry-collector-releases/releases (otelcol-contrib)",
        _collector,
    ),
    GRAFANA: Program(("grafana",), "https://grafana.com/grafana/download", _grafana),
}


def observing_servers(
    folder: Path, *, webhook: str | None, logs: Path, ray_logs: Path, running: Sequence[PrivateServer] = ()
) -> tuple[PrivateServer, ...]:
    """Those that are installed; none is started here.

    Args:
        folder: Of their configuration and data.
        webhook: Whom Alertmanager tells.
        logs: Where their output goes.
        ray_logs: The folder of the instance's own logs.
        running: Servers of the instance that have their ports already, and are to find themselves there again.
    """
    programs = _installed()
    free = iter(free_ports(len(programs) + 1))
    known = {server.name: server for server in running}
    places = Places(
        folder.resolve(),
        {name: known[name].port if name in known else next(free) for name in programs},
        (JAEGER in known and urlsplit(known[JAEGER].url).port) or next(free),
        webhook,
        ray_logs,
    )
    return tuple(
        PrivateServer(
            name=name,
            command=(program, *PROGRAMS[name].arguments(places)),
            port=places.ports[name],
            url=places.url(name),
            log=str(logs / f"{name.lower()}.log"),
        )
        for name, program in programs.items()
    )


def missing(servers: Sequence[PrivateServer]) -> list[str]:
    """What of them does not run, in words for a person."""
    running = {server.name for server in servers}
    told = [
        f"{name} is not installed: {program.source}"
        for name, program in PROGRAMS.items()
        if name not in running and _program(name) is None
    ]
    if LOKI not in running and _program(LOKI) is not None:
        told.append(f"Loki is installed and not started: only the {COLLECTOR} would bring it lines")
    if COLLECTOR not in running and _program(COLLECTOR) is not None:
        told.append(
            f"The {COLLECTOR} is installed and not started: neither Jaeger nor Loki is there to be told"
        )
    return told


def traces_endpoint(servers: Sequence[PrivateServer]) -> str | None:
    """Where an instance sends its traces; None where nobody takes them."""
    ports = {server.name: server.port for server in servers}
    port = ports.get(COLLECTOR, ports.get(JAEGER)) if JAEGER in ports else None
    return f"http://127.0.0.1:{port}" if port else None


def _installed() -> dict[str, str]:
    """The programs that are of use: each alone or with another that it needs."""
    found = {name: program for name in PROGRAMS if (program := _program(name)) is not None}
    if COLLECTOR not in found:
        found.pop(LOKI, None)
    if JAEGER not in found and LOKI not in found:
        found.pop(COLLECTOR, None)
    return found


def _program(name: str) -> str | None:
    return next((found for each in PROGRAMS[name].names if (found := shutil.which(each)) is not None), None)
