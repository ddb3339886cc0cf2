"""The commands: ``optionchain up | down | status | logs | demo | sweep | history | backup | bench | chaos``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from cluster.commands.first_session import show_address, show_first_steps
from cluster.commands.later import CommandsWithLater
from cluster.commands.told import LogForm, choose, log_of_commands, steps
from cluster.instance.instance import Instance
from cluster.instance.problem import InstanceProblem
from cluster.instance.state import InstanceState
from cluster.settings import BadSettings, Settings, load_settings
from cluster.settings_table import settings_page
from cluster.shares_of_cores import cores, with_shares_of_cores
from optionchain import __version__

app = typer.Typer(
    name="optionchain",
    cls=CommandsWithLater,
    help="""Simulated option-chain market data on a Ray cluster.

    `optionchain up` starts everything on this machine and waits until it is ready; `optionchain demo` steps a
    session and shows its chain; `optionchain down` stops everything. Data stays in one folder
    (`--data`, OCS_DATA_FOLDER, by default `.optionchain` here) and survives a restart.

    Every setting is an environment variable that begins with OCS_; docs/settings.md lists them.""",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)
console = Console()
complaints = Console(stderr=True)

Data = Annotated[
    Path | None,
    typer.Option("--data", help="The folder of data, key and logs; the identity of the instance."),
]
Port = Annotated[int | None, typer.Option("--port", min=1, max=65_535, help="Port of the HTTP service.")]
NoAuth = Annotated[
    bool, typer.Option("--no-auth", help="Serve without API keys: everybody may do everything.")
]


def _show_version(asked: bool) -> None:
    if asked:
        print(f"optionchain {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_show_version, help="Show the version.")
    ] = False,
    log: Annotated[
        LogForm, typer.Option("--log", help="What it does, for a person or as JSON, a line a fact.")
    ] = LogForm.TEXT,
) -> None:
    choose(log)


@app.command()
def up(
    data: Data = None,
    port: Port = None,
    no_auth: NoAuth = False,
    with_demo: Annotated[
        bool, typer.Option("--demo", help="Step a first session and show its chain.")
    ] = False,
    observe: Annotated[
        bool,
        typer.Option(
            "--observe",
            help="Start Prometheus, Alertmanager, Jaeger, Grafana..., as far as they are installed.",
        ),
    ] = False,
    listen: Annotated[
        str | None,
        typer.Option("--listen", help="Address at which other machines may join (`optionchain join`)."),
    ] = None,
    foreground: Annotated[
        bool,
        typer.Option(
            "--foreground", help="Stay until told to end, and stop everything then: for containers."
        ),
    ] = False,
) -> None:
    """Start everything on this machine, wait until it is ready, and say how to use it.

    What runs already is used again. Without a Redis or MongoDB of yours (OCS_REDIS_URL, OCS_MONGO_URI), private
    ones are started on loopback.
    """
    settings = _settings(data, port=port, no_auth=no_auth, observe=observe)
    if listen or settings.ray.listen:
        from cluster.nodes.joined import in_company  # noqa: PLC0415

        settings = in_company(settings.with_changes({"ray": {"listen": listen} if listen else {}}))
    instance = Instance(settings)
    with steps(console) as progress:
        state = instance.up(progress)
    if with_demo:
        _first_session(state)
    are_keys_given = bool(settings.auth.keys.get_secret_value())
    (show_address if foreground and are_keys_given else show_first_steps)(console, state)
    if observe:
        _show_observing(state)
    if (port and not state.base_url.endswith(f":{port}")) or (no_auth and state.api_key):
        console.print(
            "It ran already, as shown above: a change of the port or of the keys needs `optionchain down` first.",
            style="yellow",
            soft_wrap=True,
        )
    if foreground:
        from cluster.interruption import stay  # noqa: PLC0415

        with steps(console) as progress:
            stay(instance.is_kept, lambda: instance.down(progress))


@app.command()
def redeploy(data: Data = None) -> None:
    """Bring changed settings to what runs, without downtime: `OCS_SESSION_PLACEMENT=shards:4 optionchain redeploy`.

    Replicas and session actors are replaced while they serve. Servers and ports stay as they are.
    """
    from cluster.nodes.joined import as_it_listens  # noqa: PLC0415

    settings = _settings(data)
    instance = Instance(as_it_listens(settings, Instance(settings).state()))
    with steps(console) as progress:
        instance.redeploy(progress)


@app.command()
def down(data: Data = None) -> None:
    """Stop everything that `up` started, whatever state it is in. Data stays."""
    instance = Instance(_settings(data))
    with steps(console) as progress:
        ended = instance.down(progress)
    console.print(f"Stopped {ended} processes." if ended else "Nothing was running.")


@app.command()
def logs(
    data: Data = None,
    lines: Annotated[int, typer.Option("--lines", "-n", min=1, help="Lines of each file.")] = 20,
) -> None:
    """Show the last lines of every log: the servers', Ray's, and the facts of replicas and actors (`worker-*.err`)."""
    instance = Instance(_settings(data))
    files = [
        file
        for folder, names in (
            (instance.logs, "*.log"),
            (instance.ray_logs, "serve/*.log"),
            (instance.ray_logs, "worker-*.err"),
        )
        for file in sorted(folder.glob(names))
        if file.stat().st_size
    ]
    if not files:
        console.print("There are no logs yet. `optionchain up` makes some.")
        raise typer.Exit(1)
    for file in files:
        console.rule(str(file), align="left")
        with file.open(errors="replace") as stream:
            console.print(
                "".join(stream.readlines()[-lines:]).rstrip(), markup=False, highlight=False, soft_wrap=True
            )


@app.command()
def settings() -> None:
    """Print every setting with its default and its meaning, as Markdown."""
    print(settings_page(), end="")


@app.command()
def demo(data: Data = None) -> None:
    """Create a session (SPX, 30 days, seed 42), step it, and show its chain."""
    state = Instance(_settings(data)).state()
    if state is None:
        raise InstanceProblem("Nothing is running. `optionchain up` starts it.")
    _first_session(state)


def run() -> int:
    """Run the command that the arguments name; our errors become one message. Returns the exit code."""
    try:
        app()
    except BadSettings as problem:
        complaints.print("These settings are wrong:", style="red")
        complaints.print(str(problem), markup=False, highlight=False, soft_wrap=True)
        return 2
    except InstanceProblem as problem:
        log = log_of_commands()
        if log is not None:
            log.noted("command.failed", problem=str(problem))
            return 1
        complaints.print(str(problem), style="red", markup=False, highlight=False, soft_wrap=True)
        return 1
    return 0


def _first_session(state: InstanceState) -> None:
    from cluster.commands.demo import run_demo  # noqa: PLC0415  it takes a second to import, for the sample data

    run_demo(console, state)


def _show_observing(state: InstanceState) -> None:
    from cluster.observe.servers import PROGRAMS, missing  # noqa: PLC0415

    console.print()
    for server in state.servers:
        if server.name in PROGRAMS:
            console.print(f"{server.name}: {server.url}", highlight=False, soft_wrap=True)
    for problem in missing(state.servers):
        console.print(problem, style="yellow", markup=False, highlight=False, soft_wrap=True)


def _settings(
    data: Path | None, *, port: int | None = None, no_auth: bool = False, observe: bool = False
) -> Settings:
    settings = load_settings()
    settings = with_shares_of_cores(settings, settings.ray.cpus or cores())
    return settings.with_changes(
        {
            "data": ({"folder": data} if data else {}) | ({"observed": True} if observe else {}),
            "http": {"port": port} if port else {},
            "auth": {"enabled": False} if no_auth else {},
        }
    )
