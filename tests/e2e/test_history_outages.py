"""Two replicas over one store: a configuration reaches both, and what dies behind them does not end the service."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from cluster.bootstrap import SHARED
from cluster.instance.embedded_servers import MONGODB
from cluster.instance.ports import accepts
from tests.clusters import PARAMETERS, Cluster, create, step
from tests.waiting import eventually

CHAIN: dict[str, Any] = {
    "underlying": {"price": 100.0},
    "chains": [{"expiration": "2024-01-19", "contracts": [{"strike": 100.0, "call": {"bid": 1.0}}]}],
}
CHAIN_PATH = "/api/v1/historical/SPX/2024-01-02"
CONFIGURATION = "/api/v1/config/simulator"
# Enough that HAProxy sends some of them to each of two replicas.
SESSIONS = 12
STALE = {"warning": '110 - "Response is Stale"', "x-cache": "stale"}


@pytest.fixture(scope="module")
def two() -> Iterator[Cluster]:
    """Two replicas that give up on MongoDB soon, and keep chains in the cache but never call them fresh."""
    with tempfile.TemporaryDirectory(prefix="optionchain-two-") as folder:
        cluster = Cluster(
            Path(folder),
            http={"replicas": 2},
            mongo={"timeout_seconds": 0.5},
            history={"chain_seconds": 0.001},
            ray={"shared_process": False},
        )
        with cluster.running():
            yield cluster


@pytest.fixture
def api(two: Cluster) -> Iterator[httpx.Client]:
    with two.client() as client:
        # Each request on a connection of its own: HAProxy spreads connections.
        client.headers["Connection"] = "close"
        yield client


def configure(api: httpx.Client, values: dict[str, Any]) -> int:
    """Store a new version of the configuration; returns which."""
    found = api.get(CONFIGURATION)
    version = found.json()["version"] if found.status_code == 200 else 0
    answer = api.put(CONFIGURATION, json=values, headers={"If-Match": str(version)})
    assert answer.status_code == 200, answer.text
    stored: int = answer.json()["version"]
    return stored


@contextmanager
def mongo_down(cluster: Cluster) -> Iterator[None]:
    [server] = [server for server in cluster.state.servers if server.name == MONGODB]
    [process] = [one for one in cluster.processes() if tuple(one.cmdline()) == server.command]
    with cluster.unsupervised():
        process.kill()
        # Whoever started it may be held, and does not take note of its end.
        eventually(lambda: not accepts(server.port), "MongoDB is dead")
        yield
    eventually(lambda: accepts(server.port), "MongoDB accepts connections")


def test_the_shared_actors_run_before_anybody_asks_for_history(two: Cluster) -> None:
    eventually(lambda: len(two.shared_actors()) == len(SHARED), "both actors run")


def test_a_configuration_reaches_sessions_of_every_replica_within_a_second(api: httpx.Client) -> None:
    body = {"chain_size": None, "spread": None}
    before = create(api, **body)
    for chain_size in (7, 9):
        configure(api, {"defaults": {"chain_size": chain_size, "spread": 0.5}})

        def all_have_it(size: int = chain_size) -> bool:
            made = [create(api, **body)["parameters"] for _ in range(SESSIONS)]
            return [(one["chain_size"], one["spread"]) for one in made] == [(size, 0.5)] * SESSIONS

        eventually(all_have_it, "every replica has the change", patience_seconds=1.0)
    assert before["parameters"]["spread"] == 0.01
    chain = api.get("/api/v1/chain", params={"sessionid": before["id"]}).json()
    assert len(chain["contracts"]) == 2 * before["parameters"]["chain_size"] + 1


def test_configured_limits_refuse_by_the_field(api: httpx.Client) -> None:
    session = create(api)
    configure(api, {"limits": {"max_steps": 10, "max_chain_size": 6}})
    eventually(lambda: statuses(api) == {400}, "every replica refuses", patience_seconds=1.0)

    too_long = api.patch("/api/v1/chain", params={"sessionid": session["id"]}, json={"steps": 11})
    for path, extra in (("/api/v1/chain", {}), ("/api/v2/simulations", schedule())):
        for field, value in (("steps", 11), ("chain_size", 7)):
            answer = api.post(path, json=body_of(session, extra) | {field: value})
            assert (answer.status_code, answer.json()["field"]) == (400, field), answer.text
        allowed = api.post(path, json=body_of(session, extra))
        assert allowed.status_code == 201, allowed.text

    assert (too_long.status_code, too_long.json()["field"]) == (400, "steps")
    configure(api, {})
    eventually(lambda: statuses(api) == {201}, "every replica allows it again", patience_seconds=1.0)
    assert create(api)["total_steps"] == session["total_steps"]


def statuses(api: httpx.Client) -> set[int]:
    """What becomes of new sessions, at every replica."""
    return {api.post("/api/v1/chain", json=PARAMETERS).status_code for _ in range(SESSIONS)}


def schedule() -> dict[str, Any]:
    return {
        "timezone": "America/New_York",
        "expiration_time": "16:00",
        "schedules": [{"rule_id": "weekly", "kind": "weekly", "target_count": 1, "weekdays": ["Fri"]}],
    }


def body_of(session: dict[str, Any], extra: dict[str, Any]) -> dict[str, Any]:
    """A request of the smallest sizes, for v1 or with a schedule for v2."""
    names = ["symbol", "initial_price", "volatility", "risk_free_rate", "dividend_yield", "method"]
    body = {name: session["parameters"][name] for name in names}
    sizes = {"steps": 10, "chain_size": 6, "time_frame": "Day"}
    return body | sizes | (extra or {"days_to_expiration": 30.0})


def test_shared_actors_that_are_killed_are_back_for_the_next_call(two: Cluster, api: httpx.Client) -> None:
    assert api.put(CHAIN_PATH, json=CHAIN).status_code == 200
    version = configure(api, {"defaults": {"spread": 0.2}})
    old = two.shared_actors()
    for process in old:
        process.kill()

    chain, configuration = api.get(CHAIN_PATH), api.get(CONFIGURATION)
    session = create(api, spread=None)

    assert (chain.status_code, configuration.status_code) == (200, 200), chain.text + configuration.text
    assert configuration.json()["version"] == version
    assert session["parameters"]["spread"] == 0.2
    new = two.shared_actors()
    assert len(new) == len(SHARED)
    assert {process.pid for process in new}.isdisjoint(process.pid for process in old)
    configure(api, {})


def test_while_mongodb_is_down_the_cache_serves_on_and_writes_are_refused_at_once(
    two: Cluster, api: httpx.Client
) -> None:
    assert api.put(CHAIN_PATH, json=CHAIN).status_code == 200
    fresh = [api.get(path) for path in (CHAIN_PATH, CONFIGURATION)]
    session = create(api)

    with mongo_down(two):
        for _ in range(4):  # opens the circuit
            api.put(CHAIN_PATH, json=CHAIN)
        refused = [api.put(CHAIN_PATH, json=CHAIN) for _ in range(5)]
        stale = [api.get(path) for path in (CHAIN_PATH, CONFIGURATION)]
        never_read = api.get("/api/v1/historical/SPX/2024-01-03")
        served = step(api, session["id"])
        created = create(api)
        ready = api.get("/ready")

    assert (ready.status_code, ready.json()["states"]) == (
        200,
        {"redis": "up", "mongodb": "down", "api_keys": "up"},
    )
    [down] = [each for each in ready.json()["dependencies"] if each["status"] == "down"]
    assert (down["name"], down["reason"]) in (("mongodb", "unreachable"), ("mongodb", "timed out"))
    assert [(answer.status_code, answer.content) for answer in stale] == [(200, one.content) for one in fresh]
    assert [{name: answer.headers.get(name) for name in STALE} for answer in stale] == [STALE] * 2
    assert {answer.status_code for answer in (*refused, never_read)} == {503}
    assert all(int(answer.headers["retry-after"]) >= 1 for answer in refused)
    # Those that the breaker refused name its side of the store: they waited for nothing. One in two seconds tries.
    assert sum("the history store is" in answer.json()["error"] for answer in refused) >= 3
    assert (served.status_code, created["state"]) == (200, "Initialized")
    eventually(lambda: api.put(CHAIN_PATH, json=CHAIN).status_code == 200, "writes are accepted again")
    eventually(lambda: "x-cache" not in api.get(CONFIGURATION).headers, "the configuration is fresh again")
    assert "x-cache" not in api.get(CHAIN_PATH).headers


SWEEPS = "/api/v1/sweeps"
SWEEP: dict[str, Any] = {
    "base": {name: value for name, value in PARAMETERS.items() if name != "time_frame"},
    "grid": {"volatility": [0.1, 0.3]},
    "measures": ["terminal_price"],
    "paths": 50,
}
# It is under way while MongoDB is gone.
LONG = SWEEP | {"grid": {"volatility": {"from": 0.1, "to": 0.5, "points": 400}}, "paths": 10_000}


def test_while_mongodb_is_down_no_sweep_is_accepted_none_is_lost_and_what_is_over_is_read(
    two: Cluster, api: httpx.Client
) -> None:
    done = api.post(SWEEPS, json=SWEEP).json()["id"]
    completed(api, done)
    before = [api.get(f"{SWEEPS}/{done}{part}").json() for part in ("", "/results", "/definition")]
    under_way = api.post(SWEEPS, json=LONG).json()["id"]
    eventually(lambda: api.get(f"{SWEEPS}/{under_way}").json()["progress"], "it is computed")

    with mongo_down(two):
        refused = api.post(SWEEPS, json=SWEEP | {"seed": 2})
        listed = api.get(SWEEPS).json()
        during = [api.get(f"{SWEEPS}/{done}{part}").json() for part in ("", "/results", "/definition")]

    assert (refused.status_code, int(refused.headers["retry-after"]) >= 1) == (503, True), refused.text
    assert refused.json()["error"] == "the task queue is not available right now: try again"
    assert {shown["id"] for shown in listed["data"]} == {done, under_way}
    assert during == before
    completed(api, under_way)

    def accepted() -> dict[str, Any] | None:
        answer = api.post(SWEEPS, json=SWEEP | {"seed": 2})
        found: dict[str, Any] | None = answer.json() if answer.status_code == 202 else None
        return found

    again = eventually(accepted, "sweeps are accepted again")
    assert again is not None
    completed(api, again["id"])


def completed(api: httpx.Client, identity: str) -> None:
    """Wait until a sweep is."""

    def is_over() -> bool:
        state = api.get(f"{SWEEPS}/{identity}").json()["state"]
        assert state in ("queued", "running", "completed")
        return bool(state == "completed")

    eventually(is_over, "the sweep is completed", patience_seconds=90.0)
