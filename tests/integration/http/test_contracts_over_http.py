"""Terms of contracts over HTTP: bermudan options, a curve of futures, roots, last trades, and what cannot be."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import Any

import httpx
import polars as pl
import pytest

from optionchain_client.snapshots import served, to_polars
from serve_app.bodies import chains
from serve_app.bodies.simulations import EXAMPLE

pytestmark = pytest.mark.anyio
SIMULATIONS = "/api/v2/simulations"
BODY: dict[str, Any] = EXAMPLE | {"steps": 3, "start_at": "2026-01-12T15:00:00Z", "risk_free_rate": 0.06}
DATES = {"exercise": "bermudan", "exercise_dates": ["2026-01-20", "2026-02-02"]}


async def made(api: httpx.AsyncClient, **changes: Any) -> dict[str, Any]:
    answer = await api.post(SIMULATIONS, json=BODY | changes)
    assert answer.status_code == 201, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def snapshot(api: httpx.AsyncClient, simulation: dict[str, Any]) -> dict[str, Any]:
    body: dict[str, Any] = (await api.get(f"{SIMULATIONS}/{simulation['id']}/snapshot")).json()
    return body


def puts(body: dict[str, Any]) -> list[float]:
    return [contract["put"]["mid"] for chain in body["chains"] for contract in chain["contracts"]]


@pytest.mark.parametrize(
    "left_out", [{}, {"risk_free_rate": None, "dividend_yield": None}], ids=["absent", "null"]
)
async def test_rates_that_a_simulation_leaves_out_are_zero_as_in_the_library(
    api: httpx.AsyncClient, left_out: dict[str, Any]
) -> None:
    rates = {"risk_free_rate", "dividend_yield"}
    short = {name: value for name, value in BODY.items() if name not in rates} | left_out
    zeros = dict.fromkeys(rates, 0.0)

    answer = await api.post(SIMULATIONS, json=short)

    assert answer.status_code == 201, answer.text
    assert answer.json()["parameters"] == (await made(api, **zeros))["parameters"]
    assert answer.json()["parameters"].items() >= zeros.items()


async def test_a_session_of_the_first_version_says_its_rates(api: httpx.AsyncClient) -> None:
    body = {name: value for name, value in chains.EXAMPLE.items() if name != "risk_free_rate"}

    answer = await api.post("/api/v1/chain", json=body)

    assert (answer.status_code, answer.json()["field"]) == (400, "risk_free_rate")


async def test_bermudan_options_lie_between_the_two_and_come_back_from_their_echo(
    api: httpx.AsyncClient,
) -> None:
    # Grids take a tenth of a second an expiration.
    few = {
        "chain_size": 2,
        "schedules": [{"rule_id": "m", "kind": "monthly_third_friday", "target_count": 2}],
    }
    simulations = [await made(api, **few, **terms) for terms in ({}, DATES, {"exercise": "american"})]

    echo = simulations[1]["parameters"]
    again = (await api.post(SIMULATIONS, json=echo)).json()["parameters"]
    european, bermudan, american = [puts(await snapshot(api, each)) for each in simulations]

    assert (echo["exercise_dates"], again) == (DATES["exercise_dates"], echo)
    assert all(low <= middle for low, middle in zip(european, bermudan, strict=True))
    # The grid is within 3e-5 of the spot.
    near = 3e-5 * BODY["initial_price"]
    assert all(middle <= high + near for middle, high in zip(bermudan, american, strict=True))
    assert sum(bermudan) > sum(european) + near
    assert "exercise_dates" not in simulations[0]["parameters"]


async def test_options_on_a_curve_of_futures_say_what_they_are_on(api: httpx.AsyncClient) -> None:
    curve = {"futures": [["2026-02-20", 1.0], ["2026-10-16", 0.9]], "futures_carry": -0.05}
    simulation = await made(api, underlying="future", dividend_yield=0.0, **curve)

    shown = await snapshot(api, simulation)
    query = {"dataset": "option_chains", "format": "parquet", "to_step": 0}
    answer = await api.get(f"{SIMULATIONS}/{simulation['id']}/export", params=query)

    assert [future["expires_at"][:10] for future in shown["futures"]] == ["2026-02-20", "2026-10-16"]
    assert all(chain["future"]["expires_at"] >= chain["expires_at"] for chain in shown["chains"])
    rows = pl.read_parquet(io.BytesIO(answer.content))
    assert rows["future_price"].unique(maintain_order=True).to_list() == list(
        dict.fromkeys(chain["future"]["price"] for chain in shown["chains"])
    )


async def test_a_product_names_its_series_and_ends_trading_before_it_settles(api: httpx.AsyncClient) -> None:
    without = {
        "schedules",
        "timezone",
        "calendar",
        "expiration_time",
        "strike_interval",
        "spread",
        "spread_tick",
    }
    body = {name: value for name, value in BODY.items() if name not in without} | {"product": "SPX"}
    answer = await api.post(SIMULATIONS, json=body)
    assert answer.status_code == 201, answer.text
    step = (await api.post(f"{SIMULATIONS}/{answer.json()['id']}/step")).json()

    friday = {
        chain["root"]: chain for chain in step["chains"] if chain["expires_at"].startswith("2026-01-16")
    }
    assert (friday["SPX"]["settlement"], friday["SPX"]["last_trade_at"]) == ("AM", "2026-01-15T21:00:00Z")
    assert "last_trade_at" not in friday["SPXW"]
    [month_end] = [chain for chain in step["chains"] if chain["expires_at"].startswith("2026-03-31")]
    assert month_end["labels"] == ["spxw_month_end"]
    names = to_polars(served(step)).filter(pl.col("expiration") == datetime(2026, 1, 16, 21, tzinfo=UTC))
    assert set(names["contract_symbol"].str.slice(0, 12)) == {"SPXW  260116"}


async def test_recorded_days_are_no_session_of_v1(api: httpx.AsyncClient) -> None:
    recorded = {"Recorded": {"asset": "SPX", "from": "2024-01-02", "to": "2024-03-28"}}

    answer = await api.post("/api/v1/chain", json=chains.EXAMPLE | {"method": recorded})

    assert (answer.status_code, answer.json()["field"]) == (400, "method")
    assert "/api/v2/simulations" in answer.json()["error"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"exercise": "bermudan"}, "exercise_dates"),
        (DATES | {"exercise": "american"}, "exercise_dates"),
        (DATES | {"exercise_dates": ["2026-02-30"]}, "exercise_dates[0]"),
        ({"futures": [["2026-02-20", 1.0]]}, "futures"),
        ({"dividends": [["2026-02-20", 1.0], ["2090-02-20", 1.0]]}, "dividends[1]"),
        ({"dividends": [["2026-02-20", 1e6]]}, "dividends[0]"),
        ({"rate_curve": [[0.5, 0.02], [1.0, None]]}, "rate_curve[1]"),
        ({"underlying": "future", "dividend_yield": 0.0, "futures": [["2025-02-20", 1.0]]}, "futures[0]"),
        (
            {"schedules": [{"rule_id": "e", "kind": "month_day", "target_count": 1, "day": 32}]},
            "schedules[0].day",
        ),
        (
            {"schedules": [{"rule_id": "e", "kind": "month_end", "target_count": 1, "months": [13]}]},
            "schedules[0].months",
        ),
        (
            {"schedules": [{"rule_id": "e", "kind": "daily", "target_count": 1, "last_trade_sessions": 99}]},
            "schedules[0].last_trade_sessions",
        ),
    ],
)
async def test_terms_that_cannot_be_are_a_400_that_names_them(
    api: httpx.AsyncClient, change: dict[str, Any], field: str
) -> None:
    answer = await api.post(SIMULATIONS, json=BODY | change)

    assert (answer.status_code, answer.json()["field"]) == (400, field), answer.text
