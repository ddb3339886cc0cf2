"""``optionchain drill list | run NAME``: something is lost for real, on an instance of its own, and brought back."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import typer
from rich.console import Console
from rich.table import Table

from proving.chaos.checker import Verdict
from proving.chaos.load import BadLoad
from proving.drills.drills import DRILLS
from proving.drills.scene import Scene

app = typer.Typer(
    name="drill", help="Lose something on an instance of its own, and bring it back.", no_args_is_help=True
)
console = Console()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a drill.

    Attributes:
        name: Of the drill.
        seconds: Until whoever was hurt was served again.
        verdicts: What the clients saw.
        longest_wait_seconds: Of one who went on asking all the time, until it was served.
        losses: Seconds of writes to a store that its copy did not have, by name.
    """

    name: str
    seconds: float
    verdicts: tuple[Verdict, ...]
    longest_wait_seconds: float
    losses: Mapping[str, float]

    @property
    def violations(self) -> int:
        """Steps that were lost, doubled, skipped or wrong, and answers that admit a bug."""
        return sum(len(verdict.violations) + verdict.defects for verdict in self.verdicts)

    @property
    def is_reached(self) -> bool:
        """Whether the goal is."""
        goal = DRILLS[self.name].goal
        is_all_there = all(
            seconds <= most
            for name, seconds in self.losses.items()
            for how, most in goal.lost_seconds.items()
            if name.endswith(f", {how}")
        )
        return (
            not self.violations
            and is_all_there
            and max(self.seconds, self.longest_wait_seconds) <= goal.seconds
        )


@app.command("list")
def listed() -> None:
    """Show the drills, and what each has to reach."""
    table = Table("drill", "what is lost", "goal")
    for name, drill in DRILLS.items():
        table.add_row(name, drill.about, f"{drill.goal.seconds:g} s, 0 steps lost")
    console.print(table)


@app.command()
def run(name: str = typer.Argument(help="As `drill list` shows it.")) -> None:
    """Run a drill; the exit code is 1 where its goal is not reached."""
    if name not in DRILLS:
        raise typer.BadParameter(f"is none of {', '.join(DRILLS)}", param_hint="NAME")
    try:
        outcome = run_drill(name, lambda step: console.print(f"- {step}", markup=False, highlight=False))
    except BadLoad as failure:
        console.print(str(failure), style="red", markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(1) from failure
    goal, acknowledged = DRILLS[name].goal, sum(verdict.acknowledged for verdict in outcome.verdicts)
    console.print(
        f"{name}: served again after {outcome.seconds:.1f} s (goal: {goal.seconds:g} s); of {acknowledged:,} "
        f"acknowledged writes, {outcome.violations} were lost, doubled or wrong.",
        highlight=False,
    )
    if outcome.longest_wait_seconds:
        console.print(
            f"Of those who went on asking, nobody waited for more than {outcome.longest_wait_seconds:.1f} s.",
            highlight=False,
        )
    for store, seconds in outcome.losses.items():
        console.print(f"{store}: the last {seconds:.2f} s of writes were lost.", highlight=False)
    raise typer.Exit(0 if outcome.is_reached else 1)


def run_drill(name: str, tell: Callable[[str], None]) -> Outcome:
    """Run a drill in a temporary folder, of which nothing is left.

    Args:
        name: Of the drill.
        tell: Told of each step.

    Raises:
        BadLoad: The service does not come back, or this machine lacks what the drill takes.
    """
    with tempfile.TemporaryDirectory(prefix="optionchain-drill-") as folder:
        scene = Scene.in_folder(Path(folder), tell)
        if DRILLS[name].starts:
            scene.start()
        try:
            seconds = asyncio.run(_drilled(name, scene))
        finally:
            scene.stop()
        return Outcome(name, seconds, tuple(scene.verdicts), max(scene.waits, default=0.0), scene.losses)


async def _drilled(name: str, scene: Scene) -> float:
    return await DRILLS[name].run(scene)
