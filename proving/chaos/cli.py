"""``optionchain chaos``: an instance of its own, load, kills, and what the checker found."""

from __future__ import annotations

import asyncio
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from cluster.instance.temporary import private_settings, temporary_instance
from cluster.settings import Settings
from proving.chaos.faults import NotRestarted
from proving.chaos.load import BadLoad
from proving.chaos.run import ChaosPlan, ChaosReport, run_chaos

SECONDS_A_MINUTE = 60.0
SHOWN_VIOLATIONS = 20


class Fsync(StrEnum):
    """When a Redis writes to disk what it has acknowledged, or is about to."""

    ALWAYS = "always"
    EVERYSEC = "everysec"


def chaos(
    minutes: Annotated[float, typer.Option("--minutes", min=0.1, help="How long clients step.")] = 1.0,
    clients: Annotated[int, typer.Option("--clients", min=1, help="How many step at once.")] = 50,
    fsync: Annotated[Fsync, typer.Option("--fsync", help="When its Redis writes to disk.")] = Fsync.ALWAYS,
    seed: Annotated[int, typer.Option("--seed", help="Decides what is killed when.")] = 1,
) -> None:
    """Kill actors, replicas, HAProxy and Redis under load, on an instance of its own, and prove that nothing is lost.

    Exit code 1 when a step was lost, served twice, skipped, out of order or wrong, or the service did not come back.
    """
    console = Console()
    plan = ChaosPlan(SECONDS_A_MINUTE * minutes, clients=clients, seed=seed, tell=console.print)
    with temporary_instance(console, lambda folder: chaos_settings(folder, fsync)) as (settings, state):
        try:
            report = asyncio.run(run_chaos(settings, state, plan))
        except (BadLoad, NotRestarted) as failure:
            console.print(str(failure), style="red", markup=False)
            raise typer.Exit(1) from failure
    show_report(console, report)
    raise typer.Exit(0 if report.verdict.is_clean else 1)


def chaos_settings(folder: Path, fsync: Fsync = Fsync.ALWAYS) -> Settings:
    """The settings of an instance that may be broken: private servers, a free port, two replicas."""
    return private_settings(folder).with_changes({"http": {"replicas": 2}, "redis": {"fsync": fsync.value}})


def show_report(console: Console, report: ChaosReport) -> None:
    """Print what was done and what was found."""
    verdict = report.verdict
    table = Table(show_header=False, title="Chaos", title_justify="left")
    rows = {
        "steps acknowledged": f"{verdict.acknowledged:,} in {verdict.sessions} sessions",
        "faults": ", ".join(f"{count} x {fault.value}" for fault, count in report.faults.items()) or "none",
        "longest outage": f"{verdict.longest_outage_seconds:.1f} s",
        "longest wait of one session": f"{verdict.longest_wait_seconds:.1f} s",
        "lost": str(verdict.count("lost")),
        "given another to the same key": str(verdict.count("repeated")),
        "doubled": str(verdict.count("doubled")),
        "skipped": str(verdict.count("skipped")),
        "out of order": str(verdict.count("out_of_order")),
        "not as replayed": str(verdict.count("wrong")),
        "admitted bugs": str(verdict.defects),
    }
    for what, value in rows.items():
        table.add_row(what, value)
    console.print(table)
    for violation in verdict.violations[:SHOWN_VIOLATIONS]:
        console.print(f"[red]{violation.kind}[/]: step {violation.index} of session {violation.session_id}")
