"""The README's sweep runs as it is pasted."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

README = Path(__file__).resolve().parents[3] / "README.md"


@pytest.mark.usefixtures("ray_address")
def test_the_sweep_of_the_readme_runs(capsys: pytest.CaptureFixture[str]) -> None:
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    (example,) = [block for block in blocks if "result = Sweep(" in block]

    exec(compile(example, str(README), "exec"), {})

    assert "shape: (12, 4)" in capsys.readouterr().out
