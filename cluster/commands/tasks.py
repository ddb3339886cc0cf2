"""The command line of tasks: ``optionchain tasks schedule | list | runs | run | pause | resume | cancel | ...``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer
from rich.table import Table

from cluster.commands.calling import Called, Data, Key, Url, console
from cluster.commands.console import identities
from cluster.instance.problem import InstanceProblem

TASKS = "/api/v1/tasks"
PAGE = 100

app = typer.Typer(name="tasks", help="Work that happens later, and again.", no_args_is_help=True)

Id = Annotated[str, typer.Argument(help="Of the task, as `tasks list` shows it.")]


@app.command()
def schedule(
    kind: Annotated[
        str, typer.Argument(help="sweep, export, history_import, cache_warm, session_cleanup, ...")
    ],
    parameters: Annotated[
        Path | None, typer.Option("--parameters", help="A JSON file of the kind's parameters.", exists=True)
    ] = None,
    at: Annotated[str | None, typer.Option(help="Once, then: 2026-12-01T06:00:00Z.")] = None,
    every: Annotated[float | None, typer.Option(help="Again and again, after so many seconds.")] = None,
    cron: Annotated[
        str | None,
        typer.Option(help="By a line of cron: '30 2 * * *'; with seconds where it has six fields."),
    ] = None,
    timezone: Annotated[str, typer.Option(help="Of the line of cron.")] = "UTC",
    calendar: Annotated[
        str | None, typer.Option(help="By the sessions of an exchange: XNYS, with --event and --offset.")
    ] = None,
    event: Annotated[str, typer.Option(help="What of a session: open or close.")] = "close",
    offset: Annotated[int, typer.Option(help="Minutes after it, or before it where that is negative.")] = 0,
    name: Annotated[str, typer.Option("--name", help="For people, and for the heartbeat in metrics.")] = "",
    jitter: Annotated[float, typer.Option(help="Put each time off by a part of so many seconds.")] = 0.0,
    skip_missed: Annotated[
        bool, typer.Option("--skip-missed", help="Make up for no time that nobody was there for.")
    ] = False,
    catch_up: Annotated[int, typer.Option(help="Else: for how many of them, the latest.")] = 1,
    ends_at: Annotated[str | None, typer.Option(help="No time is later.")] = None,
    priority: Annotated[int, typer.Option(help="0 to 9: the highest of yours go first.")] = 5,
    url: Url = None,
    api_key: Key = None,
    data: Data = None,
) -> None:
    """Schedule a task, and show its id on a line by itself."""
    timings: list[dict[str, Any]] = [
        timing
        for given, timing in (
            (at, {"at": at}),
            (every, {"every_seconds": every}),
            (cron, {"cron": cron, "timezone": timezone}),
            (calendar, {"calendar": calendar, "event": event, "offset_minutes": offset}),
        )
        if given is not None
    ]
    if len(timings) != 1:
        raise InstanceProblem("Say when: one of --at, --every, --cron and --calendar.")
    body = {
        "kind": kind,
        "parameters": _read(parameters),
        "timing": timings[0],
        "name": name,
        "jitter_seconds": jitter,
        "misfire": "skip" if skip_missed else "run_late",
        "catch_up": catch_up,
        "ends_at": ends_at,
        "priority": priority,
    }
    made = Called.at(url, api_key, data).ask(TASKS, "POST", body)
    print(made["id"])  # plain: a script reads it
    typer.echo(f"The next time is {made['next_for']}.", err=True)


@app.command("list")
def listed(url: Url = None, api_key: Key = None, data: Data = None) -> None:
    """Show your tasks, those scheduled last first."""
    table = Table(identities(), "name", "kind", "state", "when", "next", "last success")
    for task in _all(Called.at(url, api_key, data), TASKS):
        when = " ".join(str(value) for value in task["timing"].values())
        last = task["last_success_at"] or "never"
        shown = (task["id"], task["name"], task["kind"], task["state"], when, task["next_for"] or "", last)
        table.add_row(*shown)
    console.print(table)


@app.command()
def show(task_id: Id, url: Url = None, api_key: Key = None, data: Data = None) -> None:
    """Show a task as JSON."""
    console.print_json(json.dumps(Called.at(url, api_key, data).ask(_path(task_id))))


@app.command()
def runs(task_id: Id, url: Url = None, api_key: Key = None, data: Data = None) -> None:
    """Show the runs of a task, the latest times first."""
    table = Table(identities(), "state", "attempts", "started", "ended", "result or error")
    for run in _all(Called.at(url, api_key, data), f"{_path(task_id)}/runs"):
        told = run["error"] or (json.dumps(run["result"]) if run["result"] else "")
        instants = (run["started_at"] or "", run["ended_at"] or "")
        table.add_row(run["id"], run["state"], str(run["attempts"]), *instants, told)
    console.print(table)


@app.command()
def run(task_id: Id, url: Url = None, api_key: Key = None, data: Data = None) -> None:
    """Have a task done once, now, and show the id of the run."""
    print(Called.at(url, api_key, data).ask(f"{_path(task_id)}/run", "POST")["id"])


@app.command()
def pause(task_id: Id, url: Url = None, api_key: Key = None, data: Data = None) -> None:
    """Let a task be due no more until it is resumed."""
    _tell(Called.at(url, api_key, data).ask(f"{_path(task_id)}/pause", "POST"))


@app.command()
def resume(task_id: Id, url: Url = None, api_key: Key = None, data: Data = None) -> None:
    """Let a task be due again, from now on."""
    _tell(Called.at(url, api_key, data).ask(f"{_path(task_id)}/resume", "POST"))


@app.command()
def cancel(task_id: Id, url: Url = None, api_key: Key = None, data: Data = None) -> None:
    """End a task for good; what runs of it stops within seconds."""
    _tell(Called.at(url, api_key, data).ask(_path(task_id), "DELETE"))


@app.command()
def requeue(
    task_id: Id,
    run_id: Annotated[str, typer.Argument(help="Of the run, as `tasks runs` shows it.")],
    url: Url = None,
    api_key: Key = None,
    data: Data = None,
) -> None:
    """Have a run that failed for good tried again."""
    path = f"{_path(task_id)}/runs/{quote(run_id, safe='')}/requeue"
    again = Called.at(url, api_key, data).ask(path, "POST")
    console.print(f"{again['id']} is {again['state']}.", markup=False, soft_wrap=True)


def _path(task_id: str) -> str:
    return f"{TASKS}/{quote(task_id, safe='')}"


def _all(service: Called, path: str) -> list[dict[str, Any]]:
    shown: list[dict[str, Any]] = []
    page = pages = 1
    while page <= pages:
        found = service.ask(f"{path}?page={page}&limit={PAGE}")
        shown += found["data"]
        page, pages = page + 1, found["pagination"]["pages"]
    return shown


def _read(file: Path | None) -> Any:
    if file is None:
        return {}
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InstanceProblem(f"{file} is no JSON: {error}") from error


def _tell(task: dict[str, Any]) -> None:
    console.print(f"{task['id']} is {task['state']}.", markup=False, soft_wrap=True)
