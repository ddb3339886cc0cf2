"""The project keeps its own shape: small modules with a purpose, a documented domain."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = (
    "optionchain",
    "optionchain_client",
    "proving",
    "actors",
    "adapters",
    "cluster",
    "serve_app",
    "optionchain_server",
)
MODULES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
DOMAIN = [path for path in MODULES if path.is_relative_to(ROOT / "optionchain")]
MAX_LINES = 300
VAGUE_NAMES = {"utils", "helpers", "common", "misc", "classes"}


def place(path: Path) -> str:
    return str(path.relative_to(ROOT))


Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(body: list[ast.stmt]) -> Iterator[Function]:
    """The public ones; a property is an attribute, which its class documents."""
    for node in body:
        if isinstance(node, Function) and not node.name.startswith("_") and not is_property(node):
            yield node


def is_property(function: Function) -> bool:
    return any(isinstance(d, ast.Name) and d.id.endswith("property") for d in function.decorator_list)


def methods(tree: ast.Module) -> Iterator[Function]:
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield from functions(node.body)


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def documented_methods() -> set[str]:
    """The methods of the domain that are documented somewhere: where a protocol declares them."""
    return {method.name for path in DOMAIN for method in methods(parsed(path)) if ast.get_docstring(method)}


@pytest.mark.parametrize("module", MODULES, ids=place)
def test_a_module_holds_one_idea(module: Path) -> None:
    lines = len(module.read_text(encoding="utf-8").splitlines())

    assert lines <= MAX_LINES
    assert module.stem not in VAGUE_NAMES


@pytest.mark.parametrize("module", MODULES, ids=place)
def test_a_module_says_why_it_exists(module: Path) -> None:
    text = module.read_text(encoding="utf-8")

    assert not text.strip() or ast.get_docstring(ast.parse(text))


@pytest.mark.parametrize("module", DOMAIN, ids=place)
def test_the_public_domain_is_documented(module: Path, documented_methods: set[str]) -> None:
    tree = parsed(module)

    undocumented = [f.name for f in functions(tree.body) if not ast.get_docstring(f)]
    undocumented += [m.name for m in methods(tree) if m.name not in documented_methods]

    assert undocumented == []
