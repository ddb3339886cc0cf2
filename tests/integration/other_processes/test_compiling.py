"""A compiler comes along where it is asked for, and nowhere else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("numba")

ROOT = Path(__file__).parents[3]


def run(program: str, **environment: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)} | environment,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()


def test_pricing_a_chain_imports_no_compiler() -> None:
    program = (
        "import sys, optionchain.simulation, cluster.cli\n"
        "from optionchain.pricing import black_scholes\n"
        "black_scholes(spot=100.0, strike=90.0, expiry_years=1.0, volatility=0.2)\n"
        "print('numba' in sys.modules, 'llvmlite' in sys.modules)"
    )

    assert run(program) == "False False"


def test_every_kernel_is_compiled_whatever_was_imported() -> None:
    program = (
        "from optionchain import numerics\n"
        "assert numerics.compile_kernels()\n"
        "import importlib, pkgutil, optionchain\n"
        "for module in pkgutil.walk_packages(optionchain.__path__, 'optionchain.'):\n"
        "    if not module.name.endswith('__main__'): importlib.import_module(module.name)\n"
        "print([each.loop.__module__ for each in numerics.engine._KERNELS if not each.is_compiled])"
    )

    assert run(program) == "[]"


def test_numba_can_be_told_to_stay_away() -> None:
    assert (
        run("from optionchain import numerics; print(numerics.compile_kernels())", NUMBA_DISABLE_JIT="1")
        == "False"
    )
