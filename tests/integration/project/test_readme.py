"""What the README's Python examples print, they print."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

README = Path(__file__).resolve().parents[3] / "README.md"
EXAMPLES = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)


def test_the_readme_has_an_example_of_the_library() -> None:
    assert any("from optionchain import" in example for example in EXAMPLES)


@pytest.mark.parametrize("example", [example for example in EXAMPLES if "from optionchain import" in example])
def test_an_example_of_the_library_runs(example: str, capsys: pytest.CaptureFixture[str]) -> None:
    exec(compile(example, str(README), "exec"), {})

    assert capsys.readouterr().out
