"""Options that can be exercised early, from a request to its snapshots, files and sweeps."""

from __future__ import annotations

from typing import Any

import httpx
import polars as pl
import pytest

from tests.clusters import Cluster, create
from tests.e2e.simulations import SIMULATIONS, export, simulate

TERMS = {"exercise": "american", "settlement": "physical", "multiplier": 100.0, "currency": "USD"}
MARKET = {"initial_price": 100.0, "strike_interval": 5.0, "risk_free_rate": 0.06}


def puts(snapshot: dict[str, Any]) -> list[tuple[float, dict[str, float]]]:
    return [
        (contract["strike"], contract["put"])
        for chain in snapshot["chains"]
        for contract in chain["contracts"]
    ]


def test_a_simulation_of_american_options_never_asks_less_than_exercise_brings(api: httpx.Client) -> None:
    simulation = simulate(api, **MARKET, **TERMS)

    snapshots = api.post(f"{SIMULATIONS}/{simulation['id']}/step", params={"count": 4}).json()["snapshots"]

    assert simulation["parameters"] | TERMS == simulation["parameters"]
    for snapshot in snapshots:
        price = snapshot["underlying"]["price"]
        assert all(put["mid"] >= strike - price for strike, put in puts(snapshot))


def test_its_export_says_the_terms(api: httpx.Client) -> None:
    simulation = simulate(api, **MARKET, **TERMS)

    answer = export(api, simulation, dataset="option_chains", format="parquet", greeks="all")

    assert pl.read_parquet_metadata(answer.content)["exercise"] == "american"
    assert "put_gamma" in pl.read_parquet(answer.content).columns


def test_who_says_nothing_of_terms_sees_nothing_of_them(api: httpx.Client) -> None:
    unsaid, said = simulate(api, **MARKET), simulate(api, **MARKET, exercise="european", currency=None)

    assert not unsaid["parameters"].keys() & TERMS.keys()
    assert said["parameters"] == unsaid["parameters"]
    assert create(api, exercise="american")["parameters"]["exercise"] == "american"


@pytest.mark.parametrize(
    ("name", "wrong"),
    [("exercise", "asian"), ("exercise_dates", ["2026-02-30"]), ("settlement", "gold"), ("multiplier", -1.0)],
)
def test_a_wrong_term_is_named(api: httpx.Client, name: str, wrong: object) -> None:
    answer = api.post(SIMULATIONS, json=simulate(api)["parameters"] | {name: wrong})

    assert answer.status_code == 400
    assert name in answer.text


def test_a_sweep_compares_both_kinds(api: httpx.Client, cluster: Cluster) -> None:
    document = {
        "base": {
            "symbol": "SPY",
            "steps": 8,
            "initial_price": 100.0,
            "days_to_expiration": 60.0,
            "volatility": 0.2,
            "risk_free_rate": 0.06,
            "method": {"GeometricBrownian": {"dt": 1 / 365, "drift": 0.0, "volatility": 0.2}},
        },
        "grid": {"exercise": ["european", "american"]},
        "measures": [{"long_put": {"delta": 0.6, "days": 60, "fill": "mid"}}],
        "paths": 50,
    }

    started = api.post("/api/v1/sweeps", json=document)
    identity = started.json()["id"]
    with api.stream("GET", f"/api/v1/sweeps/{identity}/events") as events:
        events.read()
    rows = api.get(f"/api/v1/sweeps/{identity}/results", params={"format": "json"}).json()

    assert [row["exercise"] for row in rows] == ["european", "american"]
    assert rows[0]["long_put_mean"] != rows[1]["long_put_mean"]
