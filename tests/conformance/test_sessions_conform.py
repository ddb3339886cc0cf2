"""HTTP v1 as it is promised, seen from outside."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

import httpx
import pytest

STEPS = 5
MARKET = {"bid", "ask", "mid"}


def test_a_new_session_echoes_its_parameters(session: Any) -> None:
    view = session.view

    assert uuid.UUID(view["id"])
    assert (view["state"], view["current_step"], view["total_steps"]) == ("Initialized", 0, STEPS)
    assert view["parameters"]["seed"] == 42
    assert view["parameters"]["time_frame"] == "day"
    assert view["parameters"]["method"]["GeometricBrownian"]["drift"] == 0.05


def test_a_seed_of_64_bits_is_exact(open_session: Any) -> None:
    assert open_session(seed=2**64 - 1).view["parameters"]["seed"] == 2**64 - 1


def test_steps_serve_each_index_once_and_then_are_gone(session: Any) -> None:
    answers = [session.step() for _ in range(STEPS)]

    assert [answer.status_code for answer in answers] == [200] * STEPS
    assert [answer.json()["session_info"]["current_step"] for answer in answers] == [1, 2, 3, 4, 5]
    assert session.step().status_code == session.peek().status_code == 410


def test_a_peek_shows_what_the_step_serves(session: Any) -> None:
    first, second, step = session.peek(), session.peek(), session.step()

    assert first.content == second.content
    assert first.json()["contracts"] == step.json()["contracts"]


def test_a_chain_is_quoted_on_both_sides_in_cents(session: Any) -> None:
    contracts = session.step().json()["contracts"]

    strikes = [contract["strike"] for contract in contracts]
    assert len(strikes) == 11
    assert strikes == sorted(strikes)
    for quote in (contract[side] for contract in contracts for side in ("call", "put")):
        assert quote["bid"] <= quote["mid"] <= quote["ask"]
        assert quote["ask"] >= 0.01
        assert all(abs(quote[name] * 100 - round(quote[name] * 100)) < 1e-6 for name in ("bid", "ask"))


def test_simulated_time_goes_on_and_the_expiration_stays(session: Any) -> None:
    chains = [session.step().json() for _ in range(STEPS)]

    instants = [datetime.fromisoformat(chain["timestamp"]) for chain in chains]
    assert instants == sorted(set(instants))
    assert len({contract["expiration"] for chain in chains for contract in chain["contracts"]}) == 1


def test_one_seed_gives_one_path(open_session: Any) -> None:
    def path() -> list[Any]:
        session = open_session(start_at="2026-01-05T14:30:00Z")
        chains = [session.step().json() for _ in range(STEPS)]
        return [{name: chain[name] for name in ("timestamp", "price", "contracts")} for chain in chains]

    assert path() == path()


def test_greeks_come_as_asked(session: Any) -> None:
    def names(greeks: str) -> set[str]:
        contract = session.peek(greeks=greeks).json()["contracts"][0]
        assert "gamma" in contract
        assert "delta" in contract["put"]
        return set(contract["put"].get("greeks", ()))

    first = {"theta", "vega", "rho", "rho_d"}
    second = {"delta", "gamma", "alpha", "vanna", "vomma", "veta", "charm", "color"}
    assert names("none") == set()
    assert names("first") == first
    assert names("all") == first | second


def test_an_expected_step_guards_the_cursor(session: Any) -> None:
    refused = session.step(expected_step=3)

    assert (refused.status_code, refused.json()["current_step"]) == (412, 0)
    assert session.step(expected_step=0).status_code == 200


def test_steps_in_bulk_are_the_steps_one_by_one(open_session: Any) -> None:
    bulk = open_session().step(count=STEPS + 3).json()["snapshots"]
    single = open_session()

    assert [chain["contracts"] for chain in bulk] == [single.step().json()["contracts"] for _ in range(STEPS)]


def test_a_keyed_step_is_served_once(session: Any) -> None:
    key = str(uuid.uuid4())

    first, second = session.step(key=key), session.step(key=key)

    assert first.content == second.content
    assert session.peek().json()["session_info"]["current_step"] == 1
    assert session.step(key=key, count=1).status_code == 422


def test_changed_parameters_begin_anew(session: Any, api: httpx.Client) -> None:
    session.step()

    view = api.patch("/api/v1/chain", params={"sessionid": session.id}, json={"volatility": 0.4}).json()

    assert (view["state"], view["current_step"]) == ("Reinitialized", 0)
    assert view["parameters"]["volatility"] == 0.4
    assert view["parameters"]["seed"] == 42


def test_an_active_session_is_listed(session: Any, api: httpx.Client) -> None:
    page = api.get("/api/v1/chain/sessions", params={"limit": 1000}).json()

    assert session.id in {view["id"] for view in page["data"]}
    assert page["pagination"]["total"] >= 1


def test_a_deleted_session_is_gone(session: Any) -> None:
    deletion = session.delete()

    assert (deletion.status_code, deletion.json()["session_id"]) == (200, session.id)
    assert session.delete().status_code == session.peek().status_code == session.step().status_code == 404


@pytest.mark.parametrize(
    ("method", "parameters"),
    [
        ("Brownian", {"dt": 0.004, "drift": 0.0, "volatility": 0.2}),
        ("LogReturns", {"dt": 0.004, "expected_return": 0.05, "volatility": 0.2}),
        ("MeanReverting", {"dt": 0.004, "volatility": 0.2, "speed": 2.0, "mean": 5000.0}),
        (
            "JumpDiffusion",
            {
                "dt": 0.004,
                "drift": 0.0,
                "volatility": 0.2,
                "intensity": 2.0,
                "jump_mean": -0.05,
                "jump_volatility": 0.1,
            },
        ),
        ("Garch", {"dt": 0.004, "drift": 0.0, "volatility": 0.2, "alpha": 0.1, "beta": 0.8}),
        (
            "Heston",
            {
                "dt": 0.004,
                "drift": 0.0,
                "volatility": 0.2,
                "kappa": 2.0,
                "theta": 0.04,
                "xi": 0.3,
                "rho": -0.7,
            },
        ),
        (
            "Custom",
            {"dt": 0.004, "drift": 0.0, "volatility": 0.2, "vov": 0.3, "vol_speed": 2.0, "vol_mean": 0.2},
        ),
        (
            "Telegraph",
            {"dt": 0.004, "drift": 0.0, "volatility": 0.2, "lambda_up": 1.0, "lambda_down": 1.0},
        ),
        ("Historical", {"timeframe": "Day", "prices": [100.0, 101.0, 102.0, 101.5, 103.0]}),
    ],
)
def test_every_market_model_is_served(open_session: Any, method: str, parameters: dict[str, Any]) -> None:
    session = open_session(method={method: parameters})

    assert all(session.step().json()["price"] > 0.0 for _ in range(STEPS))
