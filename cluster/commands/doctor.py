"""``optionchain doctor``: what is wrong with this installation, and what to do about it."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from cluster.doctor.finding import Finding, Grade
from cluster.doctor.machine import machine_findings
from cluster.doctor.servers import server_findings
from cluster.instance.instance import Instance
from cluster.settings import load_settings

MARKS = {Grade.GOOD: "[green]✓[/]", Grade.DOUBTFUL: "[yellow]![/]", Grade.BAD: "[red]✗[/]"}
console = Console()


def doctor(
    data: Annotated[Path | None, typer.Option("--data", help="The folder of the instance.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print a list of findings instead.")] = False,
) -> None:
    """Examine this machine, the servers and what runs: a line each, with the remedy where one is needed.

    The exit code is 1 where something is bad; what is doubtful (!) works.
    """
    settings = load_settings().with_changes({"data": {"folder": data} if data else {}})
    state = Instance(settings).state()
    findings = [*machine_findings(settings, state), *server_findings(settings, state)]
    if as_json:
        print(json.dumps([asdict(finding) for finding in findings]))
    else:
        for finding in findings:
            _show(finding)
    raise typer.Exit(any(finding.grade is Grade.BAD for finding in findings))


def _show(finding: Finding) -> None:
    console.print(MARKS[finding.grade], end=" ")
    line = f"{finding.what}: {finding.told}" + (f". {finding.remedy}." if finding.remedy else "")
    console.print(line, markup=False, highlight=False, soft_wrap=True)
