"""How a command says what it does: to a person, or with `--log json` as lines of the log on standard error."""

from __future__ import annotations

import time
from collections.abc import Callable
from enum import StrEnum
from types import TracebackType

from rich.console import Console

from adapters.telemetry.structured_log import StructuredLog
from cluster.commands.console import StepProgress
from cluster.instance import progress
from optionchain.observing import Observer
from optionchain.sweeps.definition import SweepDefinition
from optionchain.sweeps.progress import Progress, ProgressObserver

SECONDS_BETWEEN_LINES = 30.0
COMMAND = "command"


class LogForm(StrEnum):
    """Who reads what a command says."""

    TEXT = "text"
    JSON = "json"


class _Chosen:
    form = LogForm.TEXT


def choose(form: LogForm) -> None:
    """Say it so from now on."""
    _Chosen.form = form


def log_of_commands() -> Observer | None:
    """The log, where it was chosen."""
    return StructuredLog(process=COMMAND) if _Chosen.form is LogForm.JSON else None


def steps(console: Console) -> StepProgress | LoggedSteps:
    """The progress of a command that waits for one thing after the other."""
    log = log_of_commands()
    return StepProgress(console) if log is None else LoggedSteps(log)


def sweep_progress(console: Console) -> ProgressObserver:
    """The progress of a sweep."""
    log = log_of_commands()
    if log is not None:
        return LoggedSweep(log)
    from cluster.sweeps.console import OnConsole  # noqa: PLC0415  only sweeps need it

    return OnConsole(console)


class LoggedSteps(progress.Progress):
    """One line for each step that is over: ``command.step``, ``command.step_failed``.

    Args:
        log: Told.
    """

    def __init__(self, log: Observer) -> None:
        self._log = log
        self._current, self._began = "", 0.0

    def __enter__(self) -> LoggedSteps:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end("command.step" if error is None else "command.step_failed")

    def step(self, what: str) -> None:
        self.done()
        self._current, self._began = what, time.monotonic()

    def done(self) -> None:
        self._end("command.step")

    def give_up(self) -> None:
        self._end("command.step_failed")

    def _end(self, event: str) -> None:
        if self._current:
            self._log.noted(event, step=self._current, took=round(time.monotonic() - self._began, 3))
            self._current = ""


class LoggedSweep:
    """Lines of a sweep: ``sweep.started``, ``sweep.advanced`` now and then, ``sweep.ended``.

    Args:
        log: Told.
        clock: Monotonic seconds.
    """

    def __init__(self, log: Observer, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._log = log
        self._clock = clock
        self._last = clock()
        self._id = ""

    def started(self, sweep: SweepDefinition, progress: Progress) -> None:
        self._id = sweep.id
        self._log.noted(
            "sweep.started", sweep=sweep.id, blocks=progress.total_blocks, resumed=progress.resumed_blocks
        )

    def advanced(self, progress: Progress) -> None:
        if self._clock() >= self._last + SECONDS_BETWEEN_LINES:
            self._last = self._clock()
            self._tell("sweep.advanced", progress, "running")

    def ended(self, progress: Progress, state: str) -> None:
        self._tell("sweep.ended", progress, state)

    def _tell(self, event: str, progress: Progress, state: str) -> None:
        self._log.noted(
            event,
            sweep=self._id,
            state=state,
            blocks=progress.blocks,
            scenarios=progress.scenarios,
            failures=progress.failures,
        )
