"""Commands of a machine among others: ``optionchain join | leave | rebalance``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from cluster.commands.told import steps
from cluster.instance.instance import Instance
from cluster.instance.problem import InstanceProblem
from cluster.interruption import stay
from cluster.nodes.joined import LEAVE_SECONDS, JoinedNode, in_company
from cluster.nodes.reaching import THIS, Cluster, moved, with_token_of
from cluster.settings import Settings, load_settings

REBALANCE_SECONDS = 300.0
console = Console()

Data = Annotated[Path | None, typer.Option("--data", help="The folder of the node's state and logs.")]
Seconds = Annotated[float, typer.Option("--seconds", min=1.0, help="Patience with what moves.")]


def join(
    head: Annotated[str, typer.Argument(help="Address and port of the head: 10.0.0.1:6380.")],
    data: Data = None,
    listen: Annotated[
        str | None, typer.Option("--listen", help="Address of this machine, where it has several.")
    ] = None,
    token_file: Annotated[
        Path | None, typer.Option("--token-file", help="A copy of the head's `ray_token`; or OCS_RAY_TOKEN.")
    ] = None,
    foreground: Annotated[
        bool,
        typer.Option(
            "--foreground",
            help="Stay until told to end, and leave then, or until the cluster has lost it: for systemd.",
        ),
    ] = False,
) -> None:
    """Make this machine a node of the cluster of another, which `optionchain up --listen` has started."""
    settings = with_token_of(in_company(_settings(data)), token_file)
    node = JoinedNode(settings.with_changes({"ray": {"listen": listen} if listen else {}}))
    with steps(console) as progress:
        node.join(head, progress)
    console.print(f"This machine is a node of the cluster of {head}. `optionchain leave` takes it out again.")
    if foreground:
        with steps(console) as progress:
            stay(node.runs, lambda: node.leave(progress) if node.is_kept() else "")


def leave(data: Data = None, seconds: Seconds = LEAVE_SECONDS) -> None:
    """Take this node out of its cluster, while others serve on: what is on it moves, and nothing new comes.

    A node that `optionchain join` has started is ended; one that others have started is left empty, for them to end.
    """
    settings = _settings(data)
    node = JoinedNode(settings)
    with steps(console) as progress:
        if node.is_kept():
            left = node.leave(progress)
        else:
            progress.step("what is on this node to move")
            left = moved("leave", THIS, settings, seconds=seconds)
    if left:
        raise InstanceProblem(f"Not all has left: {left}.")


def rebalance(data: Data = None, seconds: Seconds = REBALANCE_SECONDS) -> None:
    """Even out the session actors over the nodes, as when some have joined. Sessions go on meanwhile."""
    settings = _settings(data)
    with steps(console) as progress:
        progress.step("session actors to move")
        left = moved("rebalance", _cluster(settings), settings, seconds=seconds)
    if left:
        raise InstanceProblem(f"It is not even: {left}.")


def _cluster(settings: Settings) -> Cluster:
    state = Instance(settings).state()
    if state is not None:
        return Cluster(state.ray_address, state.environment)
    return JoinedNode(settings).cluster() or THIS


def _settings(data: Path | None) -> Settings:
    return load_settings().with_changes({"data": {"folder": data} if data else {}})
