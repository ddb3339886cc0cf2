"""What is added in one file, a route or a formula in two: tried in a copy of the code that has all of it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
PACKAGES = ("optionchain", "optionchain_client", "actors", "adapters", "cluster", "serve_app")

# By file: what is found there, and what stands there instead. Where nothing is found, the file is new.
Edits = dict[str, list[tuple[str, str]]]

MODEL: Edits = {
    "optionchain/models/still.py": [
        (
            "",
            '''
"""A price that stands still."""
from dataclasses import dataclass
import numpy as np
from optionchain.models.model import SampledPaths, market_model
from optionchain.declared.fields import settle
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
''',
        )
    ]
}
GREEK: Edits = {
    "optionchain/chains/contracts.py": [
        (
            "\n    @abstractmethod\n    def shared_terms(",
            '''
    @Derived("lambda", "relative price change per relative change of the underlying", side="call",
             greeks="all")
    def call_lambda(self) -> Floats:
        """How many percent the call gains when the underlying gains one."""
        return self.call_delta * self.shared_terms().spot / self.call_mid

    @abstractmethod
    def shared_terms(''',
        )
    ],
}
# One that follows from nothing that is there.
FORMULA: Edits = {
    "optionchain/pricing/second_order.py": [
        (
            "    def charm(self, delta",
            '''    def speed(self) -> Floats:
        """Gamma change per currency unit of the underlying."""
        volatility, d1, _, _ = self._scores()
        return -self.gamma / self.spot * (1.0 + d1 / (volatility * np.sqrt(self.years)))

    def charm(self, delta''',
        )
    ],
    "optionchain/chains/contracts.py": [
        (
            "\n    @abstractmethod\n    def shared_terms(",
            '''
    @Derived("speed", "gamma per currency unit", greeks="all")
    def speed(self) -> Floats:
        """Change of gamma per currency unit."""
        return self._unless_american(self._second_order().speed())

    @abstractmethod
    def shared_terms(''',
        )
    ],
}
MEASURE: Edits = {
    "optionchain/measures/prices.py": [
        ("__all__ = [", '__all__ = [\n    "lowest_price",'),
        (
            "@named\ndef total_return",
            '''@named
def lowest_price(block: PathBlock) -> Floats:
    """The lowest price of all steps."""
    return block.prices.min(axis=1)


@named
def total_return''',
        ),
    ]
}
ROUTE: Edits = {
    "serve_app/routes/table.py": [
        (
            'Route("GET", f"{_CHAIN}/fan", fans.fan_session, READ),',
            'Route("GET", f"{_CHAIN}/fan", fans.fan_session, READ), Route("GET", "/api/v1/lag", fans.lag, READ),',
        )
    ],
    "serve_app/routes/fans.py": [
        (
            "async def _fan(",
            '''@handler("How late it is", responses=shown(FanView) | errors(400))
async def lag(request: Request) -> Response:
    """Made up."""
    return json_response(b"{}")


async def _fan(''',
        )
    ],
}
SETTING: Edits = {
    "cluster/http_settings.py": [
        (
            "    stall_seconds: float",
            '    lag_seconds: float = Field(3.0, gt=0, description="How late it may be")\n    stall_seconds: float',
        )
    ]
}
METRIC: Edits = {
    "adapters/metrics/service.py": [
        (
            '    Level(of="http.streams"',
            '    Count(of="http.lagged", name="optionchain_http_lagged", description="How late it was", by=(HTTP,)),\n'
            '    Level(of="http.streams"',
        )
    ]
}
FORMAT: Edits = {
    "optionchain/export/encodings.py": [
        ('    PARQUET = "parquet"\n', '    PARQUET = "parquet"\n    LINES = "lines"\n'),
        (
            "            case Format.PARQUET:",
            "            case Format.LINES:\n"
            '                return (one.replace(b"},{", b"}\\n{") for one in _json(batches))\n'
            "            case Format.PARQUET:",
        ),
        ("    Format.PARQUET: ", '    Format.LINES: "application/jsonl",\n    Format.PARQUET: '),
    ]
}
IMPORTER: Edits = {
    "adapters/history_files/presets/madeup.toml": [
        (
            "",
            """about = "a vendor that is made up"
needs = ["date", "expiration", "strike", "option_type", "bid", "ask"]

[columns]
date = "mu_date"
expiration = "mu_expiry"
strike = "mu_strike"
option_type = "mu_type"
bid = "mu_bid"
ask = "mu_ask"
""",
        )
    ]
}
ADDITIONS = (MODEL, GREEK, FORMULA, MEASURE, ROUTE, SETTING, METRIC, FORMAT, IMPORTER)

FIND_THEM = """
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from adapters.history_files import plan_import
from adapters.metrics.sums import MetricSums
from cluster.settings import Settings
from cluster.settings_table import settings_page
from optionchain import SimulationParameters, SingleExpiration, simulate
from optionchain.chains import build_chain
from optionchain.draws import PhiloxDraws
from optionchain.expirations import Expiration
from optionchain.export import Dataset, Export, Format
from optionchain.measures import measure_name
from optionchain.measures.wire import measure_from_wire
from optionchain.models import model_from_wire, model_schema, model_to_wire
from optionchain.wire.contracts import v1_contracts
from optionchain.wire.snapshots import snapshot_body
from optionchain_client import Snapshot, snapshots
from serve_app.asgi import build_routes
from serve_app.routes import sweeps

NOW = datetime(2026, 1, 5, tzinfo=UTC)
model = model_from_wire({"Still": {"dt": 0.01, "volatility": 0.2}})
chain = build_chain(symbol="A", quote_time=NOW, spot=100.0, base_volatility=0.2, chain_size=1,
                    expirations=[Expiration(expires_at=NOW + timedelta(days=30), labels=())])
table = chain.to_arrow()
parameters = SimulationParameters(symbol="A", steps=2, initial_price=100.0, volatility=0.2, seed=1, start_at=NOW,
                                  method=model, expirations=SingleExpiration(30.0))
simulation = simulate(parameters)
body = json.loads(snapshot_body(simulation, 0, "all"))
shown = Snapshot(0, 2, body | {"session_info": {"current_step": 0, "total_steps": 2}})
lines = b"".join(Export(parameters=parameters, dataset=Dataset.UNDERLYING, format=Format("lines")).pieces())
sums = MetricSums(process="http")
sums.counted("http.lagged", 2.0)
file = Path("vendor.csv")
file.write_text("mu_date,mu_expiry,mu_strike,mu_type,mu_bid,mu_ask\\n2024-01-02,2024-02-16,100,C,1.0,1.1\\n"
                "2024-01-02,2024-02-16,100,P,1.0,1.1\\n")
app, _ = build_routes(None)
document = app.openapi()
print(json.dumps({
    "model": [model_to_wire(model), model.sample(5.0, 2, PhiloxDraws(1)).prices.tolist(),
              [each["title"] for each in model_schema()["oneOf"]], "Still" in json.dumps(document)],
    "greek": [json.loads(v1_contracts(chain, "all"))[0], table.column("lambda").to_pylist()[::2],
              dict(table.schema.field("lambda").metadata)[b"unit"].decode(),
              Dataset.OPTION_CHAINS.schema("all").names, chain.call_lambda().tolist(),
              sorted(set(shown.to_polars().columns) - set(snapshots.COLUMNS))],
    "formula": [json.loads(v1_contracts(chain, "all"))[0]["put"]["greeks"], table.column("speed").to_pylist(),
                simulation.chain(0).to_polars("all").filter(option_type="put")["speed"].to_list(),
                shown.to_polars().filter(option_type="put")["speed"].to_list()],
    "measure": [measure_name(measure_from_wire("lowest_price", "measures")), sweeps.__dict__["_NAMES"]],
    "route": list(document["paths"]["/api/v1/lag"]),
    "setting": [Settings(http={"lag_seconds": 4.0}).http.lag_seconds, settings_page()],
    "metric": sorted(series.name for part in sums.taken() for series in part),
    "format": [lines.count(b"\\n"), Format("lines").media_type, "lines" in json.dumps(document)],
    "importer": plan_import(file, asset="A", underlying_price=100.0).describe()["format"],
}))
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a process finds whose code has all of them."""
    copy = tmp_path_factory.mktemp("copy")
    for package in PACKAGES:
        shutil.copytree(ROOT / package, copy / package, ignore=shutil.ignore_patterns("__pycache__"))
    for edits in ADDITIONS:
        for name, changes in edits.items():
            file = copy / name
            text = file.read_text(encoding="utf-8") if file.exists() else ""
            for before, after in changes:
                assert bool(before) is file.exists()
                assert not before or text.count(before) == 1, (name, before)
                text = text.replace(before, after) if before else after
            file.write_text(text, encoding="utf-8")
    run = subprocess.run(
        [sys.executable, "-c", FIND_THEM],
        cwd=copy,
        env={"PYTHONPATH": str(copy), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    answer: dict[str, Any] = json.loads(run.stdout.splitlines()[-1])
    return answer


def test_a_route_and_the_formula_of_a_greek_are_two_files_and_all_else_one() -> None:
    assert [len(edits) for edits in ADDITIONS] == [1, 1, 2, 1, 2, 1, 1, 1, 1]


def test_a_market_model_is_one_file(found: dict[str, Any]) -> None:
    wire, prices, titles, is_documented = found["model"]

    assert wire == {"Still": {"dt": 0.01, "volatility": 0.2}}
    assert prices == [[5.0, 5.0]]
    assert "Still" in titles
    assert is_documented


def test_a_greek_that_follows_from_others_is_a_declaration(found: dict[str, Any]) -> None:
    contract, column, unit, exported, values, new_in_the_client = found["greek"]

    assert contract["call"]["greeks"]["lambda"] == values[0]
    assert "lambda" not in contract["put"]["greeks"]
    assert column == values
    assert unit == "relative price change per relative change of the underlying"
    assert "call_lambda" in exported
    assert new_in_the_client == ["lambda", "speed"]


def test_a_greek_with_a_formula_of_its_own_is_the_formula_and_a_declaration(found: dict[str, Any]) -> None:
    greeks, column, simulated, in_the_client = found["formula"]

    assert greeks["speed"] == column[0] != 0.0
    assert in_the_client == simulated


def test_a_measure_is_one_function(found: dict[str, Any]) -> None:
    name, documented = found["measure"]

    assert name == "lowest_price"
    assert "lowest_price" in documented


def test_a_route_is_a_row_and_a_handler(found: dict[str, Any]) -> None:
    assert found["route"] == ["get"]


def test_a_setting_is_one_field(found: dict[str, Any]) -> None:
    value, page = found["setting"]

    assert value == 4.0
    assert "`OCS_HTTP_LAG_SECONDS`" in page


def test_a_metric_is_one_row(found: dict[str, Any]) -> None:
    assert "optionchain_http_lagged" in found["metric"]


def test_a_format_of_exports_is_one_file(found: dict[str, Any]) -> None:
    assert found["format"] == [1, "application/jsonl", True]


def test_a_vendor_of_history_is_one_file(found: dict[str, Any]) -> None:
    assert found["importer"] == "madeup"
