"""History and configuration over HTTP, down to real servers; only Ray is left out."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import uuid
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace

import httpx
import numpy as np
import orjson
import pytest
from fastapi import FastAPI, Request
from pydantic import SecretStr

from actors.config_actor import ConfigActor, ConfigSettings, ConfigSources
from actors.history_actor import HistoryActor, HistorySettings, HistorySources
from actors.live_configuration import LiveConfiguration
from adapters.circuit_breaker import CircuitBreaker
from adapters.mongo_config import MongoConfigRepository
from adapters.mongo_connection import MongoSettings, open_mongo
from adapters.mongo_history import MongoHistoricalRepository
from adapters.redis_cache import RedisCacheService
from cluster.api_keys import Principal
from optionchain.errors import InvalidInput
from optionchain.history import DateRange
from optionchain.history_wire import chain_from_wire, chain_json
from optionchain.time_frame import TimeFrame
from serve_app import config_routes, history_routes
from serve_app.errors import install_error_handlers
from tests.integration.history import mongo_servers as servers
from tests.unit.history.samples import chain, prices, same_chain

pytestmark = pytest.mark.anyio


class World:
    """The two actors, and an HTTP client for each role."""

    def __init__(self, mongo, redis, **history_settings):
        self.cache = RedisCacheService(redis.open(), prefix=f"t{uuid.uuid4().hex[:8]}")
        self.repository = MongoHistoricalRepository(open_mongo(mongo), mongo.database)
        self.configurations = MongoConfigRepository(open_mongo(mongo), mongo.database)
        breaker = CircuitBreaker("history", failures=1, pause_seconds=0.2)
        history = HistorySettings(**history_settings)
        self.history = HistoryActor(lambda: HistorySources(self.repository, self.cache, breaker), history)
        sources = ConfigSources(self.configurations, self.cache, breaker)
        self.config = ConfigActor(lambda: sources, ConfigSettings())
        app = FastAPI()
        app.state.services = SimpleNamespace(history=self.history, configurations=self.config)
        app.include_router(history_routes.router)
        app.include_router(config_routes.router)
        install_error_handlers(app)

        @app.middleware("http")
        async def principal(request: Request, call_next):
            is_admin = request.headers.get("x-role") == "admin"
            request.state.principal = Principal("anna", is_admin=is_admin)
            return await call_next(request)

        self.transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        self.http = httpx.AsyncClient(transport=self.transport, base_url="http://test")

    async def put(self, path, body, **headers):
        content = orjson.dumps(body)
        kind = {"content-type": "application/json", "x-role": "admin"}
        return await self.http.put(path, content=content, headers=kind | headers)

    async def close(self):
        for task in (self.history._housekeeping, self.config._listener):
            if task:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task
        await self.http.aclose()
        for each in (self.cache, self.repository, self.configurations):
            await each.close()


@pytest.fixture
async def world(mongo, redis):
    world = World(mongo, redis, page_bars=100)
    yield world
    await world.close()


async def test_a_chain_put_is_the_chain_that_get_answers(world):
    saved = chain()

    put = await world.put("/api/v1/historical/SPX/2024-01-02", orjson.loads(chain_json(saved)))
    got = await world.http.get("/api/v1/historical/SPX/2024-01-02")

    assert (put.status_code, put.json()) == (200, {"asset": "SPX", "date": "2024-01-02", "contracts": 10})
    assert got.status_code == 200
    assert same_chain(chain_from_wire("SPX", date(2024, 1, 2), got.json()), saved)
    assert "x-cache" not in got.headers


async def test_a_new_chain_is_seen_at_once_though_the_old_one_was_cached(world):
    for level in (0.2, 0.4):
        await world.put("/api/v1/historical/SPX/2024-01-02", orjson.loads(chain_json(chain(level=level))))
        got = (await world.http.get("/api/v1/historical/SPX/2024-01-02")).json()
        assert got["chains"][0]["contracts"][2]["call"]["implied_volatility"] == level


async def test_writing_needs_an_administrator(world):
    body = orjson.loads(chain_json(chain()))
    for path, content in (("/api/v1/historical/SPX/2024-01-02", body), ("/api/v1/config/simulator", {})):
        assert (await world.put(path, content, **{"x-role": "user"})).status_code == 403


async def test_what_is_stored_is_listed(world):
    await world.repository.save_historical_chain(chain())
    await world.repository.save_time_series(prices([1.0, 2.0]))

    assets = (await world.http.get("/api/v1/historical/assets")).json()
    spx = (await world.http.get("/api/v1/historical/SPX/range")).json()

    assert assets == {"data": [spx]}
    assert spx == {
        "asset": "SPX",
        "from": "2024-01-02",
        "to": "2024-01-03",
        "chains": {"from": "2024-01-02", "to": "2024-01-02", "days": 1},
        "prices": {"Day": {"from": "2024-01-02", "to": "2024-01-03"}},
    }


@pytest.mark.parametrize("timeframe", [TimeFrame.MINUTE, TimeFrame.HOUR, TimeFrame.WEEK])
async def test_a_long_range_of_prices_is_streamed_in_pages_and_complete(world, timeframe):
    minutes = prices(1 + np.arange(3000) % 7, timeframe=TimeFrame.MINUTE)
    await world.repository.save_time_series(minutes)

    query = {"timeframe": timeframe.name, "from": "2024-01-01", "to": "2024-12-31"}
    answer = await world.http.get("/api/v1/historical/SPX/prices", params=query)

    rows = answer.json()["data"]
    expected = minutes.resampled(timeframe)
    assert [row["close"] for row in rows] == expected.close.tolist()
    assert [row["time"] for row in rows] == [str(time) + "Z" for time in expected.times]


@pytest.mark.parametrize(
    ("path", "status", "field"),
    [
        ("/api/v1/historical/SPX/2024-13-01", 400, "date"),
        ("/api/v1/historical/SPX/yesterday", 400, "date"),
        ("/api/v1/historical/$where/2024-01-02", 400, "asset"),
        ("/api/v1/historical/SPX/2024-01-02", 404, None),
        ("/api/v1/historical/SPX/range", 404, None),
        ("/api/v1/historical/SPX/prices", 404, None),
        ("/api/v1/historical/SPX/prices?from=2024-02-01&to=2024-01-01", 400, "to"),
        ("/api/v1/historical/SPX/prices?timeframe=Fortnight", 400, "timeframe"),
        ("/api/v1/historical/SPX/prices?timeframe=Microsecond", 400, "timeframe"),
        ("/api/v1/historical/SPX/volatility?from=1950-01-01&to=2024-01-01", 400, "to"),
        ("/api/v1/config/a.b", 400, "name"),
        ("/api/v1/config/unknown", 404, None),
        ("/api/v1/config/unknown/history", 404, None),
        ("/api/v1/config/simulator?version=0", 400, "version"),
    ],
)
async def test_a_wrong_question_is_answered_with_what_is_wrong(world, path, status, field):
    answer = await world.http.get(path)

    assert (answer.status_code, answer.json().get("field")) == (status, field)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"underlying": {"price": 100}},
        {"underlying": {"price": 100}, "chains": [{"expiration": "2024-01-19", "contracts": []}]},
        {
            "underlying": {"price": 100},
            "chains": [{"expiration": "2024-01-19", "contracts": [{"strike": {"$gt": 0}}]}],
        },
        {"underlying": {"price": -1}, "chains": [{"expiration": "2024-01-19", "contracts": [{"strike": 1}]}]},
        {"underlying": {"price": 1}, "chains": [{"expiration": "2023-01-19", "contracts": [{"strike": 1}]}]},
    ],
)
async def test_a_chain_that_is_none_is_refused(world, body):
    assert (await world.put("/api/v1/historical/SPX/2024-01-02", body)).status_code == 400


async def test_a_configuration_has_versions_that_a_lost_race_does_not_overwrite(world):
    first = await world.put("/api/v1/config/simulator", {"defaults": {"chain_size": 5}})
    second = await world.put("/api/v1/config/simulator", {}, **{"if-match": '"1"'})
    lost = await world.put("/api/v1/config/simulator", {}, **{"if-match": "1"})

    assert [first.status_code, second.status_code, lost.status_code] == [200, 200, 409]
    latest = (await world.http.get("/api/v1/config/simulator")).json()
    assert (latest["version"], latest["saved_by"], latest["values"]) == (2, "anna", {})
    old = (await world.http.get("/api/v1/config/simulator", params={"version": 1})).json()
    assert old["values"] == {"defaults": {"chain_size": 5}}
    versions = (await world.http.get("/api/v1/config/simulator/history")).json()["data"]
    assert versions == [latest, old]
    listed = (await world.http.get("/api/v1/config")).json()["data"]
    assert [(one["name"], one["version"]) for one in listed] == [("simulator", 2)]


async def test_a_simulator_configuration_that_makes_no_sense_is_refused(world):
    answer = await world.put("/api/v1/config/simulator", {"limits": {"max_steps": 0}})

    assert (answer.status_code, answer.json()["field"]) == (400, "values.limits.max_steps")


async def test_a_change_reaches_every_replica_within_a_second_whoever_makes_it(world):
    replicas = [
        LiveConfiguration(lambda: world.config.get("simulator"), max_age_seconds=0.5) for _ in range(3)
    ]
    assert [(await replica.current()).version for replica in replicas] == [0, 0, 0]

    for version, chain_size in enumerate((6, 7)):
        await world.configurations.save_config(
            "simulator",
            {"defaults": {"chain_size": chain_size}},
            expected_version=version,
            saved_by="another cluster",
            saved_at=datetime.now(UTC),
        )
        await asyncio.sleep(0.9)
        seen = [await replica.current() for replica in replicas]
        assert [one.defaults.chain_size for one in seen] == [chain_size] * 3

    await world.put("/api/v1/config/simulator", {"defaults": {"chain_size": 8}}, **{"if-match": "2"})
    await asyncio.sleep(0.9)
    seen = [await replica.current() for replica in replicas]
    assert [one.defaults.chain_size for one in seen] == [8, 8, 8]


async def test_a_historical_walk_draws_its_window_from_the_seed(world):
    await world.repository.save_time_series(prices(np.arange(1.0, 301.0)))

    windows = [await world.history.closes("SPX", TimeFrame.DAY, 10, seed) for seed in (1, 1, 2, 2**64 - 1)]

    assert windows[0] == windows[1] != windows[2]
    assert all(np.diff(window).tolist() == [1.0] * 9 for window in windows)
    for asset, steps, has in (("SPX", 301, "300"), ("NDX", 1, "0")):
        with pytest.raises(InvalidInput, match=f"the history has {has}"):
            await world.history.closes(asset, TimeFrame.DAY, steps, 1)


# PyMongo leaves the socket of a connection attempt that its `close` cancels; it is collected within this test.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_while_mongodb_is_down_reads_are_stale_and_marked_writes_fail_fast_and_it_recovers(
    tmp_path, redis
):
    port, folder = servers.free_port(), tmp_path / "db"
    uri = f"mongodb://127.0.0.1:{port}/?directConnection=true"
    settings = MongoSettings(uri=SecretStr(uri), database="outage", timeout_seconds=0.5)
    world = World(settings, redis, chain_seconds=0.001)
    command = [
        part for part in servers.mongod_command(folder, port, replica_set="") if part not in ("--replSet", "")
    ]
    path = "/api/v1/historical/SPX/2024-01-02"
    with servers.process(command, tmp_path / "log"):
        servers.await_answer(uri, "ping")
        await world.repository.save_historical_chain(chain())
        fresh = await world.http.get(path)

    stale = await world.http.get(path)
    begun = asyncio.get_running_loop().time()
    refused = await world.put(path, orjson.loads(chain_json(chain(level=0.4))))
    never_seen = await world.http.get("/api/v1/historical/SPX/2024-01-03")
    waited = asyncio.get_running_loop().time() - begun

    assert (stale.status_code, stale.content) == (200, fresh.content)
    assert (stale.headers["warning"], stale.headers["x-cache"]) == ('110 - "Response is Stale"', "stale")
    assert [refused.status_code, never_seen.status_code] == [503, 503]
    assert refused.headers["retry-after"]
    # At most one call tried, for half a second; the others were refused at once.
    assert waited < 1.5
    with servers.process(command, tmp_path / "log"):
        servers.await_answer(uri, "ping")
        async with asyncio.timeout(10):
            while (await world.put(path, orjson.loads(chain_json(chain(level=0.4))))).status_code != 200:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        assert "x-cache" not in (await world.http.get(path)).headers
    await world.close()
    gc.collect()


async def test_the_most_used_days_are_loaded_when_the_actor_starts_again(world):
    day = date(2024, 1, 2)
    for offset in range(3):
        await world.repository.save_historical_chain(chain(day=day + timedelta(days=offset)))
        await world.history.chain("SPX", day + timedelta(days=offset))
    await world.history._remember_most_used()
    for offset in range(3):
        await world.cache.delete(f"history:chain:SPX:{day + timedelta(days=offset)}")

    await world.history._warm()

    assert [
        await world.cache.exists(f"history:chain:SPX:{day + timedelta(days=offset)}") for offset in range(3)
    ] == [True] * 3


async def test_the_smile_is_answered_by_day_and_expiration(world):
    await world.repository.save_historical_chain(chain())

    query = {"from": "2024-01-01", "to": "2024-01-31"}
    rows = (await world.http.get("/api/v1/historical/SPX/volatility", params=query)).json()["data"]

    assert [(row["expiration"], row["days_to_expiration"]) for row in rows] == [
        ("2024-01-19", 17),
        ("2024-02-16", 45),
    ]
    assert rows[0]["atm_volatility"] == pytest.approx(0.2)


def test_a_range_may_be_one_day():
    assert DateRange(date(2024, 1, 2), date(2024, 1, 2)).first == date(2024, 1, 2)
