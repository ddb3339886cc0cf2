"""``optionchain doctor``: what is wrong with this installation, and what to do about it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from cluster.doctor.finding import Finding, Grade
from cluster.doctor.kuberay import kuberay_findings, objects_in, objects_of
from cluster.doctor.machine import machine_findings
from cluster.doctor.nodes import cluster_findings, unreached
from cluster.doctor.servers import server_findings
from cluster.instance.instance import Instance
from cluster.instance.problem import InstanceProblem
from cluster.nodes.pointed import Pointed
from cluster.settings import Settings, load_settings

MARKS = {Grade.GOOD: "[green]✓[/]", Grade.DOUBTFUL: "[yellow]![/]", Grade.BAD: "[red]✗[/]"}
console = Console()


def doctor(
    data: Annotated[Path | None, typer.Option("--data", help="The folder of the instance.")] = None,
    kuberay: Annotated[
        str | None,
        typer.Option("--kuberay", metavar="NAMESPACE", help="Examine what KubeRay runs there instead."),
    ] = None,
    manifests: Annotated[
        typer.FileText | None,
        typer.Option(
            "--manifests", help="Examine what `kubectl kustomize` made instead; - reads it from a pipe."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print a list of findings instead.")] = False,
    cluster: Annotated[
        str | None,
        typer.Option("--cluster", help="Address of a head whose cluster is examined too: 10.0.0.1:6380."),
    ] = None,
    token_file: Annotated[
        Path | None, typer.Option("--token-file", help="A copy of the head's `ray_token`; or OCS_RAY_TOKEN.")
    ] = None,
) -> None:
    """Examine this machine, the servers and what runs: a line each, with the remedy where one is needed.

    The exit code is 1 where something is bad; what is doubtful (!) works.
    """
    if kuberay or manifests:
        findings = list(_of_kuberay(kuberay, manifests))
    else:
        settings = load_settings().with_changes({"data": {"folder": data} if data else {}})
        findings = list(_findings(settings, Pointed(cluster, token_file)))
    if as_json:
        print(json.dumps([asdict(finding) for finding in findings]))
    else:
        for finding in findings:
            _show(finding)
    raise typer.Exit(any(finding.grade is Grade.BAD for finding in findings))


def _findings(settings: Settings, pointed: Pointed) -> Iterator[Finding]:
    state = Instance(settings).state()
    try:
        joined = pointed.here(settings)
        node = joined.environment if joined else state.environment if state else None
        yield from machine_findings(settings, node, is_in_company=joined is not None)
        found = pointed.at(settings) or joined
    except InstanceProblem as problem:
        yield unreached(problem)
    else:
        if found:
            yield from cluster_findings(found)
    yield from server_findings(settings, state)


def _of_kuberay(namespace: str | None, manifests: typer.FileText | None) -> Iterator[Finding]:
    try:
        read = objects_in(manifests.read()) if manifests else []
        yield from kuberay_findings([*read, *(objects_of(namespace) if namespace else [])])
    except OSError as problem:
        remedy = "install kubectl and name the cluster in KUBECONFIG"
        yield Finding("kubectl", Grade.BAD, str(problem), remedy)
    except ValueError as problem:
        yield Finding("manifests", Grade.BAD, str(problem), "give what `kubectl kustomize` prints")


def _show(finding: Finding) -> None:
    console.print(MARKS[finding.grade], end=" ")
    line = f"{finding.what}: {finding.told}" + (f". {finding.remedy}." if finding.remedy else "")
    console.print(line, markup=False, highlight=False, soft_wrap=True)
