"""What the page about contracts shows: its example runs, and its picture is made from today's prices."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

DOCS = Path(__file__).resolve().parents[3] / "docs"


def test_the_example_runs_as_it_is_written() -> None:
    [example] = re.findall(
        r"```python\n(.*?)```", (DOCS / "contracts.md").read_text(encoding="utf-8"), re.DOTALL
    )
    names: dict[str, Any] = {}

    exec(example, names)

    assert names["value"].put_price[1] == 40.0
    np.testing.assert_allclose(names["implied"], [0.2, np.nan], rtol=1e-7)


def test_the_picture_is_written(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="the picture needs matplotlib").use("Agg")
    import make_early_exercise

    make_early_exercise.main(tmp_path)

    [written] = tmp_path.iterdir()
    assert f"images/{written.name}" in (DOCS / "contracts.md").read_text(encoding="utf-8")
    assert (DOCS / "images" / written.name).stat().st_size < 200_000
