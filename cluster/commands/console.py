"""What the command line shows."""

from __future__ import annotations

import time
from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import Progress as Bars
from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Column, Table

from cluster.instance.progress import Progress
from cluster.instance.state import InstanceState

if TYPE_CHECKING:
    from cluster.instance.report import ClusterReport
    from cluster.nodes.cluster_facts import ClusterFacts


def identities() -> Column:
    """The column of ids of a table: whoever copies one needs all of it, however narrow the terminal."""
    return Column("id", no_wrap=True)


class StepProgress(Progress):
    """A spinner that says what is being waited for, and a line for each thing that is done.

    Args:
        console: Where to show it; without a terminal there is only the line.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._waiting: Bars | None = None
        self._current, self._began = "", 0.0

    def __enter__(self) -> StepProgress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.done()
        else:
            self.give_up()

    def step(self, what: str) -> None:
        self.done()
        self._current, self._began = what, time.monotonic()
        self._waiting = Bars(
            SpinnerColumn(),
            TextColumn("Waiting for {task.description} ..."),
            TimeElapsedColumn(),
            console=self._console,
            transient=True,
        )
        self._waiting.add_task(what, total=None)
        self._waiting.start()

    def done(self) -> None:
        self._finish("[green]✓[/]")

    def give_up(self) -> None:
        self._finish("[red]✗[/]")

    def _finish(self, mark: str) -> None:
        if self._waiting is not None:
            self._waiting.stop()
            self._waiting = None
            self._console.print(f"{mark} {self._current} [dim]{time.monotonic() - self._began:.1f} s[/]")


def show_servers(console: Console, state: InstanceState, health: Mapping[str, str]) -> None:
    """Where the servers are, and what the HTTP service says of itself and of them."""
    table = Table(show_header=False, box=None)
    for overflow in ("ellipsis", "ellipsis", "fold"):
        table.add_column(overflow=overflow)
    table.add_row("HTTP", _coloured(health["http"]), state.base_url)
    table.add_row("Redis", _coloured(health.get("redis", "unknown")), _without_password(state.redis_url))
    table.add_row("MongoDB", _coloured(health.get("mongodb", "unknown")), _without_password(state.mongo_uri))
    table.add_row("Ray", "", f"{state.ray_address}{dashboard_of(state)}")
    console.print(table)


def show_health(console: Console, health: Mapping[str, str], address: str) -> None:
    """What an HTTP service says of itself and of what it uses, where nothing else is known of it."""
    table = Table(show_header=False, box=None)
    for name, state in health.items():
        table.add_row(name, _coloured(state), address if name == "http" else "")
    console.print(table)


def show_nodes(console: Console, facts: ClusterFacts) -> None:
    """The nodes of a cluster, and what of ours is on each."""
    table = Table(
        "node", "release", "CPUs", "HTTP replicas", "session actors", title="Ray nodes", title_justify="left"
    )
    for node in facts["nodes"]:
        address = f"{node['address']} (head)" if node["is_head"] else node["address"]
        numbers = f"{node['cpus']:g}", str(node["replicas"]), str(node["session_actors"])
        table.add_row(address, node["release"], *numbers)
    console.print(table)
    console.print(", ".join(f"{what} {version}" for what, version in facts["versions"].items()))


def show_cluster(console: Console, report: ClusterReport) -> None:
    """The nodes, and the session actors."""
    nodes = Table("node", "address", "state", "CPUs", title="Ray nodes", title_justify="left")
    for node in report["nodes"]:
        is_alive = "[green]alive[/]" if node["alive"] else "[red]dead[/]"
        nodes.add_row(node["node_id"][:12], node["address"], is_alive, f"{node['cpus']:g}")
    console.print(nodes)
    actors = Table(
        "actor", "node", "pid", "sessions in memory", "memory", title="Session actors", title_justify="left"
    )
    for actor in report["actors"]:
        memory = f"{actor['memory_bytes'] / 2**20:,.0f} MiB"
        sessions = f"{actor['resident_sessions']:,}"
        actors.add_row(actor["name"], actor["node_id"][:12], str(actor["pid"]), sessions, memory)
    console.print(actors)
    if report["silent_actors"]:
        console.print(f"[red]{report['silent_actors']} actors did not answer in time.[/]")


def dashboard_of(state: InstanceState) -> str:
    """Where Ray's dashboard is, after a gap; nothing where there is none."""
    return f"    Ray dashboard: {state.ray_dashboard}" if state.ray_dashboard else ""


def _coloured(health: str) -> str:
    return f"[{'green' if health in ('ready', 'up') else 'red'}]{health}[/]"


def _without_password(url: str) -> str:
    head, separator, host = url.rpartition("@")
    return f"{head.split('://')[0]}://***@{host}" if separator else url
