"""Whatever process computes something, it is the same to the byte, and has the same name."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
DRAWS = """
from optionchain.draws.philox import Factor, PhiloxDraws

draws = PhiloxDraws(2**63 + 5, first_path=4, paths=2)
result = draws.normals(Factor.VOLATILITY, 100).tobytes().hex()
"""
PATHS = """
from optionchain.draws.philox import PhiloxDraws
from tests.unit.models.model_laws import SEED, SPECIMENS, SPOT

draws = PhiloxDraws(SEED, first_path=9)
result = [model.sample(SPOT, 40, draws).prices.tobytes().hex() for model in SPECIMENS.values()]
"""
EXPORTS = """
import hashlib
from optionchain.export import Export, Format
from tests.unit.export.simulations import parameters

exports = [Export(parameters=parameters(), format=format) for format in Format]
result = [hashlib.sha256(b"".join(export.pieces())).hexdigest() for export in exports]
"""
SWEEP = """
from optionchain.measures import short_strangle, terminal_price
from tests.unit.sweeps.sweep_examples import above, sweep

result = sweep(measures=[terminal_price, short_strangle(), above(90.0)]).id
"""


def here(program: str) -> object:
    names: dict[str, object] = {}
    exec(program, names)
    return names["result"]


@pytest.mark.parametrize(
    "program", [DRAWS, PATHS, EXPORTS, SWEEP], ids=["draws", "paths", "exports", "sweep"]
)
def test_another_process_has_the_same_result(program: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", f"{program}\nprint(repr(result), end='')"],
        cwd=ROOT,
        # Whatever is ordered by a hash is ordered otherwise there.
        env={**os.environ, "PYTHONHASHSEED": "5", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )

    assert done.stdout == repr(here(program)), done.stderr
