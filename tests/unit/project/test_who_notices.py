"""Each process that can die has a row that says who notices, and a test that shows it."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "recovery.md").read_text("utf-8").partition("## Who notices what")[2]
HEAD, _, *ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines() if line[:1] == "|"
]
PROCESSES = [
    *("HTTP replica", "HAProxy", "session actor", "history", "sweep", "raylet", "control store", "scheduler"),
    *("Redis", "sentinel", "MongoDB", "replica set", "supervisor", "Prometheus", "collector", "backup"),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_a_row_says_all_and_names_a_test(row: list[str]) -> None:
    assert len(row) == len(HEAD)
    assert all(row)
    assert (ROOT / "tests" / row[-1].strip("`")).is_file()


@pytest.mark.parametrize("process", PROCESSES)
def test_every_process_has_a_row(process: str) -> None:
    assert any(process in row[0] for row in ROWS)
