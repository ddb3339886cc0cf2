"""Stored days as a session: stepped, streamed, exported and swept as a simulated market, with the stored quotes."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from optionchain.history.wire import chain_json
from optionchain_client import Client, to_polars
from tests.clusters import Cluster
from tests.unit.history.recorded_examples import DAYS, PRICES, stored_days
from tests.waiting import eventually

SIMULATIONS = "/api/v2/simulations"


@pytest.fixture(scope="module")
def asset(cluster: Cluster) -> str:
    """An asset with three days of chains."""
    name = f"R{uuid.uuid4().hex[:8]}"
    with cluster.client() as api:
        for day, chain in zip(DAYS, stored_days(), strict=True):
            stored = api.put(f"/api/v1/historical/{name}/{day}", json=json.loads(chain_json(chain)))
            assert stored.status_code == 200, stored.text
    return name


def method(asset: str, first: str = "2024-01-15", last: str = "2024-01-31") -> dict[str, Any]:
    return {"method": {"Recorded": {"asset": asset, "from": first, "to": last}}}


@pytest.fixture
def made(api: httpx.Client, asset: str) -> Iterator[dict[str, Any]]:
    answer = api.post(
        SIMULATIONS,
        json=method(asset, last="2024-01-19") | {"timezone": "America/New_York", "calendar": "XNYS"},
    )
    assert answer.status_code == 201, answer.text
    yield answer.json()
    api.delete(f"{SIMULATIONS}/{answer.json()['id']}")


def test_a_day_is_a_step_and_what_is_missing_is_said(
    api: httpx.Client, asset: str, made: dict[str, Any]
) -> None:
    # Monday the 15th was a holiday; of Wednesday nothing was stored.
    assert made["gaps"] == ["2024-01-17"]
    assert made["cursor"] == {"current_step": 0, "total_steps": 3}
    assert made["parameters"]["method"] == method(asset, last="2024-01-19")["method"]

    peeked = api.get(f"{SIMULATIONS}/{made['id']}/snapshot").json()
    steps = [api.post(f"{SIMULATIONS}/{made['id']}/step").json() for _ in DAYS]

    assert {name: value for name, value in peeked.items() if name in ("underlying", "chains")} == {
        name: value for name, value in steps[0].items() if name in ("underlying", "chains")
    }
    assert [step["simulated_at"] for step in steps] == [f"{day}T21:00:00Z" for day in DAYS]
    assert [step["underlying"]["price"] for step in steps] == list(PRICES)
    front = steps[1]["chains"][0]
    assert (front["expires_at"], front["labels"]) == ("2024-01-19T21:00:00Z", ["recorded"])
    assert [contract["call"]["bid"] for contract in front["contracts"]] == [8.2, 3.4, None]
    assert api.post(f"{SIMULATIONS}/{made['id']}/step").status_code == 410


def test_the_echo_asks_for_the_same(api: httpx.Client, made: dict[str, Any]) -> None:
    again = api.post(SIMULATIONS, json=made["parameters"])

    assert again.status_code == 201, again.text
    assert again.json()["parameters"] == made["parameters"]
    api.delete(f"{SIMULATIONS}/{again.json()['id']}")


def test_the_stream_and_the_export_have_the_same_quotes(api: httpx.Client, made: dict[str, Any]) -> None:
    path = f"{SIMULATIONS}/{made['id']}"
    with api.stream("GET", f"{path}/stream") as answer:
        events = [line for line in answer.iter_lines() if line.startswith("data: ")]
    snapshots = [json.loads(event.removeprefix("data: ")) for event in events[:-1]]
    rows = api.get(f"{path}/export").json()

    streamed = [
        contract["call"]["bid"]
        for snapshot in snapshots
        for chain in snapshot["chains"]
        for contract in chain["contracts"]
    ]
    assert streamed == [row["call_bid"] for row in rows]
    assert len(rows) == 18


def test_the_client_shows_stored_days(cluster: Cluster, asset: str) -> None:
    with (
        Client(cluster.state.base_url, cluster.state.api_key) as client,
        client.recorded(asset, "2024-01-16", "2024-01-19", timezone="America/New_York") as simulation,
    ):
        frame = to_polars(list(simulation.steps()))

    assert frame["underlying_price"].unique(maintain_order=True).to_list() == list(PRICES)
    assert frame["bid"].null_count() == 2


def test_a_sweep_runs_a_strategy_over_them(api: httpx.Client, asset: str) -> None:
    definition = {
        "base": method(asset) | {"timezone": "America/New_York"},
        "measures": ["terminal_price", {"long_call": {"delta": 0.6, "days": 3}}],
        "paths": 1,
    }
    started = api.post("/api/v1/sweeps", json=definition)
    assert started.status_code == 202, started.text
    path = f"/api/v1/sweeps/{started.json()['id']}"
    eventually(lambda: api.get(path).json()["state"] == "completed", "the sweep is done")
    row = api.get(f"{path}/results", params={"format": "json"}).json()

    [only] = row if isinstance(row, list) else row["data"]
    assert only["terminal_price_mean"] == PRICES[-1]
    # Bought at the ask of 2.7, and worth 4 at the expiration.
    assert only["long_call_mean"] == pytest.approx(4.0 - 2.7)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"steps": 4}, "steps"),
        ({"initial_price": 5.0}, "initial_price"),
        ({"chain_size": 5}, "chain_size"),
        ({"product": "SPX"}, "product"),
        ({"start_at": "2024-01-01T00:00:00Z"}, "start_at"),
        ({"time_frame": "Hour"}, "time_frame"),
        ({"schedules": [{"rule_id": "d", "kind": "daily", "target_count": 1}]}, "schedules"),
        ({"timezone": "Nowhere"}, "timezone"),
    ],
)
def test_what_the_days_say_otherwise_is_refused(
    api: httpx.Client, asset: str, change: dict[str, Any], field: str
) -> None:
    answer = api.post(SIMULATIONS, json=method(asset) | change)

    assert (answer.status_code, answer.json()["field"]) == (400, field), answer.text


def test_days_without_a_chain_are_refused_by_what_is_missing(api: httpx.Client, asset: str) -> None:
    for body in (method(asset, "2023-01-01", "2023-02-01"), method("NOBODY")):
        answer = api.post(SIMULATIONS, json=body)
        assert answer.status_code == 400
        assert "has no chain from" in answer.text
    refused = api.post("/api/v1/chain", json=method(asset) | {"symbol": "X"})
    assert refused.status_code in (400, 422)
