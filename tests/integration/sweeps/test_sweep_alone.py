"""Sweeps where Ray, or all that is not the domain, is not installed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
PROGRAM = """
import sys

class NotInstalled:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {missing!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, NotInstalled())
from optionchain import InvalidInput, Sweep
from optionchain.measures import terminal_price
from datetime import UTC, datetime
from optionchain import GeometricBrownian, SimulationParameters, SingleExpiration

base = SimulationParameters(
    symbol="SPX", steps=5, initial_price=100.0, volatility=0.2,
    method=GeometricBrownian(dt=1 / 252, drift=0.0, volatility=0.2),
    expirations=SingleExpiration(days=30.0), seed=7, start_at=datetime(2026, 1, 5, tzinfo=UTC),
)
sweep = Sweep(base=base, measures=[terminal_price], grid={{"volatility": [0.1, 0.4]}}, paths=100)
try:
    result = sweep.run(output={output!r})
    print(result.state, result.is_done.sum(), result.to_polars().height, result.folder is not None)
except InvalidInput as problem:
    print(problem)
print(sorted({missing!r} & set(sys.modules)))
"""


def printed(missing: set[str], output: str | None) -> list[str]:
    program = PROGRAM.format(missing=missing, output=output)
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_a_sweep_without_ray_runs_in_this_process_and_is_recorded(tmp_path: Path) -> None:
    assert printed({"ray"}, str(tmp_path)) == ["completed 2 2 True", "[]"]
    assert len(list(tmp_path.glob("*/parts/*.parquet"))) == 1


def test_the_domain_alone_runs_a_sweep() -> None:
    ours = {"optionchain_server", "cluster", "adapters", "actors", "serve_app"}
    outside = ours | {"ray", "redis", "pymongo", "fastapi", "pydantic", "httpx", "rich"}

    assert printed(outside, None) == ["completed 2 2 False", "[]"]
    assert (
        printed(outside, "somewhere")[0]
        == "output: is written by the service, which is not installed: pip install optionchain-simulator"
    )
