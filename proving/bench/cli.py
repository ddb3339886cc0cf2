"""``optionchain bench``: runs a benchmark and shows what it measured."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from enum import StrEnum
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table


class Benchmark(StrEnum):
    """A module of `proving.bench` with ``run() -> dict[str, float]``, and ``tables`` of them where one will not do."""

    PRICING = "pricing"
    SESSIONS = "sessions"
    EXPORT = "export"
    HTTP = "http"
    SWEEP = "sweep"
    START = "start"
    CONNECTIONS = "connections"
    SOAK = "soak"
    OUTAGE = "outage"
    BACKUP = "backup"
    TRACES = "traces"
    SECURITY = "security"
    TASKS = "tasks"


def bench(
    name: Annotated[Benchmark, typer.Argument(help="What to measure.")],
    minutes: Annotated[
        float | None, typer.Option(min=0.1, help="How long; of `soak` alone, 60 by default.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    sessions: Annotated[int | None, typer.Option(min=1, help="Of `sessions`: how many are created.")] = None,
) -> None:
    """Measure on this machine, and show what was found. Ratios are taken within the one run."""
    if minutes is not None and name is not Benchmark.SOAK:
        raise typer.BadParameter("is for `soak` alone", param_hint="--minutes")
    module = importlib.import_module(f"proving.bench.{name.value}")
    if sessions is not None and name is not Benchmark.SESSIONS:
        raise typer.BadParameter("is for `sessions` alone", param_hint="--sessions")
    amount = module.of_sessions(sessions) if sessions is not None else minutes
    figures: dict[str, float] = module.run() if amount is None else module.run(amount)
    if as_json:
        typer.echo(json.dumps(figures))
        return
    tables: Callable[[dict[str, float]], list[Table]] = getattr(module, "tables", _one_table)
    for table in tables(figures):
        Console().print(table)


def _one_table(figures: dict[str, float]) -> list[Table]:
    table = Table("figure", "measured")
    for figure, value in figures.items():
        table.add_row(figure.replace("_", " "), f"{value:,.3f}" if abs(value) < 1000 else f"{value:,.0f}")
    return [table]
