"""Mutants of a small project: what its tests notice, what they do not, and what they do not reach."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
PRICED = """
DISCOUNT = 2

def price(amount, is_member):
    if amount > 10:
        amount = amount - DISCOUNT
    if is_member:
        amount = amount - 1
    return amount

def waited(turns):
    while turns > 0:
        turns -= 1

def never(a):
    return a + 1
"""
TESTS = """
import priced

def test_a_discount():
    assert priced.price(12, False) == 10

def test_no_discount(tmp_path):
    (tmp_path / "database").write_text("large")
    assert priced.price(5, False) == 5

def test_waiting_ends():
    priced.waited(3)

def test_that_is_red_anyway():
    assert priced.price(5, True) == 5
"""
FOUND = """
 survived  priced.py:5  amount > 10  =>  amount >= 10
 survived  priced.py:5  10  =>  11
unreached  priced.py:8  amount - 1  =>  amount + 1
unreached  priced.py:8  1  =>  2
 survived  priced.py:12  turns > 0  =>  turns >= 0
 survived  priced.py:12  0  =>  1
 survived  priced.py:13  1  =>  2
unreached  priced.py:16  a + 1  =>  a - 1
unreached  priced.py:16  1  =>  2
"""


def test_what_no_test_notices_is_shown(tmp_path: Path) -> None:
    (tmp_path / "priced.py").write_text(PRICED)
    (tmp_path / "test_priced.py").write_text(TESTS)
    temporary = tmp_path / "temporary"
    temporary.mkdir()

    run = subprocess.run(
        [sys.executable, "-m", "proving.mutants", "priced.py", "--tests", "test_priced.py"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path}", "TMPDIR": str(temporary)},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )

    assert run.returncode == 0, run.stderr
    *shown, summary = run.stdout.splitlines()
    endless = [line for line in shown if line.startswith("  endless")]
    assert endless == ["  endless  priced.py:13  turns -= 1  =>  turns += 1"]
    assert sorted(set(shown) - set(endless)) == sorted(FOUND.strip("\n").splitlines())
    assert summary == "12 mutants: 2 killed, 5 survived, 1 endless, 4 unreached"
    assert list(temporary.iterdir()) == [], "nothing of the tests is left on the disk"
