"""The progress of a sweep for a person: bars on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from optionchain.sweeps.definition import SweepDefinition
from optionchain.sweeps.progress import Progress

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress as Bars
    from rich.progress import TaskID


class OnConsole:
    """Bars on a terminal; without one, a line at most every `seconds_between_lines`.

    Args:
        console: Where to show it.
        seconds_between_lines: Without a terminal.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        console: Console,
        *,
        seconds_between_lines: float = 30.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._console = console
        self._seconds_between_lines = seconds_between_lines
        self._clock = clock
        self._last_line = clock()
        self._bars: Bars | None = None
        self._task: TaskID | None = None

    def started(self, sweep: SweepDefinition, progress: Progress) -> None:
        if progress.resumed_blocks:
            share = progress.resumed_blocks / progress.total_blocks
            self._console.print(
                f"Going on with sweep {sweep.id}: {share:.0%} was done.", highlight=False, soft_wrap=True
            )
        if self._console.is_terminal:
            bars = _bars(self._console)
            self._task = bars.add_task("Sweep", total=progress.total_blocks, figures=figures(progress))
            bars.start()
            self._bars = bars  # only now: bars whose start Ctrl-C has cut off cannot be stopped
            self.advanced(progress)

    def advanced(self, progress: Progress) -> None:
        if self._bars is not None and self._task is not None:
            self._bars.update(self._task, completed=progress.blocks, figures=figures(progress))
        elif not self._console.is_terminal and self._clock() >= self._last_line + self._seconds_between_lines:
            self._last_line = self._clock()
            self._console.print(figures(progress), highlight=False, soft_wrap=True)

    def ended(self, progress: Progress, state: str) -> None:
        if self._bars is not None:
            self._bars.stop()
        self._console.show_cursor(True)
        self._console.print(
            f"{state}: {figures(progress)} in {progress.seconds:.1f} s", highlight=False, soft_wrap=True
        )


def figures(progress: Progress) -> str:
    """Scenarios, paths, contracts and their pace, in one line.

    Example:
        >>> figures(Progress(total_scenarios=9, total_blocks=9, scenarios=3, paths=2_000_000, seconds=2.0))
        '3/9 scenarios, 2.0M paths (1.0M/s), 0 contracts (0/s)'
    """
    text = (
        f"{progress.scenarios:,}/{progress.total_scenarios:,} scenarios, "
        f"{_short(progress.paths)} paths ({_short(progress.paths_per_second)}/s), "
        f"{_short(progress.contracts)} contracts ({_short(progress.contracts_per_second)}/s)"
    )
    return f"{text}, {progress.failures} failed" if progress.failures else text


def _short(number: float) -> str:
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= size:
            return f"{number / size:.1f}{letter}"
    return f"{number:.0f}"


def _bars(console: Console) -> Bars:
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TextColumn("{task.fields[figures]}"),
        TimeRemainingColumn(),
        console=console,
    )
