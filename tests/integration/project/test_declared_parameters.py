"""A parameter of a simulation is declared once: one that is made up in a copy of the code is found everywhere."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, get_type_hints

import pytest

from optionchain.declared.parameters import configurable_defaults, declared_parameters, varying_names
from optionchain_client import parameters as of_the_client
from serve_app.bodies.chains import ChainChanges, ChainParameters
from serve_app.bodies.simulations import SimulationRequest

ROOT = Path(__file__).resolve().parents[3]
PACKAGES = ("optionchain", "optionchain_client", "actors", "adapters", "cluster", "serve_app")
BEFORE = "    expirations: Expirations\n    start_at: datetime\n"
MADE_UP = """    tick: Annotated[
        float, Number("Least move of a quote, in currency units", low=0.0, high=7.0), Omission(is_configurable=True)
    ] = 0.25
"""
FIND_IT = """
import json
from datetime import UTC, datetime
from types import SimpleNamespace

import orjson

from optionchain import GeometricBrownian, InvalidInput, SimulationParameters, SingleExpiration
from optionchain.configuration.simulator import SimulatorConfiguration
from optionchain.declared.parameters import varying_names
from optionchain.session import Session, SessionKind
from optionchain.wire.parameters import parameters_from_wire, parameters_to_wire
from optionchain.wire.sessions import session_json
from serve_app.asgi import build_routes
from serve_app.bodies.chains import ChainChanges, ChainParameters, changes_of
from serve_app.bodies.simulations import SimulationRequest

NOW = datetime(2026, 1, 5, tzinfo=UTC)
GIVEN = {
    "symbol": "SPX", "steps": 2, "initial_price": 100.0, "volatility": 0.2, "risk_free_rate": 0.0,
    "dividend_yield": 0.0, "method": {"GeometricBrownian": {"dt": 0.004, "drift": 0.0, "volatility": 0.2}},
    "time_frame": "Day", "days_to_expiration": 30.0,
}
app, _ = build_routes(None)
schemas = app.openapi()["components"]["schemas"]


def parameters(**given):
    return SimulationParameters(**changes_of(ChainParameters(**GIVEN, **given), NOW, given.pop("configured", {})))


def refusal(make):
    try:
        make()
    except InvalidInput as error:
        return [error.field, error.reason]


of_wire = parameters_to_wire(parameters(tick=0.5))
older = {name: value for name, value in of_wire.items() if name != "tick"}
configured = SimulatorConfiguration.from_values({"defaults": {"tick": 1.5}}).defaults
session = Session(
    id="s", owner="o", kind=SessionKind.CHAIN,
    parameters=parameters(tick=0.5), created_at=NOW, updated_at=NOW,
)
print(json.dumps({
    "refused": refusal(lambda: parameters(tick=7.5)),
    "schemas": {
        name: schemas[name]["properties"]["tick"]
        for name in ("ChainParameters", "ChainChanges", "SimulationRequest", "ShownParameters",
                     "SimulationParametersView")
    },
    "cleared": changes_of(ChainChanges(tick=None), NOW)["tick"],
    "checkpoint": [parameters_from_wire(of_wire).tick, parameters_from_wire(older).tick],
    "shown": orjson.loads(session_json(session))["parameters"]["tick"],
    "configured": changes_of(ChainParameters(**GIVEN), NOW, configured)["tick"],
    "misconfigured": refusal(lambda: SimulatorConfiguration.from_values({"defaults": {"tick": 8}})),
    "varies": "tick" in varying_names(),
}))
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a process says whose code declares one parameter more."""
    copy = tmp_path_factory.mktemp("copy")
    for package in PACKAGES:
        shutil.copytree(ROOT / package, copy / package, ignore=shutil.ignore_patterns("__pycache__"))
    declarations = copy / "optionchain" / "parameters.py"
    text = declarations.read_text(encoding="utf-8")
    assert text.count(BEFORE) == 1
    declarations.write_text(text.replace(BEFORE, MADE_UP + BEFORE), encoding="utf-8")
    run = subprocess.run(
        [sys.executable, "-c", FIND_IT],
        cwd=copy,
        env={"PYTHONPATH": str(copy)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    answer: dict[str, Any] = json.loads(run.stdout.splitlines()[-1])
    return answer


def test_it_is_checked_by_name(found: dict[str, Any]) -> None:
    assert found["refused"] == ["tick", "must be between 0 and 7"]


@pytest.mark.parametrize("body", ["ChainParameters", "ChainChanges", "SimulationRequest"])
def test_every_request_has_it_with_its_bounds(found: dict[str, Any], body: str) -> None:
    schema = found["schemas"][body]

    assert schema["anyOf"] == [{"type": "number", "minimum": 0.0, "maximum": 7.0}, {"type": "null"}]
    assert "null means 0.25" in schema["description"]


@pytest.mark.parametrize("body", ["ShownParameters", "SimulationParametersView"])
def test_every_answer_shows_it(found: dict[str, Any], body: str) -> None:
    assert found["schemas"][body] == {
        "type": "number",
        "title": "Tick",
        "description": "Least move of a quote, in currency units",
    }
    assert found["shown"] == 0.5


def test_a_change_to_null_clears_it(found: dict[str, Any]) -> None:
    assert found["cleared"] == 0.25


def test_a_checkpoint_keeps_it_and_an_older_one_has_the_default(found: dict[str, Any]) -> None:
    assert found["checkpoint"] == [0.5, 0.25]


def test_the_configuration_gives_its_default(found: dict[str, Any]) -> None:
    assert found["configured"] == 1.5
    assert found["misconfigured"] == ["values.defaults.tick", "must be between 0 and 7"]


def test_a_sweep_may_vary_it(found: dict[str, Any]) -> None:
    assert found["varies"] is True


@pytest.mark.parametrize(
    ("body", "types"),
    [
        (ChainParameters, of_the_client.SessionParameters),
        (ChainChanges, of_the_client.SessionChanges),
    ],
)
def test_the_client_knows_the_names_of_a_session(body: Any, types: Any) -> None:
    assert set(get_type_hints(types)) == set(body.model_fields)


def test_the_client_knows_the_declared_names_of_a_simulation() -> None:
    of_the_server = set(SimulationRequest.model_fields)

    assert (
        declared_parameters().keys()
        <= set(get_type_hints(of_the_client.SimulationParameters))
        <= of_the_server
    )


def test_what_may_be_configured_is_what_shapes_a_chain() -> None:
    assert configurable_defaults() == {
        "chain_size": 30,
        "strike_interval": None,
        "skew_slope": -0.2,
        "smile_curve": 0.4,
        "spread": 0.01,
        "strike_ladder": "rolling",
        "spread_proportional": 0.0,
        "spread_moneyness_widening": 0.0,
        "spread_tenor_widening": 0.0,
        "spread_tick": None,
    }


def test_neither_the_path_nor_the_expirations_vary_between_scenarios() -> None:
    assert declared_parameters().keys() - varying_names() == {"path"}
    assert "expirations" not in varying_names()
    assert "method" in varying_names()
