"""History over HTTP: files in, chains and prices out, and sessions that replay what is stored."""

from __future__ import annotations

import io
import math
import statistics
import uuid
import zipfile
from pathlib import Path
from typing import Any

import httpx
import optopsy
import pytest

from tests.clusters import PARAMETERS, Cluster, create, step
from tests.waiting import eventually

BARS = 60
SIMULATION: dict[str, Any] = {
    **{name: value for name, value in PARAMETERS.items() if name not in ("days_to_expiration", "method")},
    "start_at": "2026-01-05T14:30:00Z",
    "timezone": "America/New_York",
    "expiration_time": "16:00",
    "schedules": [{"rule_id": "weekly", "kind": "weekly", "target_count": 1, "weekdays": ["Fri"]}],
}
CHAIN = {
    "quote_time": "2024-01-02T21:00:00Z",
    "underlying": {"price": 100.0},
    "chains": [
        {
            "expiration": "2024-01-19",
            "contracts": [
                {
                    "strike": strike,
                    "call": {"bid": 1.0, "ask": 1.2, "implied_volatility": 0.2},
                    "put": {"bid": 0.8, "ask": 1.0, "implied_volatility": 0.22},
                }
                for strike in (95.0, 100.0, 105.0)
            ],
        }
    ],
}


def historical(symbol: str, **fields: Any) -> dict[str, Any]:
    return {"Historical": {"timeframe": "Day", "prices": [], "symbol": symbol, **fields}}


def csv(first_close: float) -> str:
    rows = [
        f"2024-{1 + day // 28:02d}-{1 + day % 28:02d},1,{first_close + day + 1},1,{first_close + day}"
        for day in range(BARS)
    ]
    return "\n".join(["date,open,high,low,close", *rows]) + "\n"


def imported(cluster: Cluster, folder: Any, asset: str, *, first_close: float) -> None:
    file = folder / f"{asset}-{first_close}.csv"
    file.write_text(csv(first_close))
    result = cluster.run("history", "import", str(file), "--asset", asset)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.fixture(scope="module")
def asset(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> str:
    """An asset of this module alone, with daily prices 100, 101, ..."""
    name = f"A{uuid.uuid4().hex[:8]}"
    imported(cluster, tmp_path_factory.mktemp("import"), name, first_close=100.0)
    return name


@pytest.fixture
def chains(api: httpx.Client) -> str:
    """An asset with one chain."""
    name = f"C{uuid.uuid4().hex[:8]}"
    answer = api.put(f"/api/v1/historical/{name}/2024-01-02", json=CHAIN)
    assert answer.status_code == 200, answer.text
    return name


def test_a_chain_that_an_administrator_stores_is_served_listed_and_analysed(
    api: httpx.Client, chains: str
) -> None:
    root = f"/api/v1/historical/{chains}"

    chain = api.get(f"{root}/2024-01-02").json()
    summary = api.get(f"{root}/range").json()
    smile = api.get(f"{root}/volatility", params={"from": "2024-01-01", "to": "2024-01-31"}).json()

    assert [contract["strike"] for contract in chain["chains"][0]["contracts"]] == [95.0, 100.0, 105.0]
    assert chain["chains"][0]["contracts"][1]["call"]["bid"] == 1.0
    assert summary["chains"] == {"from": "2024-01-02", "to": "2024-01-02", "days": 1}
    assert summary in api.get("/api/v1/historical/assets").json()["data"]
    assert smile["data"][0]["atm_volatility"] == pytest.approx(0.21)
    assert smile["data"][0]["skew"] == pytest.approx(0.02)


def test_chains_are_files_that_backtesters_read(api: httpx.Client, chains: str, tmp_path: Path) -> None:
    path, period = f"/api/v1/historical/{chains}/chains", {"from": "2024-01-01", "to": "2024-01-31"}

    table = api.get(path, params=period)
    assert table.headers["Content-Disposition"].endswith(f'{chains}_optopsy_2024-01-01_2024-01-31.csv"')
    (tmp_path / "chains.csv").write_bytes(table.content)
    read = optopsy.csv_data(str(tmp_path / "chains.csv"))
    assert sorted(set(read["strike"])) == [95.0, 100.0, 105.0]
    assert set(read["underlying_symbol"]) == {chains}

    folder = api.get(path, params=period | {"format": "lean"})
    with zipfile.ZipFile(io.BytesIO(folder.content)) as archive:
        names = archive.namelist()
    assert f"option/usa/universes/{chains.lower()}/20240102.csv" in names
    for wrong, status in (
        ({"format": "excel"}, 400),
        ({"to": "2029-01-01"}, 400),
        ({"to": "2024-01-01"}, 404),
    ):
        assert api.get(path, params=period | wrong).status_code == status


def test_only_an_administrator_stores(
    api: httpx.Client, other_api: httpx.Client, cluster: Cluster, chains: str
) -> None:
    path = f"/api/v1/historical/{chains}/2024-01-02"

    with httpx.Client(base_url=cluster.state.base_url, trust_env=False) as nobody:
        statuses = [client.put(path, json=CHAIN).status_code for client in (api, other_api, nobody)]

    assert statuses == [200, 403, 401]
    assert other_api.get(path).status_code == 200
    assert other_api.put("/api/v1/config/simulator", json={}).status_code == 403


def test_imported_bars_are_served_and_made_coarser(api: httpx.Client, asset: str) -> None:
    path = f"/api/v1/historical/{asset}/prices"

    days = api.get(path, params={"from": "2024-01-02", "to": "2024-01-05"}).json()["data"]
    weeks = api.get(path, params={"timeframe": "Week"}).json()["data"]
    finer = api.get(path, params={"timeframe": "Minute"})

    assert [bar["close"] for bar in days] == [101.0, 102.0, 103.0, 104.0]
    assert weeks[0] == {
        "time": "2024-01-01T00:00:00Z",
        "open": 1.0,
        "high": 107.0,
        "low": 1.0,
        "close": 106.0,
        "volume": None,
    }
    assert (finer.status_code, "Day prices only" in finer.json()["error"]) == (404, True)


def test_the_realised_volatility_of_imported_bars_is_answered(api: httpx.Client, asset: str) -> None:
    query = {"from": "2024-01-01", "to": "2024-01-05"}
    answer = api.get(f"/api/v1/historical/{asset}/realised-volatility", params=query).json()

    returns = [math.log((close + 1) / close) for close in (100.0, 101.0, 102.0, 103.0)]
    assert answer == {
        "asset": asset,
        **query,
        "volatility": pytest.approx(statistics.stdev(returns) * math.sqrt(252), rel=1e-9),
    }


def test_a_historical_session_replays_a_window_that_its_seed_draws(api: httpx.Client, asset: str) -> None:
    sessions = [create(api, method=historical(asset), steps=10, seed=seed) for seed in (1, 1, 2)]

    windows = [session["parameters"]["method"]["Historical"]["prices"] for session in sessions]
    served = [step(api, sessions[0]["id"]).json()["price"] for _ in range(3)]
    assert windows[0] == windows[1] != windows[2]
    assert [b - a for a, b in zip(windows[0], windows[0][1:], strict=False)] == [1.0] * 9
    assert served == windows[0][:3]


def test_a_historical_simulation_is_replayed_by_its_echo_after_the_history_changed(
    api: httpx.Client, cluster: Cluster, tmp_path: Any
) -> None:
    name = f"S{uuid.uuid4().hex[:8]}"
    imported(cluster, tmp_path, name, first_close=100.0)
    body = SIMULATION | {"method": historical(name), "steps": 10, "seed": 7}
    first = api.post("/api/v2/simulations", json=body).json()

    imported(cluster, tmp_path, name, first_close=500.0)
    echo = api.post("/api/v2/simulations", json=first["parameters"])
    fresh = api.post("/api/v2/simulations", json=body).json()

    assert echo.status_code == 201, echo.text
    assert echo.json()["parameters"] == first["parameters"]
    snapshots = [
        api.post(f"/api/v2/simulations/{one}/step").json()["chains"]
        for one in (first["id"], echo.json()["id"])
    ]
    assert snapshots[0] == snapshots[1]
    prices = [one["parameters"]["method"]["Historical"]["prices"][0] for one in (first, fresh)]
    assert prices[1] - prices[0] == 400.0


def test_a_sweep_over_http_draws_its_historical_prices(api: httpx.Client, asset: str) -> None:
    base = {
        "symbol": asset,
        "steps": 10,
        "initial_price": 100.0,
        "volatility": 0.2,
        "days_to_expiration": 30.0,
    }
    sweep = {
        "base": base | {"method": historical(asset)},
        "measures": ["terminal_price"],
        "paths": 1,
        "seed": 1,
    }
    session = create(api, method=historical(asset), steps=10, seed=1)

    path = f"/api/v1/sweeps/{api.post('/api/v1/sweeps', json=sweep).json()['id']}"
    eventually(lambda: api.get(path).json()["state"] == "completed", "the sweep is over")
    missing = api.post("/api/v1/sweeps", json=sweep | {"base": base | {"method": historical("NOTHING")}})

    (row,) = api.get(f"{path}/results").json()
    assert row["terminal_price_mean"] == session["parameters"]["method"]["Historical"]["prices"][-1]
    assert (missing.status_code, missing.json()["field"]) == (400, "base.method.Historical.prices")


@pytest.mark.parametrize("path", ["/api/v1/chain", "/api/v2/simulations"])
@pytest.mark.parametrize(
    ("method", "field", "said"),
    [
        ({"symbol": "NOTHING"}, "method.Historical.prices", "the history has 0"),
        ({"symbol": None, "prices": [1.0] * 3}, "method.Historical.prices", "the history has 0"),
        ({"symbol": "NOTHING", "timeframe": "Microsecond"}, "method.Historical.timeframe", "must be one of"),
    ],
)
def test_prices_that_are_missing_are_refused_by_what_is_there(
    api: httpx.Client, path: str, method: dict[str, Any], field: str, said: str
) -> None:
    body = (PARAMETERS if path.endswith("chain") else SIMULATION) | {"symbol": "NOPE", "steps": 10}
    answer = api.post(
        path, json=body | {"method": historical("x") | {"Historical": historical("x")["Historical"] | method}}
    )

    assert (answer.status_code, answer.json()["field"]) == (400, field)
    assert said in answer.json()["error"]


def test_the_refusal_names_the_prices_that_are_stored(api: httpx.Client, asset: str) -> None:
    for timeframe, steps, has in (("Day", BARS + 1, BARS), ("Minute", 1, 0)):
        method = historical(asset, timeframe=timeframe)
        answer = api.post("/api/v1/chain", json=PARAMETERS | {"method": method, "steps": steps})

        said = f"the history has {has} (it has Day from 2024-01-01 to 2024-03-04)"
        assert (answer.status_code, said in answer.json()["error"]) == (400, True), answer.text


def test_enough_prices_of_the_caller_are_taken_as_they_are(api: httpx.Client) -> None:
    """Five days until the expiration are six snapshots, whatever `steps` says."""
    prices = [100.0, 101.0, 102.0, 103.0, 104.0, 105.0]

    session = create(api, method=historical("NOTHING", prices=prices), steps=30, days_to_expiration=5.0)

    assert session["total_steps"] == 6
    assert session["parameters"]["method"]["Historical"]["prices"] == prices


def test_a_session_that_is_changed_to_a_historical_model_draws_its_prices(
    api: httpx.Client, asset: str
) -> None:
    session = create(api, steps=10, seed=1)
    query = {"sessionid": session["id"]}

    patched = api.patch("/api/v1/chain", params=query, json={"method": historical(asset)}).json()
    put = api.put(
        "/api/v1/chain", params=query, json={**PARAMETERS, "method": historical(asset), "steps": 10}
    )
    same = create(api, method=historical(asset), steps=10, seed=1)

    prices = [one["parameters"]["method"]["Historical"]["prices"] for one in (patched, put.json(), same)]
    assert prices[0] == prices[2]
    assert len(prices[1]) == 10


def test_the_demo_loads_the_sample_data_once(api: httpx.Client, cluster: Cluster) -> None:
    first, second = cluster.run("demo"), cluster.run("demo")

    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    assert "Loaded the sample data" not in second.stdout
    summary = api.get("/api/v1/historical/SAMPLE/range").json()
    assert (summary["chains"]["days"], list(summary["prices"])) == (21, ["Day"])
    session = create(api, method=historical("SAMPLE"), steps=30)
    assert len(session["parameters"]["method"]["Historical"]["prices"]) == 30
