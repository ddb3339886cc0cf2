"""The Python client against the service, over connections that lose answers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from clusters import PARAMETERS, Cluster

import optionchain_client
from optionchain_client import AsyncClient, Client, Retry, Session

STEPS = PARAMETERS["steps"]
SCHEDULE = {
    "timezone": "America/New_York",
    "expiration_time": "16:00",
    "schedules": [{"rule_id": "weekly", "kind": "weekly", "target_count": 2, "weekdays": ["Fri"]}],
}
MARKET = {name: value for name, value in PARAMETERS.items() if name != "days_to_expiration"}


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


def test_a_frame_holds_the_whole_simulation(client: Client) -> None:
    with client.session(**PARAMETERS) as session:
        frame = session.to_polars(greeks="all")

    assert frame.height == STEPS * (2 * PARAMETERS["chain_size"] + 1)
    assert {"call_bid", "put_delta", "gamma", "theta", "vega", "rho"} <= set(frame.columns)
    assert (frame["call_bid"] <= frame["call_mid"]).all()


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
        frame = simulation.to_polars()
        assert client.open_simulation(simulation.id).current_step == STEPS

    assert frame["step"].n_unique() == STEPS
    assert frame["expires_at"].n_unique() >= 2
    with pytest.raises(optionchain_client.NotFound):
        client.open_simulation(simulation.id)


def test_an_export_is_written_to_a_file(client: Client, tmp_path: Path) -> None:
    file = tmp_path / "chains.csv"

    with client.simulation(**MARKET, **SCHEDULE) as simulation:
        size = simulation.download(file, format="csv")

    assert size == file.stat().st_size > 0


@pytest.mark.anyio
async def test_a_coroutine_steps_a_session_to_its_end(cluster: Cluster, client: Client) -> None:
    async with (
        httpx.AsyncClient(trust_env=False, timeout=30.0) as http,
        AsyncClient(cluster.state.base_url, cluster.state.api_key, http=http) as waiting,
        waiting.session(**PARAMETERS) as session,
    ):
        prices = [snapshot.price async for snapshot in session.steps(bulk=10)]

    with client.session(**PARAMETERS) as other:
        assert prices == [snapshot.price for snapshot in other.steps()]
