"""``optionchain status``: what runs of the instance here, or of any cluster that one points at."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from cluster.commands.calling import Called, Key
from cluster.commands.console import show_cluster, show_health, show_nodes, show_servers
from cluster.instance.instance import Instance
from cluster.instance.service import READY, health
from cluster.nodes.pointed import Pointed
from cluster.nodes.reaching import Cluster, asked
from cluster.settings import Settings, load_settings

console = Console()


def status(
    data: Annotated[Path | None, typer.Option("--data", help="The folder of the instance.")] = None,
    cluster: Annotated[
        str | None, typer.Option("--cluster", help="Address of the head of another: 10.0.0.1:6380.")
    ] = None,
    token_file: Annotated[
        Path | None, typer.Option("--token-file", help="A copy of the head's `ray_token`; or OCS_RAY_TOKEN.")
    ] = None,
    url: Annotated[str | None, typer.Option("--url", help="Of another service, wherever it runs.")] = None,
    key: Key = None,
) -> None:
    """Show what runs: servers, Ray nodes, session actors. The exit code is 1 when it is not ready."""
    settings = load_settings().with_changes({"data": {"folder": data} if data else {}})
    pointed = Pointed(cluster, token_file)
    if url:
        is_ready = _of_service(Called(url, key))
    elif found := pointed.at(settings):
        is_ready = _of_cluster(found, settings)
    elif Instance(settings).state() is not None:
        is_ready = _of_instance(Instance(settings))
    elif joined := pointed.here(settings):
        is_ready = _of_cluster(joined, settings)
    else:
        console.print("Nothing is running. `optionchain up` starts it.")
        raise typer.Exit(1)
    raise typer.Exit(not is_ready)


def _of_instance(instance: Instance) -> bool:
    states = instance.health()
    if state := instance.state():
        show_servers(console, state, states)
    with console.status("Waiting for Ray ..."):
        report = instance.report()
    show_cluster(console, report)
    is_ready = states["http"] == READY
    if not is_ready:
        console.print("It is not ready. `optionchain up` starts anew what has failed.")
    return is_ready


def _of_service(service: Called) -> bool:
    states = health(service.address.rstrip("/"))
    show_health(console, states, service.address)
    report: Any = service.ask("/api/v1/system")
    show_cluster(console, report)
    return states["http"] == READY


def _of_cluster(cluster: Cluster, settings: Settings) -> bool:
    with console.status("Waiting for the head ..."):
        facts = asked(cluster)
    address = f"http://{cluster.address.rpartition(':')[0]}:{settings.http.port}"
    states = health(address)
    show_health(console, states, address)
    show_nodes(console, facts)
    is_ready = states["http"] == READY
    if not is_ready:
        console.print(
            f"It is not ready, or listens at another port than {settings.http.port} (OCS_HTTP_PORT): `optionchain "
            "status` on its head tells more."
        )
    return is_ready
