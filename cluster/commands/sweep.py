"""``optionchain sweep FILE.yaml``: runs a sweep here, on a cluster, or as a Ray Job."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import sys
import warnings
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer
import yaml
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cluster.commands.told import sweep_progress
from cluster.instance.problem import InstanceProblem
from cluster.instance.state import InstanceState, read_state
from optionchain.agreement import ParametersDisagree, disagreements
from optionchain.errors import InvalidInput
from optionchain.sweeps import InProcess, Sweep, SweepResult
from optionchain.sweeps.engine import Engine
from optionchain.sweeps.surroundings import InDoubt
from optionchain.sweeps.tables import FORMATS
from optionchain.sweeps.wire import sweep_from_wire
from optionchain.tables.spreadsheets import without_formulas

if TYPE_CHECKING:
    import polars

console = Console(stderr=True)
INTERRUPTED = 130
# A terminal shows a table in part; all of it is written where it is asked for.
SHOWN_ROWS = 40
BETWEEN_COLUMNS = 3
FILES = tuple(f".{name}" for name in FORMATS)


def _writable(results: Path | None) -> Path | None:
    if results is not None and results.suffix not in FILES:
        raise typer.BadParameter(f"must end in {', '.join(FILES)}")
    if results is not None and not results.absolute().parent.is_dir():
        raise typer.BadParameter(f"there is no folder {results.parent}")
    return results


def sweep(
    file: Annotated[
        Path, typer.Argument(help="The sweep, in YAML or JSON; docs/sweep-runs.md shows one.", exists=True)
    ],
    output: Annotated[
        str | None,
        typer.Option(help="Folder where it is recorded and goes on from; a path or s3://... and the like."),
    ] = None,
    results: Annotated[
        Path | None,
        typer.Option(help="Write the table there: .parquet, .csv, .json or .arrow.", callback=_writable),
    ] = None,
    address: Annotated[
        str | None, typer.Option(help="Ray cluster; otherwise RAY_ADDRESS, or one of its own here.")
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="Folder of a running instance, on whose Ray it then runs.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=0, help="Tasks at a time; 0 computes in this process, without Ray.")
    ] = None,
    in_doubt: Annotated[
        InDoubt,
        typer.Option(
            help="Where it is not certain that the output has the same computation: refuse, or begin anew."
        ),
    ] = "refuse",
    submit: Annotated[bool, typer.Option("--submit", help="Run it as a Ray Job and return its id.")] = False,
) -> None:
    """Run many scenarios of a simulation in parallel. The same command goes on where it was interrupted."""
    state = None if data is None else _instance(data)
    try:
        definition = sweep_from_wire(yaml.safe_load(file.read_text()))
        if submit and results is not None:
            raise InvalidInput("results", "cannot be written here with --submit: they will be in --output")
        if submit:
            typer.echo(_submit(file, definition, state, address=address, output=output))
            return
        # Ctrl-C keeps what is done; the command line's own handler knows nothing of that.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        engine = _engine(state, address, workers)
        for each in disagreements(definition.base):
            console.print(
                f"{each.field} {each.reason}", style="yellow", markup=False, highlight=False, soft_wrap=True
            )
        warnings.simplefilter("ignore", ParametersDisagree)  # it has just been said
        result = definition.run(
            engine=engine, output=output, observer=sweep_progress(console), in_doubt=in_doubt
        )
    except (InvalidInput, yaml.YAMLError) as problem:
        console.print(f"{file}: {problem}", style="red", markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(2) from None
    _show(result, results)
    if result.state == "interrupted":
        console.print(_how_to_go_on(result, file), highlight=False, soft_wrap=True)
        raise typer.Exit(INTERRUPTED)


def _engine(state: InstanceState | None, address: str | None, workers: int | None) -> Engine:
    if workers == 0:
        return InProcess()
    if state is not None:
        os.environ.update(state.environment)  # its Ray asks for a token
        address = state.ray_address
    from cluster.sweeps.ray_engine import OnRay  # noqa: PLC0415  Ray reads the environment when it is imported

    return OnRay(address=address, workers=workers)


def _submit(
    file: Path, definition: Sweep, state: InstanceState | None, *, address: str | None, output: str | None
) -> str:
    """Start the same command inside the cluster; returns the job's id."""
    if output is None:
        raise InvalidInput("output", "is needed with --submit: it is where the results will be")
    if state is not None and not state.ray_dashboard:
        raise InstanceProblem(
            "Ray takes jobs by its dashboard, which this instance was started without: `optionchain down`, then "
            "`OCS_RAY_DASHBOARD=true optionchain up`."
        )
    if state is not None:
        os.environ.update(state.environment)
    from ray.job_submission import JobSubmissionClient  # noqa: PLC0415

    # A running instance of this machine has our Python, and perhaps not our PATH.
    program = ["optionchain"] if state is None else [sys.executable, "-m", "cluster.cli"]
    folder = output if "://" in output else str(Path(output).resolve())
    command = [*program, "sweep", file.name, "--output", folder, "--address", "auto"]
    client = JobSubmissionClient(address if state is None else state.ray_dashboard)
    with TemporaryDirectory() as uploaded:
        shutil.copy(file, uploaded)
        # The driver is a guest on a node: it computes nothing, so it takes no CPU from the sessions or the sweep.
        job: str = client.submit_job(
            entrypoint=shlex.join(command),
            runtime_env={"working_dir": uploaded},
            metadata={"sweep": definition.id},
        )
    return job


def _instance(data: Path) -> InstanceState:
    state = read_state(data / "instance.json")
    if state is None:
        raise InstanceProblem(f"Nothing runs in {data}. `optionchain up --data {data}` starts it.")
    return state


def _how_to_go_on(result: SweepResult, file: Path) -> str:
    done = f"{result.is_done.sum():,} of {len(result.sweep.plan):,} scenarios are done"
    if result.folder is None:
        return f"{done} and not recorded: with `--output FOLDER` the same command would go on from here."
    return f"{done} and recorded: the same command goes on from here ({shlex.join(['optionchain', *sys.argv[1:]])})."


def _show(result: SweepResult, results: Path | None) -> None:
    frame = result.to_polars()
    if results is not None:
        FORMATS[results.suffix[1:]].to_file(frame, str(results))
        console.print(f"{frame.height} rows: {results}", highlight=False)
    elif result.folder is not None and result.state == "completed":
        console.print(f"{frame.height} rows: {result.folder}/results.parquet", highlight=False)
    elif sys.stdout.isatty():
        _show_table(frame)
    else:
        typer.echo(without_formulas(frame).write_csv(), nl=False)


def _show_table(frame: polars.DataFrame) -> None:
    """The beginning of a table for a person: its first rows, and the columns that fit side by side."""
    screen = Console()
    shown = frame.head(SHOWN_ROWS)
    table, width = Table(box=SIMPLE_HEAD), 0
    columns: list[list[str]] = []
    for name in _in_order_of_interest(frame):
        cells = [_cell(value) for value in shown[name]]
        width += max(map(len, [name, *cells])) + BETWEEN_COLUMNS
        if width > screen.width and columns:
            break
        table.add_column(name, overflow="fold")
        columns.append(cells)
    for row in zip(*columns, strict=True):
        table.add_row(*map(escape, row))
    screen.print(table)
    if frame.height > SHOWN_ROWS or frame.width > len(columns):
        console.print(
            f"{frame.height:,} rows of {frame.width:,} columns: `--results table.csv` writes all of them.",
            highlight=False,
            soft_wrap=True,
        )


def _in_order_of_interest(frame: polars.DataFrame) -> list[str]:
    """What varies, what went wrong, the means, and the rest; what is the same in all rows says nothing."""
    names = [name for name in frame.columns if frame[name].n_unique() > 1 or frame.height == 1]
    means = [name for name in names if name.endswith("_mean")]
    first = names.index(means[0]) if means else len(names)
    told = [name for name in names[:first] if name not in ("scenario", "seed", "paths")]
    return [*told, *means, *(name for name in names[first:] if name not in means)]


def _cell(value: object) -> str:
    if value is None:
        return ""
    return f"{value:.6g}" if isinstance(value, float) else str(value)
