"""Smile families as a session has them: created, changed, cleared, shown, and refused by name."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from optionchain.models import model_from_wire
from optionchain.parameters import SimulationParameters, SingleExpiration
from optionchain.simulation import simulate
from optionchain.wire.instants import instant_from_wire
from serve_app.bodies.simulations import EXAMPLE

pytestmark = pytest.mark.anyio
CHAIN = "/api/v1/chain"
SSVI = {"ssvi": {"rho": -0.7, "eta": 1.1, "gamma": 0.5}}


async def volatilities(api: httpx.AsyncClient, session: str) -> list[float]:
    chain = (await api.get(CHAIN, params={"sessionid": session})).json()
    return [each["implied_volatility"] for each in chain["contracts"]]


async def test_a_session_has_the_smile_that_was_asked_for_until_it_is_cleared(
    api: httpx.AsyncClient, parameters: dict[str, Any]
) -> None:
    plain = (await api.post(CHAIN, json=parameters)).json()
    assert "smile" not in plain["parameters"]
    made = (await api.post(CHAIN, json=parameters | {"smile": {"ssvi": {"rho": -0.7, "eta": 1.1}}})).json()
    assert made["parameters"]["smile"] == SSVI

    shown = made["parameters"]
    library = SimulationParameters(
        **{name: parameters[name] for name in ("symbol", "steps", "initial_price", "volatility")},
        risk_free_rate=0.04,
        dividend_yield=0.015,
        method=model_from_wire(parameters["method"]),
        chain_size=2,
        seed=42,
        expirations=SingleExpiration(30.0),
        start_at=instant_from_wire("start_at", shown["start_at"]),
        smile=SSVI,
    )
    expected = simulate(library).chain(0).implied_volatilities.tolist()
    assert await volatilities(api, made["id"]) == expected

    cleared = await api.patch(CHAIN, params={"sessionid": made["id"]}, json={"smile": None})
    assert cleared.status_code == 200, cleared.text
    assert "smile" not in cleared.json()["parameters"]
    assert await volatilities(api, made["id"]) == await volatilities(api, plain["id"])


async def test_a_simulation_is_replayed_from_its_echo(api: httpx.AsyncClient) -> None:
    body = EXAMPLE | {
        "steps": 3,
        "smile": SSVI,
        "smile_dynamics": "sticky_strike",
        "volatility_term": {"given": {"days": [30, 365], "multiples": [1.1, 0.9]}},
    }
    made = (await api.post("/api/v2/simulations", json=body)).json()
    again = (await api.post("/api/v2/simulations", json=made["parameters"])).json()

    assert {name: made["parameters"][name] for name in ("smile", "smile_dynamics", "volatility_term")} == {
        "smile": SSVI,
        "smile_dynamics": "sticky_strike",
        "volatility_term": {"given": {"days": [30.0, 365.0], "multiples": [1.1, 0.9]}},
    }
    steps = [(await api.post(f"/api/v2/simulations/{one['id']}/step")).json() for one in (made, again)]
    assert steps[0]["chains"] == steps[1]["chains"]


@pytest.mark.parametrize(
    ("smile", "field"),
    [
        ({"svvi": {}}, "smile"),
        ({"ssvi": {"rho": -0.7}}, "smile.ssvi.eta"),
        ({"ssvi": {"rho": 0.5, "eta": 1.9}}, "smile.ssvi.eta"),
        ({"model": {"kappa": 1}}, "smile.model.kappa"),
    ],
)
async def test_what_is_wrong_is_a_400_that_names_it(
    api: httpx.AsyncClient, parameters: dict[str, Any], smile: Any, field: str
) -> None:
    answer = await api.post(CHAIN, json=parameters | {"smile": smile})

    assert answer.status_code == 400
    assert field in answer.text
