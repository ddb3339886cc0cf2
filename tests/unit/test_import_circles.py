"""Modules do not import each other in circles, whether at the top, in a function or for types."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = (
    *("optionchain", "optionchain_client", "optionchain_server"),
    *("actors", "adapters", "cluster", "serve_app", "proving"),
)


def modules() -> dict[str, Path]:
    paths = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    names = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in paths]
    return {name.removesuffix(".__init__"): path for name, path in zip(names, paths, strict=True)}


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{each.name}" for each in node.names)


def reached(start: str, graph: dict[str, set[str]]) -> set[str]:
    found: set[str] = set()
    waiting = list(graph[start])
    while waiting:
        if (name := waiting.pop()) not in found:
            found.add(name)
            waiting += graph[name]
    return found


def test_there_is_no_circle() -> None:
    known = modules()
    # A package's own module gathers what is in it; importing a part of it is no import of it.
    parts = {name for name, path in known.items() if path.name != "__init__.py"}
    graph = {name: (set(imported(known[name])) & parts) - {name} for name in parts}
    beyond = {name: reached(name, graph) for name in parts}

    circles = {
        frozenset(other for other in beyond[name] if name in beyond[other])
        for name in parts
        if name in beyond[name]
    }

    assert circles == set()
