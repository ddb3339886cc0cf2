"""Every drill has a runbook with its steps, and a goal that is reached or not."""

from __future__ import annotations

from pathlib import Path

import pytest

from proving.chaos.checker import Verdict, Violation
from proving.drills.cli import Outcome
from proving.drills.drills import DRILLS

RUNBOOKS = Path(__file__).resolve().parents[3] / "docs" / "runbooks" / "drills"
SECTIONS = ("## Meaning", "## What to do", "## How it was drilled")


@pytest.mark.parametrize("name", DRILLS)
def test_every_drill_has_a_runbook(name: str) -> None:
    text = (RUNBOOKS / f"{name}.md").read_text("utf-8")

    assert all(section in text for section in SECTIONS)
    assert f"optionchain drill run {name}" in text


def test_every_runbook_has_a_drill() -> None:
    assert {page.stem for page in RUNBOOKS.glob("*.md")} == {*DRILLS}


CLEAN = Verdict(100, 10, (), 0, 1.0, 1.0)
LOST = Verdict(100, 10, (Violation("lost", "a", 3),), 0, 1.0, 1.0)
DEFECT = Verdict(100, 10, (), 1, 1.0, 1.0)


@pytest.mark.parametrize(
    ("verdict", "seconds", "wait", "losses", "is_reached"),
    [
        (CLEAN, 60.0, 60.0, {"Redis, waited for": 0.0, "MongoDB, not waited for": 5.0}, True),
        (LOST, 1.0, 1.0, {}, False),
        (DEFECT, 1.0, 1.0, {}, False),
        (CLEAN, 60.1, 1.0, {}, False),
        (CLEAN, 1.0, 60.1, {}, False),
        (CLEAN, 1.0, 1.0, {"Redis, waited for": 0.1}, False),
        (CLEAN, 1.0, 1.0, {"MongoDB, not waited for": 5.1}, False),
    ],
)
def test_a_goal_is_reached_where_nothing_is_lost_and_nobody_waits_for_longer(
    verdict: Verdict, seconds: float, wait: float, losses: dict[str, float], is_reached: bool
) -> None:
    outcome = Outcome("site-loss", seconds, (CLEAN, verdict), wait, losses)

    assert DRILLS["site-loss"].goal.seconds == 60.0
    assert outcome.is_reached is is_reached
