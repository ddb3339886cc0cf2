"""Who is told of a sweep's progress, and how often."""

from __future__ import annotations

import io
import signal
from collections import Counter

import pytest
from rich.console import Console

from cluster.sweeps.console import OnConsole
from optionchain.observing import Unobserved
from optionchain.patience import SILENT_INDEX_SECONDS
from optionchain.sweeps import InProcess, Silent
from optionchain.sweeps.index import SECONDS_BETWEEN_RECORDS, InIndex
from optionchain.sweeps.progress import Progress, Together
from tests.unit.sweeps.sweep_examples import run, sweep


class Clock:
    seconds = 0.0

    def __call__(self):
        return self.seconds


class Records:
    def __init__(self):
        self.states = []
        self.is_down = False

    def record(self, sweep, folder, facts):
        if self.is_down:
            raise ConnectionError
        self.states.append(facts["state"])

    def forget(self, folder):
        return

    def close(self):
        return


def told(index, clock, seconds, times):
    one, progress = sweep(), Progress(total_scenarios=6, total_blocks=6)
    observer = InIndex(index, "/folder", Unobserved(), clock=clock)
    observer.started(one, progress)
    for _ in range(times):
        clock.seconds += seconds
        observer.advanced(progress)
    return observer, progress


def test_a_record_is_changed_every_few_seconds_and_at_the_end():
    index, clock = Records(), Clock()

    observer, progress = told(index, clock, SECONDS_BETWEEN_RECORDS / 4, times=8)
    observer.ended(progress, "completed")

    assert index.states == ["running", "running", "running", "completed"]


def test_an_index_that_is_down_is_asked_again_only_after_a_while():
    index, clock = Records(), Clock()
    index.is_down = True
    observer, progress = told(index, clock, SECONDS_BETWEEN_RECORDS, times=2)
    index.is_down = False

    observer.advanced(progress)
    assert index.states == []
    clock.seconds += SILENT_INDEX_SECONDS
    observer.advanced(progress)
    assert index.states == ["running"]


def test_a_sweep_from_python_can_be_indexed(tmp_path):
    index = Records()

    run(sweep(), index=index, output=str(tmp_path))

    assert index.states == ["running", "completed"]


def test_one_observer_that_stops_a_sweep_leaves_the_others_told_of_its_end():
    class Stops(Silent):
        def started(self, sweep, progress):
            raise KeyboardInterrupt

    class Listens(Silent):
        state = None

        def ended(self, progress, state):
            self.state = state

    listener = Listens()

    result = sweep().run(engine=InProcess(), observer=Together(Stops(), listener))

    assert (result.state, listener.state) == ("interrupted", "interrupted")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_ctrl_c_is_heard_where_its_exception_is_lost():
    class Dropped:
        def __del__(self):
            signal.raise_signal(signal.SIGINT)

    class Drops(Silent):
        blocks = 0

        def advanced(self, progress):
            self.blocks = progress.blocks
            Dropped()

    drops = Drops()

    result = sweep().run(engine=InProcess(seconds_per_task=0.0), observer=drops)

    assert (result.state, drops.blocks) == ("interrupted", 1)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_terminal_shows_bars_with_scenarios_paths_contracts_and_failures():
    shown = io.StringIO()
    console = Console(file=shown, force_terminal=True, width=200)

    def fails_once(block):
        if block.parameters.volatility == 0.3 and block.parameters.method.drift == 0.1:
            raise ValueError
        return block.chains(0).call_mid[:, 0, 20]

    sweep(measures=[fails_once]).run(engine=InProcess(), observer=OnConsole(console))

    assert "━" in shown.getvalue()
    assert "completed: 6/6 scenarios, 1.0k paths" in shown.getvalue()
    assert ", 1 failed" in shown.getvalue()


def test_without_a_terminal_there_is_a_line_now_and_then():
    shown, clock = io.StringIO(), Clock()
    observer = OnConsole(Console(file=shown, width=200), seconds_between_lines=30.0, clock=clock)
    progress = Progress(total_scenarios=100, total_blocks=100)
    observer.started(sweep(), progress)

    for _ in range(100):
        clock.seconds += 1.0
        observer.advanced(progress)

    assert len(shown.getvalue().splitlines()) == 3


def test_the_time_that_is_left_follows_from_the_pace_of_this_run_alone():
    progress = Progress(total_scenarios=10, total_blocks=10, blocks=6, resumed_blocks=4, seconds=8.0)

    assert progress.seconds_left == 16.0


class Listening(Unobserved):
    """An observer that remembers what it is told."""

    def __init__(self):
        self.finished_operations, self.failures, self.counts, self.levels = [], [], Counter(), []

    def finished(self, operation):
        self.finished_operations.append(operation)

    def failed(self, operation, error):
        self.failures.append((operation.name, error))

    def counted(self, quantity, amount=1.0, **labels):
        if quantity == "sweep.running":
            self.levels.append(amount)
        self.counts[quantity] += amount


def test_a_sweep_tells_the_observer_of_its_tasks_and_of_what_it_counts(tmp_path):
    def fails_once(block):
        if block.parameters.volatility == 0.3 and block.parameters.method.drift == 0.1:
            raise ValueError
        return block.chains(0).call_mid[:, 0, 20]

    observer = Listening()
    one = sweep(measures=[fails_once])
    for _ in range(2):  # the second time, all is done already
        run_with(one, observer, output=str(tmp_path))

    tasks = [each for each in observer.finished_operations if each.name == "sweep.task"]
    runs = [each for each in observer.finished_operations if each.name == "sweep.run"]
    assert sum(each.facts["blocks"] for each in tasks) == 6
    assert sum(each.facts["paths"] for each in tasks) == observer.counts["sweep.paths"] == 5 * 200
    assert sum(each.facts["contracts"] for each in tasks) == observer.counts["sweep.contracts"] > 0
    assert all(each.seconds > 0.0 for each in tasks)
    assert [(each.facts["blocks"], each.facts["state"]) for each in runs] == [
        (6, "completed"),
        (0, "completed"),
    ]
    assert (observer.counts["sweep.scenarios"], observer.counts["sweep.failures"]) == (6, 1)
    assert (max(observer.levels), observer.levels[-1]) == (1, 0)


def test_a_sweep_that_breaks_and_an_index_that_fails_are_told_of():
    class Breaks(Silent):
        def advanced(self, progress):
            raise OSError("full")

    observer, index = Listening(), Records()
    index.is_down = True

    with pytest.raises(OSError, match="full"):
        run_with(sweep(), observer, observer_of_progress=Breaks(), index=index)

    assert [name for name, _ in observer.failures] == ["sweep.index", "sweep.index", "sweep.run"]
    assert observer.levels[-1] == 0


def run_with(one, observer, observer_of_progress=None, **options):
    return one.run(engine=InProcess(observer=observer), observer=observer_of_progress or Silent(), **options)
