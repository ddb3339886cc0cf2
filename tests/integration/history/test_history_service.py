"""History over HTTP, down to real servers; only Ray is left out."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import UTC, date, datetime, timedelta

import numpy as np
import orjson
import pytest
from bson import ObjectId
from pydantic import SecretStr

from actors.history.actor import HistoryActor, HistorySources
from actors.settings import HistorySettings
from adapters.circuit_breaker import CircuitBreaker
from adapters.settings import MongoSettings
from optionchain.errors import InvalidInput, NotFound, Unavailable
from optionchain.history.chains import DateRange
from optionchain.history.wire import chain_from_wire, chain_json
from optionchain.time_frame import TimeFrame
from tests.integration.history import mongo_servers as servers
from tests.integration.history.world import World
from tests.servers import redis_server
from tests.unit.history.samples import chain, prices, same_chain, simulation_result
from tests.waiting import until

pytestmark = pytest.mark.anyio


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
        assert (await world.put(path, content, **{"x-api-key": "user"})).status_code == 403


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
        ("/api/v1/historical/SPX/realised-volatility?from=1950-01-01&to=2024-01-01", 404, None),
        ("/api/v1/historical/SPX/realised-volatility?from=2024-01-01", 400, "to"),
        ("/api/v1/config/a.b", 400, "name"),
        ("/api/v1/config/unknown", 404, None),
        ("/api/v1/config/unknown/history", 404, None),
        ("/api/v1/config/simulator?version=-1", 400, "version"),
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


async def test_a_historical_model_draws_its_window_from_the_seed(world):
    await world.repository.save_time_series(prices(np.arange(1.0, 301.0)))

    windows = [await world.history.closes("SPX", TimeFrame.DAY, 10, seed) for seed in (1, 1, 2, 2**64 - 1)]

    assert windows[0] == windows[1] != windows[2]
    assert all(np.diff(window).tolist() == [1.0] * 9 for window in windows)
    for asset, steps, has in (("SPX", 301, "300"), ("NDX", 1, "0")):
        with pytest.raises(InvalidInput, match=f"the history has {has}"):
            await world.history.closes(asset, TimeFrame.DAY, steps, 1)


CHAIN_PATH, CONFIGURATION = "/api/v1/historical/SPX/2024-01-02", "/api/v1/config/simulator"
COMPUTED = (
    "/api/v1/historical/SPX/prices",
    "/api/v1/historical/SPX/prices?timeframe=Week",
    "/api/v1/historical/SPX/realised-volatility?from=2024-01-01&to=2024-12-31",
    "/api/v1/historical/SPX/volatility?from=2024-01-01&to=2024-12-31",
)


async def test_while_mongodb_is_down_reads_are_stale_and_marked_writes_fail_fast_and_it_recovers(
    tmp_path, redis
):
    body = orjson.loads(chain_json(chain(level=0.4)))
    with servers.replica_set(tmp_path, 1) as started:
        uri = started.uri
        settings = MongoSettings(uri=SecretStr(uri), database="outage", timeout_seconds=0.5)
        world = World(settings, redis, chain_seconds=0.001)
        await world.repository.save_historical_chain(chain())
        await world.repository.save_time_series(prices([1.0, 2.0, 4.0]))
        await world.put(CONFIGURATION, {"defaults": {}})
        read = (CHAIN_PATH, CONFIGURATION, *COMPUTED)
        fresh = [await world.http.get(path) for path in read]
        assert {answer.status_code for answer in fresh} == {200}
        await until(lambda: world.config._hears_changes, "it hears changes")

    async with contextlib.aclosing(world):
        await until(lambda: not world.config._hears_changes, "it has noticed")
        refused = [await world.put(CHAIN_PATH, body) for _ in range(3)]
        # A write that was refused takes nothing away that could be read.
        stale = [await world.http.get(path) for path in read]
        never_seen = await world.http.get("/api/v1/historical/SPX/2024-01-03")

        assert [(one.status_code, one.content) for one in stale] == [(200, one.content) for one in fresh]
        marks = {(one.headers["warning"], one.headers["x-cache"]) for one in stale}
        assert marks == {('110 - "Response is Stale"', "stale")}
        assert {one.status_code for one in (*refused, never_seen)} == {503}
        assert all(one.headers["retry-after"] for one in refused)
        # After the first the circuit is open: the others did not wait for MongoDB, and say so.
        assert refused[1].json()["error"].startswith("history is not available")
        port = int(uri.split("/")[2].split(":")[1])
        command = servers.mongod_command(tmp_path / str(port), port)
        with servers.process(command, tmp_path / "again.log"):

            async def is_accepted():
                return (await world.put(CHAIN_PATH, body)).status_code == 200

            await until(is_accepted, "writes are accepted again", patience_seconds=30.0)
            again = await world.http.get(CHAIN_PATH)
            assert "x-cache" not in again.headers
            assert again.content != fresh[0].content


@pytest.mark.parametrize(
    "first_call",
    [
        lambda actor: actor.status(),
        lambda actor: actor.asset_range("SPX"),
        lambda actor: actor.volatility("SPX", DateRange(date(2023, 1, 1), date(2023, 2, 1))),
        lambda actor: actor.save_prices(prices([1.0])),
    ],
    ids=["status", "range", "volatility", "save"],
)
async def test_the_most_used_days_are_loaded_when_the_actor_starts_again(world, redis, first_call):
    day = date(2024, 1, 2)
    for offset in range(3):
        await world.repository.save_historical_chain(chain(day=day + timedelta(days=offset)))
        await world.history.chain("SPX", day + timedelta(days=offset))
    await world.history._most_used.remember()
    client = redis.open()
    kept = [key async for key in client.scan_iter(f"*{world.prefix}*most-used*")]
    assert [await client.pttl(key) > 3_600_000 for key in kept] == [True]
    await client.aclose()
    for offset in range(3):
        await world.cache.delete(f"history:chain:SPX:{day + timedelta(days=offset)}")

    before = asyncio.all_tasks()
    again = HistoryActor(
        lambda: HistorySources(world.repository, world.cache, CircuitBreaker("history")), HistorySettings()
    )
    await first_call(again)

    keys = [f"history:chain:SPX:{day + timedelta(days=offset)}" for offset in range(3)]

    async def are_loaded():
        return all([await world.cache.exists(key) for key in keys])

    await until(are_loaded, "the most used days are loaded")
    await again.close()
    assert not [task for task in asyncio.all_tasks() - before if "_keep_house" in repr(task)]


async def test_what_was_served_is_kept_for_its_owner_alone(world):
    await world.history.store_result(simulation_result("5e55-0000000001"))

    (shown,) = orjson.loads(await world.history.results("5e55", "anna"))["data"]
    assert (shown["served_steps"], shown["prices"]) == (2, [100.0, 101.0])
    for session_id, owner in (("5e55", "ben"), ("5e56", "anna")):
        with pytest.raises(NotFound, match=session_id):
            await world.history.results(session_id, owner)


async def test_store_and_cache_are_kept_in_order_again_and_again(mongo, redis):
    day = date(2024, 1, 2)
    async with contextlib.aclosing(World(mongo, redis, housekeeping_seconds=0.05)) as world:
        await world.repository.save_historical_chain(chain(day=day))
        documents = world.repository._chains.documents
        whole = await documents.count_documents({})
        await world.history.status()
        # What a writer leaves that dies between its documents and the head that makes them count.
        began = datetime.now(UTC) - timedelta(hours=2)
        key = {"asset": "SPX", "date": began, "expiration": began, "revision": ObjectId.from_datetime(began)}
        await documents.insert_one({"time": began, "key": key})
        await world.history.chain("SPX", day)

        async def in_order():
            return (
                await documents.count_documents({}) == whole and await world.history._most_used.remembered()
            )

        assert await until(in_order, "the trace is dropped, and the use kept") == [("SPX", day)]


async def test_the_smile_is_answered_by_day_and_expiration(world):
    await world.repository.save_historical_chain(chain())

    query = {"from": "2024-01-01", "to": "2024-01-31"}
    rows = (await world.http.get("/api/v1/historical/SPX/volatility", params=query)).json()["data"]

    assert [(row["expiration"], row["days_to_expiration"]) for row in rows] == [
        ("2024-01-19", 17),
        ("2024-02-16", 45),
    ]
    assert rows[0]["atm_volatility"] == pytest.approx(0.2)


async def test_the_realised_volatility_is_that_of_the_daily_closes(world):
    closes = 100 * np.exp(np.cumsum(np.random.default_rng(3).normal(0, 0.01, 60)))
    await world.repository.save_time_series(prices(closes))

    query = {"from": "2024-01-10", "to": "2024-02-20"}
    answer = await world.http.get("/api/v1/historical/SPX/realised-volatility", params=query)

    # From the 2nd on: the 10th is the ninth, the 20th of February the fiftieth.
    expected = np.std(np.diff(np.log(closes[8:50])), ddof=1) * np.sqrt(252)
    assert answer.json() == {"asset": "SPX", **query, "volatility": pytest.approx(expected, rel=1e-12)}


async def test_new_bars_are_served_at_once_though_the_old_ones_were_cached(world):
    for close in (2.0, 3.0):
        await world.history.save_prices(prices([1.0, close]))
        for _ in range(2):
            rows = (await world.http.get("/api/v1/historical/SPX/prices")).json()["data"]
            assert rows[1]["close"] == close


async def test_bars_that_were_read_are_not_read_again(world):
    await world.repository.save_time_series(prices(1 + np.arange(300) % 7, timeframe=TimeFrame.MINUTE))
    path = "/api/v1/historical/SPX/prices?timeframe=Minute"
    first = await world.http.get(path)
    # Behind the back of the service, which is not told.
    await world.repository._prices.heads.delete_many({})

    again = await world.http.get(path)

    assert len(first.json()["data"]) == 300
    assert again.content == first.content


async def test_a_write_whose_answer_was_lost_is_seen_as_soon_as_the_store_answers(world, monkeypatch):
    await world.history.save_prices(prices([1.0, 2.0]))
    path = "/api/v1/historical/SPX/prices"
    old = await world.http.get(path)
    save = world.repository.save_time_series

    async def save_and_lose_the_answer(series):
        await save(series)
        raise Unavailable("mongodb")

    monkeypatch.setattr(world.repository, "save_time_series", save_and_lose_the_answer)
    with pytest.raises(Unavailable):
        await world.history.save_prices(prices([1.0, 3.0]))
    # The circuit is open: what was known is better than nothing.
    stale = await world.http.get(path)

    assert (stale.content, stale.headers["x-cache"]) == (old.content, "stale")

    async def fresh():
        answer = await world.http.get(path)
        return None if "x-cache" in answer.headers else answer

    now = await until(fresh, "the store answers")
    assert [row["close"] for row in now.json()["data"]] == [1.0, 3.0]


async def test_new_chains_are_in_the_analytics_at_once(world):
    query = {"from": "2024-01-01", "to": "2024-01-31"}
    for level in (0.2, 0.4):
        await world.put("/api/v1/historical/SPX/2024-01-02", orjson.loads(chain_json(chain(level=level))))
        rows = (await world.http.get("/api/v1/historical/SPX/volatility", params=query)).json()["data"]
        assert rows[0]["atm_volatility"] == pytest.approx(level)


async def test_history_configuration_cache_and_breaker_tell_the_observer(mongo, tmp_path):
    unreachable = MongoSettings(uri=SecretStr("mongodb://127.0.0.1:9"), timeout_seconds=0.05)
    with redis_server(tmp_path) as redis:
        world, silent = World(mongo, redis), World(unreachable, redis)
        await world.put("/api/v1/historical/SPX/2024-01-02", orjson.loads(chain_json(chain())))
        for _ in range(2):
            await world.http.get("/api/v1/historical/SPX/2024-01-02")
        await world.http.get("/api/v1/config/unknown")
        for _ in range(2):
            assert (await silent.http.get("/api/v1/historical/SPX/2024-01-02")).status_code == 503
        for one in (world, silent):
            await one.aclose()

    ended = {operation.name: operation for operation in world.told.ended}
    assert {"history.save_chain", "history.chain"} <= set(ended)
    assert ended["history.chain"].context.principal.tenant == "anna"
    assert isinstance(world.told.failure("configuration.get")[1], NotFound)
    assert world.told.counts["cache.misses"] >= 1
    assert {"tier", "kind"} == {
        name for quantity, labels in world.told.labels if quantity == "cache.hits" for name in labels
    }
    assert silent.told.counts["breaker.opened"] == 1
    assert silent.told.counts["breaker.refused"] >= 1
    assert {
        type(error) for operation, error in silent.told.failures if operation.name == "history.chain"
    } == {Unavailable}
