"""Writes `optionchain_client/synchronous` from `optionchain_client/asynchronous`, which is the one to edit.

::

    python -P optionchain_client/make_synchronous.py
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent
SOURCE, TARGET = HERE / "asynchronous", HERE / "synchronous"

# A word of a coroutine's, and what it is where callers wait; what has no such twin is in `concurrency`.
WORDS = {
    r"async (?=def|with|for)": "",
    r"await ": "",
    r"Async(?=[A-Z])": "",
    r"async_(?=\w)": "",
    r"asynchronous": "synchronous",
    r"asynccontextmanager": "contextmanager",
    r"__a(?=enter__|exit__)": "__",
    r"a(?=close\b|closing\b|read\b|iter_bytes\b)": "",
}
# What ruff makes plain again, such as `for x in y: yield x`.
TIDIED = "I,UP028,C416"


def synchronous(source: str, name: str) -> str:
    """A module for callers that wait.

    Args:
        source: The module for coroutines.
        name: Of its file.
    """
    for word, twin in WORDS.items():
        source = re.sub(rf"(?<!\w){word}", twin, source)
    note = f"# Made from asynchronous/{name} by make_synchronous.py: edit that.\n"
    fixed = _ruff("check", "--fix", "--unsafe-fixes", "--quiet", "--select", TIDIED, text=note + source)
    return _ruff("format", "--quiet", text=fixed)


def modules() -> Iterator[tuple[Path, str]]:
    """Where each generated module belongs, and its text."""
    for path in sorted(SOURCE.glob("*.py")):
        yield TARGET / path.name, synchronous(path.read_text(encoding="utf-8"), path.name)


def _ruff(*arguments: str, text: str) -> str:
    # Under a name in the target's folder, so that the project's settings hold.
    command = [sys.executable, "-m", "ruff", *arguments, "--stdin-filename", str(TARGET / "module.py"), "-"]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout  # noqa: S603  ours


if __name__ == "__main__":
    for path, text in modules():
        path.write_text(text, encoding="utf-8")
