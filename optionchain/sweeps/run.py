"""Runs a sweep: hands the blocks that are not done to an engine, and collects what becomes of them."""

from __future__ import annotations

import signal
import threading
import time
from contextlib import closing
from types import FrameType

import numpy as np

from optionchain.agreement import warn_of_disagreements
from optionchain.errors import InvalidInput
from optionchain.measures import sample_block
from optionchain.observing import Observer, Operation, observed
from optionchain.sweeps.blocks import (
    Failure,
    Outcome,
    Piece,
    Row,
    blocks_per_scenario,
    finished,
    measured,
    total_blocks,
)
from optionchain.sweeps.definition import SweepDefinition
from optionchain.sweeps.engine import Engine, Pending
from optionchain.sweeps.index import InIndex, SweepIndex
from optionchain.sweeps.progress import Counted, Progress, ProgressObserver, Together
from optionchain.sweeps.results import State, SweepResult, parquet_bytes
from optionchain.sweeps.surroundings import InDoubt, Journal, surroundings


def run(
    sweep: SweepDefinition,
    *,
    engine: Engine | None,
    output: str | None,
    observer: ProgressObserver | None,
    index: SweepIndex | None,
    in_doubt: InDoubt,
) -> SweepResult:
    """Compute a sweep; see `Sweep.run`."""
    engine = engine or surroundings().engine()
    observer = observer or surroundings().observer()
    warn_of_disagreements(sweep.base, calls=2)
    check_measures(sweep)
    engine.check(sweep)
    if sweep.keep == "paths" and output is None:
        raise InvalidInput("output", "is needed to keep paths")
    journal = None if output is None else surroundings().journal(sweep, output, in_doubt)
    observers: list[ProgressObserver] = [Counted(engine.observer), observer]
    if index is not None:
        observers.append(InIndex(index, None if journal is None else journal.folder, engine.observer))
    return _Run(sweep, journal, Together(*observers)).through(engine)


def check_measures(sweep: SweepDefinition) -> None:
    """Try every measure on a few paths of the base.

    Raises:
        InvalidInput: One raises, or returns something else than one finite number a path.
    """
    paths = 2 * sweep.way.multiple
    draws = sweep.way.draws(sweep.base.seed, first_path=0, paths=paths)
    block = sample_block(sweep.base, draws)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        for measure in sweep.measures:
            measured(measure, block)
        if sweep.control is not None:
            measured(sweep.control.measure, block)
            sweep.control.mean(sweep.base)


class Collector:
    """The rows of a sweep as they are done, and the pieces of scenarios that are not.

    Args:
        sweep: What is computed.
    """

    def __init__(self, sweep: SweepDefinition) -> None:
        self._sweep = sweep
        self._blocks = blocks_per_scenario(sweep)
        self._pieces: dict[int, dict[int, Piece]] = {}
        self.numbers = np.full((len(sweep.plan), len(sweep.statistics.columns())), np.nan)
        self.errors: dict[int, str] = {}
        self.is_done = np.zeros(len(sweep.plan), dtype=bool)

    def add(self, outcome: Outcome) -> None:
        """Take in what a task has done."""
        for row in outcome.rows:
            self._finish(row)
        for piece in outcome.pieces:
            self._join(piece)

    def _finish(self, row: Row) -> None:
        self.is_done[row.scenario] = True
        if isinstance(row.result, Failure):
            self.errors[row.scenario] = row.result.reason
        else:
            self.numbers[row.scenario] = row.result

    def _join(self, piece: Piece) -> None:
        """Merge the pieces of a scenario in their order, from block 0 on; the others wait."""
        waiting = self._pieces.setdefault(piece.scenario, {})
        waiting[piece.first] = piece
        head = waiting.get(0)
        while head is not None and head.stop in waiting:
            head = head.merged(waiting.pop(head.stop))
            waiting[0] = head
        if head is not None and head.stop == self._blocks:
            del self._pieces[piece.scenario]
            self._finish(finished(self._sweep, head))


class _Run:
    def __init__(self, sweep: SweepDefinition, journal: Journal | None, observer: ProgressObserver) -> None:
        self._sweep = sweep
        self._journal = journal
        self._observer = observer
        self._collector = Collector(sweep)
        self._progress = Progress(total_scenarios=len(sweep.plan), total_blocks=total_blocks(sweep))

    def through(self, engine: Engine) -> SweepResult:
        done = self._resume()
        pending = Pending(self._progress.total_blocks, done, seconds_per_task=engine.seconds_per_task)
        state: State = "failed"
        with observed(engine.observer, "sweep.run", blocks=pending.blocks) as operation:
            try:
                state = self._work(engine, pending)
            finally:
                operation.facts["state"] = state
                if self._journal is not None:
                    self._journal.flush()
                self._observer.ended(self._progress, state)
        return self._result(state)

    def _resume(self) -> list[tuple[int, int]]:
        done = []
        for outcome in self._journal.recorded() if self._journal else ():
            self._collector.add(outcome)
            self._progress.resume(outcome)
            done.append((outcome.start, outcome.stop))
        self._count()
        return done

    def _work(self, engine: Engine, pending: Pending) -> State:
        keeper = self._journal.keeper() if self._journal and self._sweep.keep == "paths" else None
        try:
            self._observer.started(self._sweep, self._progress)
            outcomes = engine.outcomes(self._sweep, pending, keeper)
            with _CtrlC() as ctrl_c, closing(outcomes):  # type: ignore[type-var]
                for outcome in outcomes:
                    _tell(engine.observer, outcome)
                    self._collector.add(outcome)
                    if self._journal is not None:
                        self._journal.add(outcome)
                    self._progress.add(outcome)
                    self._count()
                    self._observer.advanced(self._progress)
                    ctrl_c.check()
        except KeyboardInterrupt:
            return "interrupted"
        return "completed"

    def _count(self) -> None:
        self._progress.scenarios = int(np.count_nonzero(self._collector.is_done))
        self._progress.failures = len(self._collector.errors)

    def _result(self, state: State) -> SweepResult:
        result = SweepResult(
            sweep=self._sweep,
            state=state,
            numbers=self._collector.numbers,
            errors=self._collector.errors,
            is_done=self._collector.is_done,
            folder=self._journal.folder if self._journal else None,
        )
        if self._journal is not None and state == "completed":
            self._journal.complete(parquet_bytes(result.to_arrow()))
        return result


class _CtrlC:
    """Ctrl-C, also where its exception is lost: Python ignores one in a destructor, as of a reference of Ray.

    What somebody else has the signal do stays, and so does all in another thread than the first, which has no signals.
    """

    def __enter__(self) -> _CtrlC:
        self._came = False
        is_first = threading.current_thread() is threading.main_thread()
        self._is_ours = is_first and signal.getsignal(signal.SIGINT) is signal.default_int_handler
        if self._is_ours:
            signal.signal(signal.SIGINT, self._hear)
        return self

    def __exit__(self, *_: object) -> None:
        if self._is_ours:
            signal.signal(signal.SIGINT, signal.default_int_handler)

    def _hear(self, number: int, frame: FrameType | None) -> None:
        self._came = True
        signal.default_int_handler(number, frame)

    def check(self) -> None:
        """Raise what was lost."""
        if self._came:
            raise KeyboardInterrupt


def _tell(observer: Observer, outcome: Outcome) -> None:
    """A task is over, which somebody else has timed."""
    facts = {"blocks": outcome.stop - outcome.start, "paths": outcome.paths, "contracts": outcome.contracts}
    operation = Operation(
        "sweep.task", facts={**facts}, began=time.perf_counter() - outcome.seconds, seconds=outcome.seconds
    )
    observer.started(operation)
    observer.finished(operation)
