"""What the page about contracts shows: its example runs, and its picture is made from today's prices."""

from __future__ import annotations

import io
import re
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import make_early_exercise
import numpy as np

DOCS = Path(__file__).resolve().parents[3] / "docs"
PAGE = (DOCS / "contracts.md").read_text(encoding="utf-8")


def test_the_examples_run_as_they_are_written() -> None:
    """What a comment after a print says is what it prints."""
    names: dict[str, Any] = {}
    for example in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        printed = io.StringIO()
        with redirect_stdout(printed):
            exec(example, names)
        for said in re.findall(r"^# (.*)$", example, re.MULTILINE):
            assert said in printed.getvalue().splitlines()

    assert names["value"].put_price[1] == 40.0
    np.testing.assert_allclose(names["implied"], [0.2, np.nan], rtol=1e-7)


def test_the_picture_shows_both_sides() -> None:
    drawn = make_early_exercise.picture()

    assert [line.name for line in drawn.data] == ["put", "put", "call", "call"]
    put, put_edge, call, call_edge = (np.asarray(line.y) for line in drawn.data)
    assert put[0] > put[-1] >= 0.0
    assert call[-1] > call[0] >= 0.0
    assert np.all(np.diff(put_edge) <= 0.0)
    assert np.all(np.diff(call_edge) >= 0.0)
    assert "images/early-exercise.svg" in PAGE
    assert (DOCS / "images" / "early-exercise.svg").stat().st_size < 200_000
