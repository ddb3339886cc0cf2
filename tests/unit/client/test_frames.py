"""Tables of the client: the columns of the library, in polars and in pandas, and nothing consumed for them."""

from __future__ import annotations

import importlib
from datetime import UTC, date, datetime
from typing import Any

import httpx
import orjson
import polars as pl
import pyarrow as pa
import pytest
from polars.testing import assert_frame_equal

import optionchain_client
from optionchain import GeometricBrownian, SimulationParameters, SingleExpiration, simulate
from optionchain.chains.table import SCHEMA
from optionchain.expirations import schedule_from_wire
from optionchain.export import Dataset, Export, Format
from optionchain.simulation import Simulation
from optionchain.wire.snapshots import snapshot_body
from optionchain_client import Snapshot
from tests.unit.client.fake_service import (
    PARAMETERS,
    SESSION_ID,
    STEPS,
    FakeService,
    open_async_client,
    open_client,
)

SCHEDULE = {
    "timezone": "America/New_York",
    "expiration_time": "16:00",
    "schedules": [
        {"rule_id": "daily", "kind": "daily", "target_count": 1},
        {"rule_id": "weekly", "kind": "weekly", "target_count": 2, "weekdays": ["Fri"]},
    ],
}


def simulated(expirations: Any, **changes: Any) -> Simulation:
    given: dict[str, Any] = {
        "symbol": "SPX",
        "steps": 10,
        "initial_price": 100.0,
        "volatility": 0.2,
        "seed": 42,
        "method": GeometricBrownian(dt=1 / 365, drift=0.05, volatility=0.2),
        "expirations": expirations,
        "start_at": datetime(2026, 1, 5, 14, 30, tzinfo=UTC),
        "chain_size": 4,
        "strike_interval": 2.5,
    }
    return simulate(SimulationParameters(**given | changes))


ONE = simulated(SingleExpiration(30.0))
ROLLING = simulated(schedule_from_wire(SCHEDULE))
# No listed contract has every such strike, and none has such a name.
FINE = simulated(SingleExpiration(30.0), initial_price=0.01, strike_interval=0.00025)
# The exchange's Friday evening is Saturday in UTC, and two roots expire on one day.
ROOTS = simulated(
    schedule_from_wire(
        {
            "timezone": "America/New_York",
            "expiration_time": "20:30",
            "schedules": [
                {"rule_id": "a", "kind": "weekly", "target_count": 1, "weekdays": ["Fri"], "root": "SPX"},
                {"rule_id": "b", "kind": "weekly", "target_count": 1, "weekdays": ["Fri"], "root": "SPXW"},
            ],
        }
    )
)
LONG = simulated(SingleExpiration(30.0), symbol="far too long")


def served(simulation: Simulation, step: int, greeks: Any) -> Snapshot:
    """A snapshot as the client has it from the service."""
    body = orjson.loads(snapshot_body(simulation, step, greeks))
    cursor = {"current_step": step, "total_steps": 10}
    return Snapshot(step, 10, body | {"cursor" if "chains" in body else "session_info": cursor})


@pytest.mark.parametrize("greeks", ["none", "first", "all"])
@pytest.mark.parametrize(
    "simulation", [ONE, ROLLING, FINE, ROOTS, LONG], ids=["one", "rolling", "fine", "roots", "long"]
)
def test_a_snapshot_is_the_librarys_table_of_the_chain(simulation: Simulation, greeks: Any) -> None:
    ours, theirs = served(simulation, 3, greeks).to_polars(), simulation.chain(3).to_polars(greeks)

    assert ours.columns == ["step", *SCHEMA.names]
    assert ours["step"].to_list() == [3] * theirs.height
    for name in theirs.columns:
        ours_is, theirs_is = ours[name], theirs[name]
        assert ours_is.dtype == theirs_is.dtype, name
        if theirs_is.dtype == pl.Float64 and name != "days_to_expiration":
            assert ours_is.to_list() == theirs_is.to_list(), name
        elif name == "days_to_expiration":
            assert ours_is.to_list() == pytest.approx(theirs_is.to_list(), rel=1e-12)
        else:
            assert ours_is.cast(pl.String).to_list() == theirs_is.cast(pl.String).to_list(), name


def test_a_contract_has_its_root_and_the_exchanges_date_in_its_symbol() -> None:
    names = {name[:12] for name in served(ROOTS, 0, "none").to_polars()["contract_symbol"]}

    assert names == {"SPX   260109", "SPXW  260109"}


@pytest.mark.parametrize("greeks", ["none", "all"])
def test_pandas_has_what_polars_has(greeks: Any) -> None:
    snapshots = [served(ROLLING, step, greeks) for step in range(3)]

    polars, pandas = optionchain_client.to_polars(snapshots), optionchain_client.to_pandas(snapshots)

    assert list(pandas.columns) == polars.columns
    assert pandas["step"].unique().tolist() == [0, 1, 2]
    assert str(pandas.dtypes["quote_time"]) == "datetime64[us, UTC]"
    assert str(pandas.dtypes["option_type"]) == "category"
    assert_frame_equal(
        pl.from_pandas(pandas).cast({"contract_symbol": pl.String}), polars, check_dtypes=False
    )


def test_greeks_that_only_the_server_knows_are_columns_of_numbers_behind_the_others() -> None:
    told = served(ONE, 0, "first")
    contract, *others = told.body["contracts"]
    known = {**contract, "call": {**contract["call"], "greeks": {**contract["call"]["greeks"], "zomma": 0.5}}}
    later = Snapshot(0, 10, {**told.body, "contracts": [known, *others]})

    polars, pandas = later.to_polars(), later.to_pandas()

    assert polars.columns == [*told.to_polars().columns, "zomma"] == list(pandas.columns)
    assert polars["zomma"].to_list() == [0.5] + [None] * (polars.height - 1)
    assert pandas["zomma"].dtype == "float64"
    assert pandas["zomma"].sum() == 0.5


def test_no_snapshots_make_an_empty_table_of_the_same_columns() -> None:
    full, empty = served(ONE, 0, "none"), optionchain_client.to_polars([])

    assert empty.schema == full.to_polars().schema
    assert list(map(str, optionchain_client.to_pandas([]).dtypes)) == list(map(str, full.to_pandas().dtypes))


def exported(request: httpx.Request, _: int) -> httpx.Response | None:
    """The service's export of the library's simulation."""
    if not request.url.path.endswith("/export"):
        return None
    query = request.url.params
    steps = {name: int(query[name]) for name in ("from_step", "to_step") if name in query}
    export = Export(
        parameters=ONE.parameters, dataset=Dataset(query["dataset"]), format=Format(query["format"]), **steps
    )
    return httpx.Response(200, content=b"".join(export.pieces()))


def table(dataset: Dataset, **steps: int) -> pa.Table:
    export = Export(parameters=ONE.parameters, dataset=dataset, **steps)
    return pa.Table.from_batches(export.record_batches(ONE), export.schema)


@pytest.mark.parametrize("dataset", list(Dataset))
def test_a_frame_of_the_whole_is_the_export_and_consumes_nothing(dataset: Any) -> None:
    service = FakeService(before=exported)
    session = open_client(service).create_session(**PARAMETERS)
    session.step_many(2)

    frame = session.to_polars(dataset=dataset, from_step=1, to_step=8)

    assert frame.equals(pl.from_arrow(table(dataset, from_step=1, to_step=8)))  # type: ignore[arg-type]
    assert session.to_pandas(dataset=dataset).equals(table(dataset).to_pandas())
    assert (service.cursor, session.current_step) == (2, 2)
    assert [snapshot.step for snapshot in session.steps()] == list(range(2, STEPS))


@pytest.mark.anyio
async def test_a_coroutine_has_the_same_frames() -> None:
    session = open_async_client(FakeService(before=exported)).open_session(SESSION_ID)

    frame, in_pandas = await session.to_polars(), await session.to_pandas()

    whole = table(Dataset.OPTION_CHAINS)
    assert frame.equals(pl.from_arrow(whole))  # type: ignore[arg-type]
    assert in_pandas.equals(whole.to_pandas())


def test_what_was_stepped_makes_a_frame() -> None:
    with open_client(FakeService()).session(**PARAMETERS) as session:
        frame = optionchain_client.to_polars(session.steps(bulk=2))

    assert frame["step"].to_list() == [step for step in range(STEPS) for _ in ("call", "put")]
    assert frame["quote_time"][0] == datetime(2026, 1, 1, tzinfo=UTC)


BARS = [
    {"time": "2024-01-02T00:00:00Z", "open": 1.0, "high": 2.0, "low": 0.5, "close": 1.5, "volume": None},
    {"time": "2024-01-03T00:00:00Z", "open": None, "high": None, "low": None, "close": 1.6, "volume": 7.0},
]


def historical(request: httpx.Request, _: int) -> httpx.Response:
    smile = {"date": "2024-01-02", "expiration": "2024-01-19", "days_to_expiration": 17, "skew": None}
    smile |= {"atm_volatility": 0.2, "put_volatility": 0.25, "call_volatility": None}
    return httpx.Response(200, json={"data": BARS if request.url.path.endswith("/prices") else [smile]})


def test_bars_and_smiles_are_rows_and_frames() -> None:
    service = FakeService(before=historical)
    history = open_client(service).history

    bars = history.prices("BRK/B", date(2024, 1, 2), "2024-01-03", timeframe="Hour")
    smiles = history.volatility("SPX", datetime(2024, 1, 2, 23, tzinfo=UTC), "2024-01-31")

    assert service.requests[0].url.raw_path.startswith(b"/api/v1/historical/BRK%2FB/prices?")
    assert dict(service.requests[0].url.params) == {
        "from": "2024-01-02",
        "to": "2024-01-03",
        "timeframe": "Hour",
    }
    assert dict(service.requests[1].url.params) == {"from": "2024-01-02", "to": "2024-01-31"}
    assert bars[0]["time"] == datetime(2024, 1, 2, tzinfo=UTC)
    assert bars.to_polars()["close"].to_list() == bars.to_pandas()["close"].tolist() == [1.5, 1.6]
    assert bars.to_polars().schema["time"] == pl.Datetime("us", "UTC")
    assert smiles[0]["expiration"] == date(2024, 1, 19)
    assert smiles.to_polars().row(0) == (date(2024, 1, 2), date(2024, 1, 19), 17, 0.2, 0.25, None, None)
    assert smiles.to_pandas()["date"].dt.year.tolist() == [2024]


@pytest.mark.parametrize(
    ("method", "missing"), [("to_polars", "polars"), ("to_pandas", "pandas"), ("to_pandas", "pyarrow")]
)
def test_a_library_that_is_missing_is_named_with_what_to_install(
    method: str, missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = importlib.import_module

    def import_module(name: str) -> Any:
        if name.partition(".")[0] == missing:
            raise ModuleNotFoundError(name)
        return found(name)

    monkeypatch.setattr(importlib, "import_module", import_module)
    session = open_client(FakeService(before=exported)).open_session(SESSION_ID)

    advice = rf"{method} needs {missing}: pip install 'optionchain-client\[frames\]'"
    with pytest.raises(ImportError, match=advice) as refusal:
        getattr(session, method)()

    assert refusal.value.name == missing
