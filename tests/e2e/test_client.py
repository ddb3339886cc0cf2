"""The Python client against the service, over connections that lose answers."""

from __future__ import annotations

import io
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import httpx
import polars as pl
import pytest

import optionchain_client
from optionchain_client import AsyncClient, Client, Retry, Session, to_polars
from tests.clusters import PARAMETERS, Cluster

STEPS = PARAMETERS["steps"]
SCHEDULE = {
    "timezone": "America/New_York",
    "expiration_time": "16:00",
    "schedules": [{"rule_id": "weekly", "kind": "weekly", "target_count": 2, "weekdays": ["Fri"]}],
}
MARKET = {name: value for name, value in PARAMETERS.items() if name != "days_to_expiration"}
STRIKES = 2 * PARAMETERS["chain_size"] + 1
SWEEP: dict[str, Any] = {
    "base": PARAMETERS,
    "grid": {"volatility": [0.1, 0.3], "method.drift": [0.0, 0.05]},
    "measures": ["terminal_price", {"short_strangle": {"delta": 0.16, "days": 30}}],
    "paths": 100,
}
LONG_SWEEP = SWEEP | {"grid": {"volatility": {"from": 0.1, "to": 0.5, "points": 2000}}, "paths": 5000}
QUOTED = {"bid": 1.0, "ask": 1.2, "implied_volatility": 0.2}
CHAINS: Any = [
    {
        "expiration": "2024-01-19",
        "contracts": [{"strike": strike, "call": QUOTED, "put": QUOTED} for strike in (95.0, 100.0, 105.0)],
    }
]


class Lossy(httpx.HTTPTransport):
    """Every third answer is lost after the service gave it."""

    def __init__(self) -> None:
        super().__init__()
        self.lost = 0
        self._requests = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = super().handle_request(request)
        self._requests += 1
        if self._requests % 3 == 0:
            response.read()
            self.lost += 1
            raise httpx.ReadError("the answer was lost", request=request)
        return response


@pytest.fixture
def client(cluster: Cluster) -> Iterator[Client]:
    with (
        httpx.Client(trust_env=False, timeout=30.0) as http,
        Client(cluster.state.base_url, cluster.state.api_key, http=http) as client,
    ):
        yield client


def is_gone(client: Client, session: Session) -> bool:
    with pytest.raises(optionchain_client.NotFound):
        client.open_session(session.id).peek()
    return True


def test_a_session_is_stepped_to_its_end_and_deleted(client: Client) -> None:
    with client.session(**PARAMETERS) as session:
        snapshots = list(session.steps())

    assert [snapshot.step for snapshot in snapshots] == list(range(STEPS))
    assert snapshots[0].price == PARAMETERS["initial_price"]
    assert len(snapshots[0].contracts) == 2 * PARAMETERS["chain_size"] + 1
    assert is_gone(client, session)


def test_lost_answers_change_nothing(client: Client, cluster: Cluster) -> None:
    with client.session(**PARAMETERS) as session:
        expected = [snapshot.price for snapshot in session.steps()]
    lossy = Lossy()

    with (
        httpx.Client(transport=lossy, timeout=30.0) as http,
        Client(
            cluster.state.base_url, cluster.state.api_key, http=http, retry=Retry(first_pause_seconds=0.001)
        ) as unlucky,
        unlucky.session(**PARAMETERS) as session,
    ):
        snapshots = list(session.steps())

    assert lossy.lost >= STEPS // 3
    assert [snapshot.step for snapshot in snapshots] == list(range(STEPS))
    assert [snapshot.price for snapshot in snapshots] == expected


def test_bulk_steps_are_single_steps(client: Client) -> None:
    with client.session(**PARAMETERS) as one, client.session(**PARAMETERS) as many:
        singles = [snapshot.body["contracts"] for snapshot in one.steps()]
        bulk = [snapshot.body["contracts"] for snapshot in many.steps(bulk=7)]

    assert singles == bulk


def test_a_frame_holds_the_whole_session_and_consumes_nothing(client: Client) -> None:
    with client.session(**PARAMETERS) as session:
        session.step_many(3)
        frame, in_pandas = session.to_polars(), session.to_pandas()
        prices = session.to_polars(dataset="underlying", to_step=2)

        assert session.current_step == session.peek().step == 3

    assert frame.height == len(in_pandas) == STEPS * STRIKES
    assert (frame["call_bid"] <= frame["call_mid"]).all()
    assert in_pandas["put_delta"].tolist() == frame["put_delta"].to_list()
    assert prices.columns == ["step", "simulated_at", "symbol", "price"]
    assert prices["price"][0] == PARAMETERS["initial_price"]


def test_what_is_stepped_makes_a_frame_with_all_greeks(client: Client) -> None:
    with client.session(**PARAMETERS) as session:
        frame = to_polars(session.steps(bulk=10, greeks="all"))
        exported = session.to_polars()

    calls = frame.filter(frame["option_type"] == "call")
    assert frame.height == 2 * STEPS * STRIKES
    greeks = ("delta", "gamma", "theta", "vega", "rho", "rho_d", "vanna", "vomma", "veta", "charm", "color")
    assert frame.select(greeks).null_count().sum_horizontal().item() == 0
    assert calls["bid"].to_list() == exported["call_bid"].to_list()
    assert calls["expiration"].to_list() == exported["expires_at"].to_list()


def test_changed_parameters_begin_anew(client: Client) -> None:
    with client.session(**PARAMETERS) as session:
        session.step_many(3)
        view = session.change(volatility=0.4, seed=7)

        assert view["parameters"]["volatility"] == 0.4
        assert session.step().step == 0


def test_active_sessions_are_listed(client: Client) -> None:
    with client.session(**PARAMETERS) as session:
        assert session.id in {view["id"] for view in client.sessions()}


def test_a_wrong_parameter_is_named(client: Client) -> None:
    with pytest.raises(optionchain_client.InvalidInput) as refusal:
        client.create_session(**{**PARAMETERS, "volatility": -1.0})

    assert refusal.value.field == "volatility"
    assert refusal.value.request_id


def test_a_wrong_key_is_refused(cluster: Cluster) -> None:
    with httpx.Client(trust_env=False) as http, pytest.raises(optionchain_client.Unauthenticated):
        Client(cluster.state.base_url, "wrong", http=http).create_session(**PARAMETERS)


def test_a_simulation_is_stepped_to_its_end_and_deleted(client: Client) -> None:
    with client.simulation(**MARKET, **SCHEDULE) as simulation:
        assert simulation.peek().step == 0
        snapshots = list(simulation.steps(bulk=10))
        assert client.open_simulation(simulation.id).current_step == STEPS
        frame = simulation.to_polars()

    assert [snapshot.step for snapshot in snapshots] == frame["step"].unique().sort().to_list()
    assert frame["expires_at"].n_unique() >= 2
    with pytest.raises(optionchain_client.NotFound):
        client.open_simulation(simulation.id)


def test_an_export_is_written_to_a_file(client: Client, tmp_path: Path) -> None:
    file = tmp_path / "chains.csv"

    with client.simulation(**MARKET, **SCHEDULE) as simulation:
        size = simulation.download(file, format="csv")

    assert size == file.stat().st_size > 0


def test_what_is_shown_of_parameters_makes_the_same_again(client: Client) -> None:
    with client.session(**PARAMETERS) as session, client.simulation(**MARKET, **SCHEDULE) as simulation:
        assert session.view is not None
        with (
            client.session(**session.view["parameters"]) as other_session,
            client.simulation(**simulation.view["parameters"]) as other_simulation,
        ):
            assert other_session.to_polars().equals(session.to_polars())
            assert other_simulation.to_polars().equals(simulation.to_polars())
        assert session.id in {view["id"] for view in client.sessions()}
        assert simulation.id in {view["id"] for view in client.simulations()}


class BreaksOff(httpx.SyncByteStream):
    """Some bytes of an answer, then nothing."""

    def __init__(self, whole: Any, size: int) -> None:
        self._whole = whole
        self._left = size

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._whole:
            yield piece[: self._left]
            self._left -= len(piece)
            if self._left <= 0:
                raise httpx.ReadError("the connection broke")

    def close(self) -> None:
        self._whole.close()


class Breaking(httpx.HTTPTransport):
    """Breaks each stream of events after so many bytes."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.broken = 0
        self._size = size

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = super().handle_request(request)
        if response.headers.get("Content-Type", "").startswith("text/event-stream"):
            self.broken += 1
            response.stream = BreaksOff(response.stream, self._size)
        return response


def test_a_stream_over_connections_that_break_is_the_whole_and_consumes_nothing(
    client: Client, cluster: Cluster
) -> None:
    # A snapshot has about 25 kB: a connection brings a few.
    breaking = Breaking(size=100_000)

    with (
        client.simulation(**MARKET, **SCHEDULE) as simulation,
        httpx.Client(transport=breaking, timeout=30.0) as http,
        Client(
            cluster.state.base_url, cluster.state.api_key, http=http, retry=Retry(first_pause_seconds=0.001)
        ) as other,
    ):
        streamed = list(other.open_simulation(simulation.id).stream(greeks="all"))
        later = [snapshot.step for snapshot in simulation.stream(from_step=STEPS - 2)]
        stepped = list(simulation.steps(greeks="all"))

    assert breaking.broken > 3
    assert [snapshot.step for snapshot in streamed] == list(range(STEPS))
    assert [snapshot.chains for snapshot in streamed] == [snapshot.chains for snapshot in stepped]
    assert later == [STEPS - 2, STEPS - 1]


def test_a_sweep_is_started_followed_and_fetched(client: Client, tmp_path: Path) -> None:
    sweep = client.start_sweep(**SWEEP)
    states = [view["state"] for view in sweep.progress(timeout_seconds=100.0)]

    assert states[-1] == sweep.wait()["state"] == client.open_sweep(sweep.id).view["state"] == "completed"
    assert sweep.view["progress"] is not None
    assert (sweep.view["scenarios"], sweep.view["progress"]["share"]) == (4, 1.0)
    assert next(client.sweeps())["id"] == client.start_sweep(**SWEEP).id == sweep.id
    frame = sweep.to_polars()
    means = frame["terminal_price_mean"].to_list()
    assert means == [row["terminal_price_mean"] for row in sweep.rows()]
    assert means == sweep.to_pandas()["terminal_price_mean"].tolist()
    size = sweep.download(tmp_path / "table.parquet")
    assert size == (tmp_path / "table.parquet").stat().st_size
    assert pl.read_parquet(tmp_path / "table.parquet").equals(frame)


def test_a_sweep_is_cancelled_and_has_no_table_before(client: Client) -> None:
    sweep = client.start_sweep(**LONG_SWEEP)

    with pytest.raises(optionchain_client.Conflict):
        sweep.to_polars()
    with pytest.raises(TimeoutError):
        sweep.wait(timeout_seconds=0.0)
    sweep.cancel()

    assert sweep.wait(timeout_seconds=100.0)["state"] == sweep.refresh()["state"] == "cancelled"
    assert sweep.is_over


def test_what_is_wrong_with_a_sweep_is_named(client: Client) -> None:
    with pytest.raises(optionchain_client.InvalidInput) as refusal:
        client.start_sweep(**SWEEP | {"grid": {"volatilty": [0.1]}})

    assert refusal.value.field == "grid.volatilty"
    with pytest.raises(optionchain_client.NotFound):
        client.open_sweep(str(uuid.uuid4()))


@pytest.fixture(scope="module")
def asset(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> str:
    """An asset with a week of daily prices and no chain."""
    name = f"K{uuid.uuid4().hex[:8]}"
    file = tmp_path_factory.mktemp("import") / "bars.csv"
    days = [f"2024-01-{day:02},1,{101 + day},1,{100 + day}" for day in range(1, 8)]
    file.write_text("\n".join(["date,open,high,low,close", *days]) + "\n")
    result = cluster.run("history", "import", str(file), "--asset", name)
    assert result.returncode == 0, result.stdout + result.stderr
    return name


def test_history_is_stored_read_and_analysed(client: Client, asset: str) -> None:
    history = client.history

    saved = history.save_chain(asset, date(2024, 1, 2), underlying={"price": 100.0}, chains=CHAINS)
    chain = history.chain(asset, "2024-01-02")
    bars = history.prices(asset, date(2024, 1, 2), "2024-01-04")
    smiles = history.volatility(asset, "2024-01-01", date(2024, 1, 31))
    realised = history.realised_volatility(asset, "2024-01-01", "2024-01-07")

    assert saved == {"asset": asset, "date": "2024-01-02", "contracts": 3}
    assert chain["chains"][0]["contracts"][0]["call"]["ask"] == 1.2
    assert history.save_chain(
        asset, "2024-01-03", underlying=chain["underlying"], chains=chain["chains"]
    ) == (saved | {"date": "2024-01-03"})
    assert history.asset(asset) in history.assets()
    assert history.asset(asset)["prices"] == {"Day": {"from": "2024-01-01", "to": "2024-01-07"}}
    assert [bar["close"] for bar in bars] == bars.to_polars()["close"].to_list() == [102.0, 103.0, 104.0]
    assert bars[0]["time"] == datetime(2024, 1, 2, tzinfo=UTC)
    assert len(history.prices(asset, timeframe="Week")) == 1
    assert smiles.to_pandas()["atm_volatility"].tolist()[0] == pytest.approx(0.2)
    assert realised["volatility"] is not None
    with pytest.raises(optionchain_client.NotFound):
        history.chain(asset, "2024-01-05")


def test_a_configuration_is_stored_by_versions(client: Client) -> None:
    name, configurations = f"k{uuid.uuid4().hex[:8]}", client.configurations

    first = configurations.save(name, {"spread": 0.02})
    second = configurations.save(name, {"spread": 0.03}, expected_version=1)

    assert (first["version"], second["version"]) == (1, 2)
    # As if the answer had been lost.
    assert configurations.save(name, {"spread": 0.03}, expected_version=1) == second
    with pytest.raises(optionchain_client.Conflict):
        configurations.save(name, {"spread": 0.04}, expected_version=1)
    assert configurations.get(name) == second
    assert configurations.get(name, version=1) == first
    assert configurations.history(name) == [second, first]
    assert configurations.history(name, limit=1) == [second]
    assert name in {version["name"] for version in configurations.names()}


def test_a_service_says_whether_it_is_ready_and_what_it_counts(client: Client) -> None:
    ready = client.ready()

    assert ready["status"] == "ready"
    assert set(ready["states"].values()) == {"up"}
    assert "optionchain_" in client.metrics()


@asynccontextmanager
async def waiting(cluster: Cluster) -> AsyncIterator[AsyncClient]:
    """A client for coroutines."""
    async with (
        httpx.AsyncClient(trust_env=False, timeout=30.0) as http,
        AsyncClient(cluster.state.base_url, cluster.state.api_key, http=http) as client,
    ):
        yield client


@pytest.mark.anyio
async def test_a_coroutine_steps_a_session_to_its_end(cluster: Cluster, client: Client) -> None:
    async with waiting(cluster) as other, other.session(**PARAMETERS) as session:
        frame = await session.to_polars()
        prices = [snapshot.price async for snapshot in session.steps(bulk=10)]

    with client.session(**PARAMETERS) as again:
        assert prices == [snapshot.price for snapshot in again.steps()]
        # The instants follow from when a session is created, in the numbers nothing does.
        assert frame["call_mid"].equals(again.to_polars()["call_mid"])


@pytest.mark.anyio
async def test_a_coroutine_streams_and_downloads_a_simulation(cluster: Cluster, tmp_path: Path) -> None:
    file = tmp_path / "chains.csv"

    async with waiting(cluster) as client, client.simulation(**MARKET, **SCHEDULE) as simulation:
        steps = [snapshot.step async for snapshot in simulation.stream()]
        size = await simulation.download(file)
        in_pandas = await simulation.to_pandas()
        listed = [view["id"] async for view in client.simulations()]

    assert steps == list(range(STEPS))
    assert pl.read_csv(io.BytesIO(file.read_bytes())).height == len(in_pandas)
    assert (size, simulation.id in listed) == (file.stat().st_size, True)


@pytest.mark.anyio
async def test_a_coroutine_follows_and_fetches_a_sweep(cluster: Cluster, tmp_path: Path) -> None:
    async with waiting(cluster) as client:
        sweep = await client.start_sweep(**SWEEP | {"seed": 3})
        *_, last = [view async for view in sweep.progress(timeout_seconds=100.0)]
        frame, rows, in_pandas = await sweep.to_polars(), await sweep.rows(), await sweep.to_pandas()
        await sweep.download(tmp_path / "table.arrow")
        newest = await anext(aiter(client.sweeps()))

        assert last == sweep.view == newest == await (await client.open_sweep(sweep.id)).wait()

    assert last["state"] == "completed"
    assert frame.height == len(rows) == len(in_pandas) == 4
    assert pl.read_ipc_stream(tmp_path / "table.arrow").equals(frame)


@pytest.mark.anyio
async def test_a_coroutine_cancels_a_sweep(cluster: Cluster) -> None:
    async with waiting(cluster) as client:
        sweep = await client.start_sweep(**LONG_SWEEP | {"seed": 5})
        async with aclosing(sweep.progress()) as views:
            first = await anext(views)
        await sweep.cancel()
        last = await sweep.wait(timeout_seconds=100.0)

        assert await sweep.refresh() == last

    assert first["state"] in ("queued", "running")
    assert last["state"] == "cancelled"


@pytest.mark.anyio
async def test_a_coroutine_reads_history(cluster: Cluster, asset: str) -> None:
    async with waiting(cluster) as client:
        history = client.history
        saved = await history.save_chain(asset, "2024-01-04", underlying={"price": 100.0}, chains=CHAINS)
        chain = await history.chain(asset, date(2024, 1, 4))
        bars = await history.prices(asset)
        smiles = await history.volatility(asset, "2024-01-04", "2024-01-04")
        realised = await history.realised_volatility(asset, "2024-01-01", "2024-01-07")
        stored = await history.asset(asset)

        assert stored in await history.assets()

    assert (saved["contracts"], chain["date"], len(bars), len(smiles)) == (3, "2024-01-04", 7, 1)
    assert (realised["asset"], stored["prices"].keys()) == (asset, {"Day"})


@pytest.mark.anyio
async def test_a_coroutine_stores_a_configuration(cluster: Cluster) -> None:
    name = f"k{uuid.uuid4().hex[:8]}"

    async with waiting(cluster) as client:
        saved = await client.configurations.save(name, {"a": [1, None]})
        again = await client.configurations.save(name, {"a": [1, None]})
        versions = await client.configurations.history(name)

        assert await client.configurations.get(name) == saved == again
        assert name in {version["name"] for version in await client.configurations.names()}
        assert (await client.ready())["status"] == "ready"
        assert "optionchain_" in await client.metrics()

    assert versions == [saved]
