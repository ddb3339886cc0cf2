"""What docs/surfaces.md shows runs, and says what it says."""

from __future__ import annotations

import re
from pathlib import Path

from optionchain.surfaces import SMILES, TERM_STRUCTURES

PAGE = Path(__file__).parents[3] / "docs" / "surfaces.md"


def test_the_example_runs(capsys):
    examples = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    exec(compile("".join(examples), str(PAGE), "exec"), {})
    first, second, third = capsys.readouterr().out.splitlines()
    assert re.match(r"0\.000\d\d Ssvi\(rho=-0\.6", third)

    assert re.fullmatch(r"\d+ vertical of calls .*", first)
    assert second == "() ()"


def test_every_family_and_term_structure_is_in_a_table():
    text = PAGE.read_text(encoding="utf-8")

    for name in (*SMILES, *TERM_STRUCTURES):
        assert f"| `{name}` |" in text
