"""Prometheus and Alertmanager as private servers of an instance: started, supervised and ended as its Redis is."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from cluster.instance.ports import free_ports
from cluster.instance.state import PrivateServer
from cluster.observe.configuration import alertmanager_configuration, prometheus_configuration

PROMETHEUS, ALERTMANAGER = "Prometheus", "Alertmanager"
# As Debian calls them, and as they call themselves.
PROGRAMS = {PROMETHEUS: ("prometheus",), ALERTMANAGER: ("prometheus-alertmanager", "alertmanager")}
KEPT_DAYS = 15
MOST_MEGABYTES = 1024


def observing_servers(
    folder: Path, *, webhook: str | None, logs: Path, running: Sequence[PrivateServer] = ()
) -> tuple[PrivateServer, ...]:
    """Those that are installed; none is started here.

    Args:
        folder: Of their configuration and data.
        webhook: Whom Alertmanager tells.
        logs: Where their output goes.
        running: Servers of the instance that have their ports already, and are to find themselves there again.
    """
    ports = {PROMETHEUS: 0, ALERTMANAGER: 0} | {server.name: server.port for server in running}
    port, alertmanager_port = (
        ports[name] or free for name, free in zip((PROMETHEUS, ALERTMANAGER), free_ports(2), strict=True)
    )
    configuration = prometheus_configuration(folder, port=port, alertmanager_port=alertmanager_port)
    commands: dict[str, tuple[int, list[str]]] = {
        PROMETHEUS: (
            port,
            [
                f"--config.file={configuration.resolve()}",
                f"--storage.tsdb.path={(folder / 'prometheus').resolve()}",
                f"--storage.tsdb.retention.time={KEPT_DAYS}d",
                f"--storage.tsdb.retention.size={MOST_MEGABYTES}MB",
                f"--web.listen-address=127.0.0.1:{port}",
                # At its minute, a heartbeat would still be believed four minutes after the last.
                "--rules.alert.resend-delay=10s",
                "--log.level=warn",
            ],
        ),
        ALERTMANAGER: (
            alertmanager_port,
            [
                f"--config.file={alertmanager_configuration(folder, webhook=webhook).resolve()}",
                f"--storage.path={(folder / 'alertmanager').resolve()}",
                f"--web.listen-address=127.0.0.1:{alertmanager_port}",
                "--cluster.listen-address=",
                "--log.level=warn",
            ],
        ),
    }
    return tuple(
        PrivateServer(
            name=name,
            command=(program, *arguments),
            port=its_port,
            url=f"http://127.0.0.1:{its_port}",
            log=str(logs / f"{name.lower()}.log"),
        )
        for name, (its_port, arguments) in commands.items()
        if (program := _program(name)) is not None
    )


def missing(servers: Sequence[PrivateServer]) -> list[str]:
    """What of the two does not run, in words for a person."""
    running = {server.name for server in servers}
    return [
        f"{name} is not installed: `apt-get install {PROGRAMS[name][0]}`, or put `{PROGRAMS[name][-1]}` on the PATH"
        for name in (PROMETHEUS, ALERTMANAGER)
        if name not in running
    ]


def _program(name: str) -> str | None:
    return next((found for each in PROGRAMS[name] if (found := shutil.which(each)) is not None), None)
