"""HTTP v2, exports and streams as they are promised, seen from outside."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import httpx
import pytest

SIMULATIONS = "/api/v2/simulations"
STEPS = 4
PARAMETERS: dict[str, Any] = {
    "symbol": "SPX",
    "steps": STEPS,
    "start_at": "2026-01-09T21:30:00Z",
    "step_interval_seconds": 43_200,
    "timezone": "America/New_York",
    "expiration_time": "17:00",
    "schedules": [
        {"rule_id": "zero_dte", "kind": "daily", "target_count": 1},
        {"rule_id": "fridays", "kind": "weekly", "target_count": 2, "weekdays": ["Fri"]},
    ],
    "initial_price": 5000.0,
    "volatility": 0.18,
    "risk_free_rate": 0.04,
    "dividend_yield": 0.012,
    "method": {"GeometricBrownian": {"dt": 0.004, "drift": 0.05, "volatility": 0.18}},
    "time_frame": "Day",
    "chain_size": 2,
    "seed": 2**64 - 1,
}
MEDIA_TYPES = {
    "json": "application/json",
    "csv": "text/csv",
    "arrow": "application/vnd.apache.arrow.stream",
    "parquet": "application/vnd.apache.parquet",
}
Simulate = Callable[..., str]


@pytest.fixture
def simulate(api: httpx.Client) -> Iterator[Simulate]:
    """Creates simulations and returns their paths; they are deleted afterwards."""
    paths: list[str] = []

    def create(**changes: Any) -> str:
        answer = api.post(SIMULATIONS, json={**PARAMETERS, **changes})
        assert answer.status_code == 201, answer.text
        paths.append(f"{SIMULATIONS}/{answer.json()['id']}")
        return paths[-1]

    yield create
    for path in paths:
        api.delete(path)


@pytest.fixture
def path(simulate: Simulate) -> str:
    return simulate()


def market(snapshot: dict[str, Any]) -> dict[str, Any]:
    return {name: snapshot[name] for name in ("simulated_at", "underlying", "chains")}


def steps(api: httpx.Client, path: str) -> list[dict[str, Any]]:
    snapshots: list[dict[str, Any]] = api.post(f"{path}/step", params={"count": 1000}).json()["snapshots"]
    return snapshots


def test_a_new_simulation_echoes_its_parameters_normalised(path: str, api: httpx.Client) -> None:
    view = api.get(path).json()

    assert (view["state"], view["cursor"]) == ("initialized", {"current_step": 0, "total_steps": STEPS})
    parameters = view["parameters"]
    assert parameters["seed"] == 2**64 - 1
    assert parameters["effective_start"] == parameters["start_at"] == PARAMETERS["start_at"]
    assert [rule["rule_id"] for rule in parameters["schedules"]] == ["fridays", "zero_dte"]
    assert parameters["tzdb_version"]


def test_an_expiration_that_is_gone_is_replenished_in_the_same_snapshot(path: str, api: httpx.Client) -> None:
    friday, saturday, *_ = steps(api, path)

    assert friday["chains"][0]["expires_at"] == "2026-01-09T22:00:00Z"
    assert friday["chains"][0]["labels"] == ["fridays", "zero_dte"]
    assert (saturday["chains"][0]["expires_at"], saturday["chains"][0]["labels"]) == (
        "2026-01-12T22:00:00Z",
        ["zero_dte"],
    )
    assert all(chain["days_to_expiration"] > 0.0 for chain in friday["chains"] + saturday["chains"])


def test_a_peek_shows_what_the_step_serves(path: str, api: httpx.Client) -> None:
    peek, step = api.get(f"{path}/snapshot").json(), api.post(f"{path}/step").json()

    assert market(peek) == market(step)
    assert (peek["cursor"]["current_step"], step["cursor"]["current_step"]) == (0, 1)


def test_steps_serve_each_index_once_and_then_are_gone(path: str, api: httpx.Client) -> None:
    first = api.post(f"{path}/step", params={"expected_step": 0, "count": 3}).json()["snapshots"]
    stale = api.post(f"{path}/step", params={"expected_step": 0})
    last = api.post(f"{path}/step", params={"expected_step": 3, "count": 3}).json()["snapshots"]

    assert [snapshot["cursor"]["current_step"] for snapshot in first + last] == [1, 2, 3, 4]
    assert (stale.status_code, stale.json()["current_step"]) == (412, 3)
    assert last[-1]["state"] == "completed"
    assert api.post(f"{path}/step").status_code == api.get(f"{path}/snapshot").status_code == 410


def test_the_echo_is_a_request_for_the_same_simulation(simulate: Simulate, api: httpx.Client) -> None:
    first = simulate(seed=None, start_at=None)
    echo = api.get(first).json()["parameters"]
    again = simulate(**echo)

    assert api.get(again).json()["parameters"] == echo
    assert [market(snapshot) for snapshot in steps(api, first)] == [
        market(snapshot) for snapshot in steps(api, again)
    ]
    for format in MEDIA_TYPES:
        bodies = [api.get(f"{path}/export", params={"format": format}).content for path in (first, again)]
        assert bodies[0] == bodies[1], format


def test_the_echo_of_another_release_is_refused(api: httpx.Client) -> None:
    refusal = api.post(SIMULATIONS, json={**PARAMETERS, "tzdb_version": "1999a"})

    assert (refusal.status_code, refusal.json()["field"]) == (400, "tzdb_version")


def test_the_echo_of_another_arithmetic_is_refused(path: str, api: httpx.Client) -> None:
    echo = api.get(path).json()["parameters"]
    refusal = api.post(SIMULATIONS, json={**echo, "numerics": "another"})

    assert echo["numerics"] == api.get("/api-docs/openapi.json").json()["info"]["x-numerics"]
    assert (refusal.status_code, refusal.json()["field"]) == (400, "numerics")


@pytest.mark.parametrize("format", MEDIA_TYPES)
def test_an_export_is_the_same_each_time_and_leaves_the_cursor(
    path: str, api: httpx.Client, format: str
) -> None:
    first, second = (api.get(f"{path}/export", params={"format": format}) for _ in range(2))

    assert first.status_code == 200
    assert first.headers["Content-Type"].partition(";")[0] == MEDIA_TYPES[format]
    assert first.content == second.content
    assert api.get(path).json()["cursor"]["current_step"] == 0


def test_an_export_has_the_contracts_that_the_steps_serve(path: str, api: httpx.Client) -> None:
    exported = api.get(f"{path}/export", params={"format": "csv"})
    rows = csv.DictReader(io.StringIO(exported.text, newline=""))

    served = [
        (number, chain["expires_at"], contract["strike"], contract["call"]["bid"], contract["put"]["ask"])
        for number, snapshot in enumerate(steps(api, path))
        for chain in snapshot["chains"]
        for contract in chain["contracts"]
    ]
    assert [
        (
            int(row["step"]),
            row["expires_at"],
            *(float(row[name]) for name in ("strike", "call_bid", "put_ask")),
        )
        for row in rows
    ] == served


def test_a_stream_has_every_snapshot_and_goes_on_where_it_broke(path: str, api: httpx.Client) -> None:
    def ids(**headers: str) -> list[str]:
        text = api.get(f"{path}/stream", headers=headers).text
        return [line.removeprefix("id: ") for line in text.splitlines() if line.startswith("id: ")]

    assert ids() == ["0", "1", "2", "3"]
    assert ids(**{"Last-Event-ID": "1"}) == ["2", "3"]
    assert api.get(f"{path}/stream", headers={"Last-Event-ID": "3"}).status_code == 204


def test_a_streams_events_are_peeks(path: str, api: httpx.Client) -> None:
    text = api.get(f"{path}/stream").text

    events = [
        json.loads(line.removeprefix("data: ")) for line in text.splitlines() if line.startswith("data: ")
    ]
    assert events[-1] == {"total_steps": STEPS}
    assert events[0] == api.get(f"{path}/snapshot").json()
    instants = [datetime.fromisoformat(event["simulated_at"]) for event in events[:-1]]
    assert instants == sorted(set(instants))


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"colour": "blue"}, "colour"),
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"calendar": "XMOON"}, "calendar"),
        ({"volatility": 0.2}, "volatility"),
        ({"schedules": []}, "schedules"),
        ({"schedules": [{"rule_id": "a", "kind": "hourly", "target_count": 1}]}, "schedules[0].kind"),
    ],
)
def test_a_wrong_parameter_is_named(api: httpx.Client, change: dict[str, Any], field: str) -> None:
    refusal = api.post(SIMULATIONS, json={**PARAMETERS, **change})

    assert (refusal.status_code, refusal.json()["field"]) == (400, field)


def test_a_misspelt_guard_consumes_nothing(path: str, api: httpx.Client) -> None:
    refusal = api.post(f"{path}/step", params={"expectedstep": 0})

    assert (refusal.status_code, refusal.json()["field"]) == (400, "expectedstep")
    assert api.get(path).json()["cursor"]["current_step"] == 0


def test_a_simulation_is_no_session(path: str, api: httpx.Client) -> None:
    session_id = path.rpartition("/")[2]

    assert api.get("/api/v1/chain", params={"sessionid": session_id}).status_code == 404


def test_a_deleted_simulation_is_gone(path: str, api: httpx.Client) -> None:
    assert api.delete(path).status_code == 200
    assert api.get(path).status_code == api.post(f"{path}/step").status_code == 404
    assert api.get(f"{path}/export").status_code == api.get(f"{path}/stream").status_code == 404
