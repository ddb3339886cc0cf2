"""Every number is the same to the last bit, whatever computes it: numba for this processor and for any, NumPy alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from numpy._core._multiarray_umath import __cpu_dispatch__ as dispatched

PROGRAM = Path(__file__).with_name("every_output.py")
ROOT = Path(__file__).parents[2]
# What NumPy has beyond the oldest processors that it runs on.
WITHOUT_DISPATCH = {"NPY_DISABLE_CPU_FEATURES": " ".join(dispatched)}


def digests(*arguments: str, **environment: str) -> dict[str, str]:
    run = subprocess.run(
        [sys.executable, str(PROGRAM), *arguments],
        env=os.environ | {"PYTHONPATH": str(ROOT)} | environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=110,
    )
    found: dict[str, str] = json.loads(run.stdout)
    return found


@pytest.fixture(scope="module")
def plain() -> dict[str, str]:
    """By NumPy alone, as it runs on this processor."""
    return digests(NUMBA_DISABLE_JIT="1")


def test_there_are_all_kinds_of_output(plain: dict[str, str]) -> None:
    assert len(plain) > 100
    assert len(set(plain.values())) > 90


def test_numpy_gives_the_same_bytes_without_the_instructions_of_this_processor(plain: dict[str, str]) -> None:
    assert digests(NUMBA_DISABLE_JIT="1", **WITHOUT_DISPATCH) == plain


def test_machine_code_gives_the_bytes_of_plain_numpy(plain: dict[str, str]) -> None:
    pytest.importorskip("numba")

    assert digests("compiled") == plain


def test_machine_code_for_any_processor_gives_them_too(plain: dict[str, str], tmp_path: Path) -> None:
    pytest.importorskip("numba")

    generic = digests("compiled", NUMBA_CPU_NAME="generic", NUMBA_CACHE_DIR=str(tmp_path), **WITHOUT_DISPATCH)

    assert generic == plain
