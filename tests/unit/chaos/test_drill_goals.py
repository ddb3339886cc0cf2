"""Every drill has a goal and a runbook with its steps."""

from __future__ import annotations

from pathlib import Path

import pytest

from proving.drills.drills import DRILLS
from proving.drills.goals import GOALS

RUNBOOKS = Path(__file__).resolve().parents[3] / "docs" / "runbooks" / "drills"
SECTIONS = ("## Meaning", "## What to do", "## How it was drilled")


def test_every_drill_has_a_goal_and_every_goal_a_drill() -> None:
    assert GOALS.keys() == DRILLS.keys()


@pytest.mark.parametrize("name", DRILLS)
def test_every_drill_has_a_runbook(name: str) -> None:
    text = (RUNBOOKS / f"{name}.md").read_text("utf-8")

    assert all(section in text for section in SECTIONS)
    assert f"optionchain drill run {name}" in text


def test_every_runbook_has_a_drill() -> None:
    assert {page.stem for page in RUNBOOKS.glob("*.md")} == {*DRILLS}
