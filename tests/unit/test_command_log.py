"""With `--log json` a command says what it does in lines that a program can read."""

from __future__ import annotations

import orjson
import pytest

from cluster.commands.told import LoggedSteps, LoggedSweep
from optionchain.sweeps import InProcess, Sweep
from tests.recording import Recording
from tests.unit.sweeps.sweep_examples import sweep


def test_each_step_that_is_over_is_a_fact() -> None:
    log = Recording()

    with LoggedSteps(log) as steps:
        steps.step("Redis")
        steps.step("Ray")

    assert [(note.name, note.facts["step"]) for note in log.notes] == [
        ("command.step", "Redis"),
        ("command.step", "Ray"),
    ]


def test_the_step_that_failed_is_named() -> None:
    log = Recording()

    def fail() -> None:
        with LoggedSteps(log) as steps:
            steps.step("Redis")
            raise OSError("no")

    with pytest.raises(OSError, match="no"):
        fail()

    assert [(note.name, note.facts["step"]) for note in log.notes] == [("command.step_failed", "Redis")]


def test_a_sweep_says_when_it_begins_and_how_it_ends() -> None:
    log = Recording()
    one: Sweep = sweep(paths=10)

    one.run(engine=InProcess(), observer=LoggedSweep(log))

    assert [note.name for note in log.notes] == ["sweep.started", "sweep.ended"]
    assert log.notes[-1].facts["state"] == "completed"
    assert log.notes[-1].facts["sweep"] == one.id
    assert orjson.dumps(log.notes[-1].facts)
