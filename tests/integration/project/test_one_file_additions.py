"""What takes one file to add: a market model, and a greek that follows from others. Tried on a copy of the package."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]

MODEL = '''
"""A price that stands still."""
from dataclasses import dataclass
import numpy as np
from optionchain.models.model import SampledPaths, market_model
from optionchain.declarations import settle
from optionchain.models.parameters import StepYears, Volatility

@market_model
@dataclass(frozen=True, slots=True, kw_only=True)
class Still:
    """A price that stands still."""
    dt: StepYears
    volatility: Volatility

    def __post_init__(self):
        settle(self)

    def sample(self, spot, steps, draws):
        shape = (draws.paths, steps)
        return SampledPaths(prices=np.full(shape, spot), volatilities=np.full(shape, self.volatility))
'''
SEES_THE_MODEL = """
import json
from optionchain.draws import PhiloxDraws
from optionchain.models import model_from_wire, model_schema, model_to_wire
model = model_from_wire({"Still": {"dt": 0.01, "volatility": 0.2}})
titles = [each["title"] for each in model_schema()["oneOf"]]
print(json.dumps([model_to_wire(model), titles, model.sample(5.0, 2, PhiloxDraws(1)).prices.tolist()]))
"""
GREEK = '''
    @Derived("lambda", "relative price change per relative change of the underlying", side="call",
             greeks="all")
    def call_lambda(self) -> Floats:
        """How many percent the call gains when the underlying gains one."""
        return self.call_delta * self.shared_terms().spot / self.call_mid

    @abstractmethod
    def shared_terms('''
SEES_THE_GREEK = """
import json
from datetime import UTC, datetime, timedelta
from optionchain.chains import build_chain
from optionchain.expirations import Expiration
from optionchain.export import Dataset
from optionchain.wire.contracts import v1_contracts
now = datetime(2026, 1, 5, tzinfo=UTC)
chain = build_chain(symbol="A", quote_time=now, spot=100.0, base_volatility=0.2, chain_size=1,
                    expirations=[Expiration(expires_at=now + timedelta(days=30), labels=())])
table = chain.to_arrow()
print(json.dumps([json.loads(v1_contracts(chain, "all"))[0], table.column("lambda").to_pylist(),
                  dict(table.schema.field("lambda").metadata)[b"unit"].decode(),
                  Dataset.OPTION_CHAINS.schema("all").names, chain.call_lambda().tolist()]))
"""


@pytest.fixture
def package(tmp_path: Path) -> Path:
    ignored = shutil.ignore_patterns("__pycache__")
    return Path(shutil.copytree(ROOT / "optionchain", tmp_path / "optionchain", ignore=ignored))


def run(program: str, package: Path) -> Any:
    printed = subprocess.run(
        [sys.executable, "-P", "-c", program],
        cwd=package.parent,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(package.parent)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return json.loads(printed)


def test_a_market_model_is_one_file(package: Path) -> None:
    (package / "models" / "still.py").write_text(MODEL)

    wire, titles, prices = run(SEES_THE_MODEL, package)

    assert wire == {"Still": {"dt": 0.01, "volatility": 0.2}}
    assert "Still" in titles
    assert prices == [[5.0, 5.0]]


def test_a_greek_that_follows_from_others_is_one_declaration(package: Path) -> None:
    contracts = package / "chains" / "contracts.py"
    contracts.write_text(
        contracts.read_text().replace("\n    @abstractmethod\n    def shared_terms(", GREEK, 1)
    )

    contract, column, unit, exported, values = run(SEES_THE_GREEK, package)

    assert contract["call"]["greeks"]["lambda"] == values[0]
    assert "lambda" not in contract["put"]["greeks"]
    assert column[::2] == values
    assert unit == "relative price change per relative change of the underlying"
    assert "call_lambda" in exported
