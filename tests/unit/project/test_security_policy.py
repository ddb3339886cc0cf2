"""Every threat that SECURITY.md names is shown by a test that there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
POLICY = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
SHOWN = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", POLICY)


def test_every_row_of_the_table_names_a_test() -> None:
    rows = [line for line in POLICY.splitlines() if line.startswith("| ") and not line.startswith("| who |")]

    assert len(SHOWN) == len(rows) > 15


@pytest.mark.parametrize(("file", "test"), SHOWN)
def test_the_test_is_there(file: str, test: str) -> None:
    text = (ROOT / file).read_text(encoding="utf-8")

    name = rf"{test}\(" if test else "test_"
    assert re.search(rf"^(async )?def {name}", text, re.MULTILINE)
