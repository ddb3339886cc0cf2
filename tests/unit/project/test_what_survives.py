"""Each row of the table of what survives what names the tests that prove it, and they are there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_every_row_is_proved_by_a_test_that_there_is() -> None:
    page = (ROOT / "docs" / "durability.md").read_text()
    head, _, *rows = re.findall(
        r"^\|.*\|$", page[page.index("| what dies") :].partition("\n\n")[0], re.MULTILINE
    )

    assert head == "| what dies | what a client sees | proved by |"
    assert len(rows) > 10
    for row in rows:
        named = re.findall(r"`(tests/[^`]+\.py)`", row.split("|")[-2])
        assert named, f"nothing proves: {row}"
        for test in named:
            assert "def test_" in (ROOT / test).read_text(), test
