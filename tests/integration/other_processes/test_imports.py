"""What is light to import stays light: whoever imports it pays for nothing that it does not use."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
HEAVY = {
    "optionchain_client": {"polars", "pandas", "pyarrow", "ray", "numpy"},
    "optionchain.sweeps": {
        "ray",
        "polars",
        "pandas",
        "plotly",
        "pydantic",
        "httpx",
        "rich",
        "fsspec",
        "cluster",
    },
}


@pytest.mark.parametrize("module", HEAVY)
def test_no_heavy_library_comes_along(module: str) -> None:
    program = f"import sys, {module}; print(sorted({HEAVY[module]!r} & set(sys.modules)))"

    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=100, check=False
    )

    assert done.stdout.strip() == "[]", done.stderr
