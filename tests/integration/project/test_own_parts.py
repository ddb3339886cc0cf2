"""The worked example of docs/own-parts.md, as a distribution with entry points: a new process knows it by name."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "own-parts.md").read_text(encoding="utf-8")
SEES_IT = """
import json, sys
from dataclasses import replace
import numpy as np
import yaml
from optionchain.models import model_from_wire, model_to_wire, model_schema
from optionchain.draws import PhiloxDraws
from optionchain.errors import InvalidInput
from optionchain.measures import sample_block
from optionchain.simulation import Simulation
from optionchain.sweeps import InProcess
from optionchain.sweeps.wire import sweep_from_wire

sweep = sweep_from_wire(yaml.safe_load(open(sys.argv[1]).read()))
result = sweep.run(engine=InProcess())
frame = result.to_polars()
base = sweep.base
block = sample_block(base, PhiloxDraws(base.seed, paths=400))
try:
    model_from_wire({"RegimeSwitching": {"dt": 0.1, "drift": 0, "volatility": 0.2, "turmoil": 0.5, "outbreaks": 1}})
    refused = None
except InvalidInput as error:
    refused = [error.field, error.reason]
growth = np.log(block.prices[:, -1] / 100.0)
print(json.dumps({
    "wire": model_to_wire(base.method),
    "titles": [each["title"] for each in model_schema()["oneOf"]],
    "turmoil": frame["days_of_turmoil_mean"].to_list(),
    "refused": refused,
    "prefix": Simulation(replace(base, steps=20, path=3)).prices.tolist() == block.prices[3, :20].tolist(),
    "mean": float(np.exp(growth).mean()),
    "error": float(np.exp(growth).std() / np.sqrt(len(growth))),
    "chain": len(Simulation(base).chain(5).strikes),
}))
"""


def of_page(language: str) -> str:
    [example] = [
        text for kind, text in re.findall(r"```(\w+)\n(.*?)```", PAGE, re.DOTALL) if kind == language
    ]
    return example


def installed(folder: Path, module: str) -> dict[str, str]:
    """A distribution as an installer leaves it: the module, and its metadata beside."""
    (folder / "regimes.py").write_text(module, encoding="utf-8")
    metadata = folder / "regimes-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: regimes\nVersion: 1.0\n", encoding="utf-8"
    )
    points = of_page("toml").replace('[project.entry-points."', "[").replace('"]', "]").replace('"', "")
    (metadata / "entry_points.txt").write_text(points, encoding="utf-8")
    return dict(os.environ) | {"PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)])}


def run(script: str, *arguments: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", script, *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=100, check=False)


def test_the_example_is_known_by_name_in_sessions_and_in_yaml(tmp_path: Path) -> None:
    environment = installed(tmp_path, of_page("py"))
    (tmp_path / "sweep.yaml").write_text(of_page("yaml"), encoding="utf-8")
    done = run(SEES_IT, str(tmp_path / "sweep.yaml"), environment=environment)

    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout.splitlines()[-1])
    assert seen["wire"]["RegimeSwitching"] == {
        "dt": 0.00274,
        "drift": 0.05,
        "volatility": 0.2,
        "turmoil": 3.0,
        "outbreaks": 4.0,
        "recoveries": 12.0,
    }
    assert len(seen["titles"]) == 12  # the ten, Recorded, and this one
    assert seen["titles"][-1] == "RegimeSwitching"
    assert seen["refused"] == ["method.RegimeSwitching.turmoil", "must be between 1 and 20"]
    # A stationary share of 4 / 16 of the steps would be in turmoil; it starts calm.
    assert all(4.0 < days < 15.0 for days in seen["turmoil"])
    assert seen["prefix"]
    assert abs(seen["mean"] - 1.0119) < 4.5 * seen["error"]
    assert seen["chain"] == 61


def test_an_entry_point_that_cannot_be_loaded_is_named(tmp_path: Path) -> None:
    environment = installed(tmp_path, "import nothing_of_this_name\n")
    script = (
        "from optionchain.errors import InvalidInput\n"
        "from optionchain.models import model_from_wire\n"
        "try:\n    model_from_wire({'Unknown': {}})\nexcept InvalidInput as error:\n    print(error)\n"
    )

    told = run(script, environment=environment).stdout
    assert "the entry point regimes of optionchain.market_models cannot be loaded" in told
