"""Tests are built in one way: what several share is in modules of its own, named in full."""

from __future__ import annotations

import ast
import re
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[2]
MODULES = sorted(TESTS.rglob("*.py"))
OURS = {path.stem for path in MODULES} | {path.name for path in TESTS.iterdir() if path.is_dir()}


def place(path: Path) -> str:
    return str(path.relative_to(TESTS.parent))


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{'.' * node.level}{node.module or ''}.{each.name}" for each in node.names)


@pytest.mark.parametrize("module", MODULES, ids=place)
def test_nothing_is_imported_from_another_test_module(module: Path) -> None:
    parts = [part for name in imported(module) for part in name.split(".")]

    assert [part for part in parts if part.startswith("test_") or part == "conftest"] == []


@pytest.mark.parametrize("module", MODULES, ids=place)
def test_what_tests_share_is_imported_by_its_full_name(module: Path) -> None:
    first_parts = {name.partition(".")[0] for name in imported(module)}

    assert first_parts & (OURS | {""}) == set()


def test_one_module_sleeps() -> None:
    # MongoDB has a `sleep` too, in the JavaScript of a hostile configuration.
    sleep = re.compile(r"\b(time|asyncio|anyio|trio)\.sleep\b|import .*\bsleep\b")

    sleeping = {place(path) for path in MODULES if sleep.search(path.read_text(encoding="utf-8"))}

    assert sleeping == {"tests/waiting.py"}


def test_no_module_of_tests_changes_where_modules_are_found() -> None:
    assert [place(path) for path in MODULES if "sys.path.insert" in path.read_text(encoding="utf-8")] == [
        place(Path(__file__).resolve())
    ]


def test_a_unit_test_cannot_start_a_process_or_open_a_port() -> None:
    with pytest.raises(pytest.fail.Exception, match="subprocess"):
        subprocess.run(["true"], check=False)
    with pytest.raises(pytest.fail.Exception, match="socket"), socket.socket() as one:
        one.bind(("127.0.0.1", 0))
