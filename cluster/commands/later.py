"""Commands whose modules are imported when they are asked for: the others need not wait for Ray or polars."""

from __future__ import annotations

import importlib
from typing import Any

import typer
from typer.core import TyperGroup

# By name, as `module:attribute`: a function, or a `Typer` of its own. Benchmarks, chaos and drills stand outside the
# service, which names them only here.
LATER = {
    "status": "cluster.commands.status:status",
    "sweep": "cluster.commands.sweep:sweep",
    "history": "cluster.commands.history:app",
    "doctor": "cluster.commands.doctor:doctor",
    "join": "cluster.commands.nodes:join",
    "leave": "cluster.commands.nodes:leave",
    "rebalance": "cluster.commands.nodes:rebalance",
    "config": "cluster.commands.config:app",
    "top": "cluster.commands.top:top",
    "tasks": "cluster.commands.tasks:app",
    "quotas": "cluster.commands.quotas:app",
    "keys": "cluster.commands.keys:app",
    "audit": "cluster.commands.audit:app",
    "backup": "cluster.commands.backup:app",
    "site": "cluster.commands.site:app",
    "bench": "proving.bench.cli:bench",
    "chaos": "proving.chaos.cli:chaos",
    "drill": "proving.drills.cli:app",
}


class CommandsWithLater(TyperGroup):
    """A group that has the commands of `LATER` too. Contexts and commands are those of the click inside typer."""

    def list_commands(self, ctx: Any) -> list[str]:
        return [*super().list_commands(ctx), *LATER]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in LATER:
            return super().get_command(ctx, cmd_name)
        module, _, attribute = LATER[cmd_name].partition(":")
        return _command(cmd_name, getattr(importlib.import_module(module), attribute))


def _command(name: str, declared: Any) -> Any:
    if isinstance(declared, typer.Typer):
        return typer.main.get_command(declared)
    alone = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode="markdown")
    alone.command(name)(declared)
    return typer.main.get_command(alone)
