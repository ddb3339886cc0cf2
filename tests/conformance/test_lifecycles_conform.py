"""Sessions and simulations from creation to deletion, and that a seed is a path: the public suite's `v1_lifecycle`,
`v2_lifecycle` and `reproducibility`."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.conformance.reference_simulation import REFERENCE

AAPL: dict[str, Any] = {
    "symbol": "AAPL",
    "steps": 4,
    "initial_price": 100.0,
    "days_to_expiration": 30.0,
    "volatility": 0.2,
    "risk_free_rate": 0.05,
    "dividend_yield": 0.01,
    "method": {"GeometricBrownian": {"dt": 0.004, "drift": 0.05, "volatility": 0.2}},
    "time_frame": "Day",
    "chain_size": 2,
    "strike_interval": 5.0,
    "start_at": "2026-01-05T14:30:00Z",
}
CHAIN = "/api/v1/chain"


def test_a_session_is_told_its_seed_and_keeps_it(open_session: Any, api: httpx.Client) -> None:
    session = open_session(**AAPL | {"seed": None, "steps": 3})
    view = session.view

    assert (view["total_steps"], view["current_step"], view["state"]) == (3, 0, "Initialized")
    assert view["parameters"]["symbol"] == "AAPL"
    again = api.patch(CHAIN, params={"sessionid": session.id}, json={}).json()
    assert again["parameters"]["seed"] == view["parameters"]["seed"] > 0


def test_a_session_walks_to_its_end_and_shows_what_it_will_serve(open_session: Any) -> None:
    session = open_session(**AAPL | {"seed": 7})

    for step in range(4):
        peeked, again, served = session.peek(), session.peek(), session.step()
        assert (peeked.json()["session_info"]["current_step"], peeked.content) == (step, again.content)
        assert served.json()["price"] == peeked.json()["price"]
        assert served.json()["contracts"]
        assert served.json()["session_info"]["current_step"] == step + 1
    assert session.step().status_code == session.peek().status_code == 410


def test_what_is_changed_and_replaced_is_what_the_next_snapshot_has(
    open_session: Any, api: httpx.Client
) -> None:
    session = open_session(**AAPL | {"seed": 11})
    here = {"sessionid": session.id}
    session.step()

    changed = api.patch(CHAIN, params=here, json={"volatility": 0.35}).json()
    after_change = session.peek().json()
    session.step()
    method = {"GeometricBrownian": {"dt": 0.004, "drift": 0.05, "volatility": 0.25}}
    replacement = AAPL | {"initial_price": 120.0, "volatility": 0.25, "method": method}
    replaced = api.put(CHAIN, params=here, json=replacement).json()
    after_replacement = session.peek().json()

    assert (changed["id"], changed["parameters"]["volatility"], changed["current_step"]) == (
        session.id,
        0.35,
        0,
    )
    assert after_change["session_info"]["current_step"] == 0
    assert after_change["contracts"][0]["implied_volatility"] > 0.3
    assert (replaced["id"], replaced["current_step"]) == (session.id, 0)
    assert (after_replacement["session_info"]["current_step"], after_replacement["price"]) == (0, 120.0)


def test_a_deleted_session_is_gone_for_every_method(open_session: Any, api: httpx.Client) -> None:
    session = open_session(**AAPL)
    here = {"sessionid": session.id}
    assert session.delete().status_code == 200

    answers = (
        session.peek(),
        session.step(),
        api.patch(CHAIN, params=here, json={"volatility": 0.3}),
        api.put(CHAIN, params=here, json=AAPL),
        session.delete(),
    )

    assert [answer.status_code for answer in answers] == [404] * 5


def test_a_simulation_echoes_what_a_replay_needs(open_simulation: Any) -> None:
    created = open_simulation(steps=3).created
    parameters = created["parameters"]

    assert (created["state"], created["cursor"]) == ("initialized", {"current_step": 0, "total_steps": 3})
    assert (parameters["symbol"], parameters["steps"], parameters["seed"]) == ("SPX", 3, 42)
    assert (parameters["chain_size"], parameters["step_interval_seconds"]) == (2, 86_400)
    assert parameters["effective_start"]
    assert parameters["tzdb_version"]
    assert [rule["rule_id"] for rule in parameters["schedules"]] == ["zero_dte"]
    assert open_simulation(seed=None).created["parameters"]["seed"] > 0


def test_reading_a_simulation_moves_nothing(open_simulation: Any) -> None:
    simulation = open_simulation()
    before = simulation.view()

    assert simulation.peek().status_code == simulation.peek().status_code == 200
    assert simulation.view() == before


def test_a_simulation_walks_to_its_end(open_simulation: Any) -> None:
    simulation = open_simulation(steps=3)

    assert [simulation.step().status_code for _ in range(4)] == [200, 200, 200, 410]
    assert (simulation.cursor, simulation.view()["state"]) == (3, "completed")


def test_a_stale_precondition_consumes_nothing(open_simulation: Any) -> None:
    simulation = open_simulation()
    before = simulation.view()

    refused = simulation.step(expected_step=2)

    assert (refused.status_code, refused.json()["current_step"]) == (412, 0)
    assert simulation.view() == before
    assert simulation.step(expected_step=0).status_code == 200
    assert simulation.cursor == 1


def test_a_deleted_simulation_is_gone(open_simulation: Any) -> None:
    simulation = open_simulation()
    assert simulation.delete().status_code == 200

    answers = (simulation.peek(), simulation.step(), simulation.delete())
    assert [answer.status_code for answer in answers] == [404] * 3


def test_one_seed_is_one_market_and_another_is_another(open_simulation: Any) -> None:
    first, second, other = (open_simulation(seed=seed).walked(4) for seed in (4242, 4242, 1))

    assert first == second
    assert first != other


def test_what_nobody_chose_is_replayed_from_what_was_echoed(open_simulation: Any) -> None:
    original = open_simulation(seed=None, start_at=None)
    echoed = original.created["parameters"]
    replay = open_simulation(seed=echoed["seed"], start_at=echoed["effective_start"])

    assert original.walked(REFERENCE["steps"]) == replay.walked(REFERENCE["steps"])


@pytest.mark.parametrize("seed", [11])
def test_a_session_of_one_seed_is_one_market(open_session: Any, seed: int) -> None:
    first, second = (open_session(**AAPL | {"seed": seed}) for _ in range(2))

    for _ in range(4):
        left, right = first.step().json(), second.step().json()
        assert [left[name] for name in ("timestamp", "price", "contracts")] == [
            right[name] for name in ("timestamp", "price", "contracts")
        ]
