"""The synchronous client is what the generator makes of the asynchronous one, and needs what it says."""

from __future__ import annotations

import ast
import importlib.metadata
import re
import sys
from pathlib import Path

from optionchain_client.make_synchronous import TARGET, modules, synchronous

PACKAGE = TARGET.parent
MODULES = sorted(PACKAGE.rglob("*.py"))


def test_the_generated_modules_are_up_to_date() -> None:
    made = dict(modules())

    assert made.keys() == set(TARGET.glob("*.py"))
    stale = [path.name for path, text in made.items() if path.read_text(encoding="utf-8") != text]
    assert stale == [], "run: python -P optionchain_client/make_synchronous.py"


def test_nothing_of_a_coroutine_is_left_in_what_is_generated() -> None:
    for path, text in modules():
        left = [n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.AsyncFunctionDef | ast.Await)]
        assert left == [], path.name
        assert re.findall(r"\bAsync\w+|\basync_\w+|\banyio\b", text) == [], path.name


def test_a_coroutine_becomes_a_function() -> None:
    source = '''"""A module."""
from contextlib import asynccontextmanager

async def read(stream: AsyncStream) -> list[int]:
    async with await stream.aopened() as it:
        return [x async for x in it.aiter_bytes()]
'''

    made = synchronous(source, "x.py")

    assert "def read(stream: Stream) -> list[int]:\n    with stream.aopened() as it:\n" in made
    assert "return list(it.iter_bytes())" in made
    assert made.startswith("# Made from asynchronous/x.py")


def imported(path: Path) -> set[str]:
    """The packages that a module names, those of its functions and of type checking apart."""
    names = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        if isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.partition(".")[0])
    return names - sys.stdlib_module_names - {"optionchain_client"}


def test_the_client_needs_httpx_and_stamina_and_what_comes_with_them() -> None:
    needed = set().union(*map(imported, MODULES))
    of_httpx = {re.match(r"[\w-]+", line)[0] for line in importlib.metadata.requires("httpx") or ()}  # type: ignore[index]

    assert needed - of_httpx == {"httpx", "stamina"}
    assert needed & of_httpx == {"anyio"}
