"""The cache on a real server, as two processes see it."""

from __future__ import annotations

import time
import uuid
from dataclasses import replace

import pytest

from adapters.redis.cache import RedisCacheService
from adapters.redis.session_store import RedisSessionStore
from cluster.bootstrap import open_cache
from cluster.settings import Settings
from optionchain.models import model_from_wire
from optionchain.ports import CacheEntry, Checkpoint
from tests.integration.sessions.session_examples import PARAMETERS, new_session
from tests.servers import redis_server
from tests.waiting import until

pytestmark = pytest.mark.anyio


@pytest.fixture
async def two(redis):
    """Two caches of one prefix: two processes."""
    prefix = f"t{uuid.uuid4().hex[:8]}"
    pair = [RedisCacheService(redis.open(), prefix=prefix) for _ in range(2)]
    for cache in pair:
        await cache.get("anything")
        await until(lambda cache=cache: cache._is_listening, "it listens")
    yield pair
    for cache in pair:
        await cache.close()


async def test_what_is_set_is_found_by_both_until_it_is_deleted(two):
    one, other = two
    assert await other.get("a") is None
    assert not await other.exists("a")

    await one.set("a", b"\x00value", 60)

    assert [await one.get("a"), await other.get("a")] == [CacheEntry(b"\x00value")] * 2
    assert await one.exists("a")
    assert await other.exists("a")
    await one.delete("a")
    await until(lambda: "a" not in other._local, "the other cache has heard of it")
    assert [await one.get("a"), await other.get("a")] == [None, None]


async def test_a_read_is_served_locally_the_second_time(two, redis):
    one, other = two
    await one.set("a", b"1", 60)
    await other.get("a")

    client = redis.open()
    await client.delete(other._key("a"))
    await client.aclose()

    assert await other.get("a") == CacheEntry(b"1")


async def test_a_value_ends_with_its_time_in_every_tier(two):
    one, other = two

    await one.set("a", b"1", 0.05)
    await other.get("a")

    async def has_ended():
        return [await one.get("a"), await other.get("a")] == [None, None]

    await until(has_ended, "its time is over", patience_seconds=0.06)


async def test_what_was_set_together_ends_apart(two, redis):
    one, _ = two
    for index in range(50):
        await one.set(str(index), b"1", 100)

    client = redis.open()
    lifetimes = [await client.pttl(one._key(str(index))) for index in range(50)]
    await client.aclose()

    assert max(lifetimes) <= 100_000
    assert min(lifetimes) >= 89_000
    assert max(lifetimes) - min(lifetimes) > 5_000


async def test_the_local_tier_is_bounded(redis):
    cache = RedisCacheService(redis.open(), prefix="bounded", local_bytes=10_000)
    for index in range(100):
        await cache.set(str(index), b"x" * 800, 60)
    await cache.set("large", b"x" * 20_000, 60)

    assert cache._local.currsize <= 10_000
    assert await cache.get("large") == CacheEntry(b"x" * 20_000)
    await cache.close()


async def test_what_redis_holds_is_bounded_and_what_ends_first_makes_room(redis):
    prefix = f"t{uuid.uuid4().hex[:8]}"
    cache = RedisCacheService(redis.open(), prefix=prefix, redis_bytes=10_000)
    other = RedisCacheService(redis.open(), prefix=prefix)
    for index in range(30):
        await cache.set(str(index), b"x" * 800, 600 - 10 * index)
    await cache.set("too large", b"x" * 10_000, 600)

    # 1,360 bytes each, with what they take beside the value. Lifetimes are shortened by up to a tenth.
    kept = [index for index in range(30) if await other.exists(str(index))]
    assert len(kept) == 7
    assert sum(kept) < sum(range(30)) / 3
    assert not await other.exists("too large")
    for index in kept:
        await other.delete(str(index))
    client = redis.open()
    assert int(await client.hget(f"{{{prefix}:cache}}-sizes", "all")) == 0
    assert await client.zcard(f"{{{prefix}:cache}}-ends") == 0
    for each in (cache, other):
        await each.close()
    await client.aclose()


async def test_a_value_that_is_set_again_counts_once(redis):
    cache = RedisCacheService(redis.open(), prefix=f"t{uuid.uuid4().hex[:8]}", redis_bytes=10_000)
    await cache.set("first", b"1", 600)

    for _ in range(50):
        await cache.set("again", b"x" * 2000, 600)

    assert await cache.exists("first")
    await cache.close()


async def test_a_server_that_goes_away_is_an_empty_cache_and_comes_back(tmp_path):
    with redis_server(tmp_path) as server:
        cache = RedisCacheService(server.open())
        await cache.get("anything")
        await until(lambda: cache._is_listening, "it listens again")
        await cache.set("a", b"1", 60)
        server.process.kill()
        server.process.wait()
        await until(lambda: not cache._is_listening, "it has noticed")

        begun = time.monotonic()
        for _ in range(20):
            assert await cache.get("a") is None
            await cache.set("a", b"2", 60)
            await cache.delete("a")
            assert not await cache.exists("a")
        assert time.monotonic() - begun < 5
        await cache.close()


@pytest.mark.parametrize(
    ("value_bytes", "values", "bound"), [(1, 2500, 500_000), (100, 2500, 500_000), (16_400, 150, 2_000_000)]
)
async def test_the_bound_is_of_what_redis_really_takes(tmp_path, value_bytes, values, bound):
    with redis_server(tmp_path) as server:
        cache, client = RedisCacheService(server.open(), redis_bytes=bound), server.open()
        await cache.set("first", b"x", 600)
        empty = (await client.info("memory"))["used_memory_dataset"]
        for index in range(values):
            await cache.set(f"history:bars:SPX:{index:032}:Minute:2024", b"x" * value_bytes, 600)
        taken = (await client.info("memory"))["used_memory_dataset"] - empty
        await cache.close()
        await client.aclose()

    assert bound / 3 < taken < bound


async def test_a_newer_version_stays_whoever_sets_an_older_one_later(two):
    one, other = two
    await one.set("a", b"new", 60, version=2)

    await other.set("a", b"old", 60, version=1)

    assert [await one.get("a"), await other.get("a")] == [CacheEntry(b"new", 2)] * 2
    await other.set("a", b"newer", 60, version=3)
    assert await other.get("a") == CacheEntry(b"newer", 3)


async def test_an_older_version_that_was_read_before_is_kept_out_afterwards(two):
    one, other = two
    await one.delete("a", version=2)

    await other.set("a", b"old", 60, version=1)

    assert [await one.get("a"), await other.get("a")] == [None, None]
    await other.set("a", b"new", 60, version=2)
    assert await one.get("a") == CacheEntry(b"new", 2)
    await one.delete("a", version=2)
    assert await other.get("a") == CacheEntry(b"new", 2), "it is not older"


async def test_what_was_to_be_forgotten_while_redis_was_away_is_not_believed_when_it_is_back(tmp_path):
    with redis_server(tmp_path, fsync="always") as server:
        cache = RedisCacheService(server.open())
        for key, version in (("plain", 0), ("versioned", 1)):
            await cache.set(key, b"old", 600, version=version)
    await cache.delete("plain")
    await cache.delete("versioned", version=2)

    with redis_server(tmp_path, fsync="always", port=server.port):
        client = server.open()
        assert b"old" in await client.get(cache._key("plain")), "Redis has it still"

        async def is_asked():
            await cache.get("plain")
            return not cache._breaker.is_open

        await until(is_asked, "Redis is asked again")
        assert [await cache.get(key) for key in ("plain", "versioned")] == [None, None]
        await cache.close()
        await client.aclose()


async def test_a_redis_that_hangs_ends_the_trust_in_the_local_tier(tmp_path):
    with redis_server(tmp_path) as server:
        cache = RedisCacheService(server.open(), timeout_seconds=0.2)
        await cache.get("anything")
        await until(lambda: cache._is_listening, "it listens")
        server.process.suspend()

        await until(lambda: not cache._is_listening, "it has noticed", patience_seconds=5.0)
        server.process.resume()
        await until(lambda: cache._is_listening, "it listens again")
        await cache.close()


async def test_what_was_said_while_the_connection_was_broken_is_not_missed(two, redis):
    """The driver connects again by itself, and tells nobody."""
    one, other = two
    await one.set("a", b"old", 60)
    await other.get("a")
    client = redis.open()
    await client.client_kill_filter(_type="pubsub")
    await client.aclose()

    await one.delete("a")

    async def is_forgotten():
        return await other.get("a") is None

    await until(is_forgotten, "the other has forgotten it", patience_seconds=2.0)


async def test_a_full_cache_never_refuses_the_write_of_a_session(tmp_path):
    """One Redis that evicts nothing serves both, and has less room than the cache may take and the sessions take."""
    replayed = model_from_wire(
        {"Historical": {"timeframe": "Day", "prices": [100.0 + 1 / n for n in range(1, 1500)]}}
    )
    parameters = replace(PARAMETERS, method=replayed)
    with redis_server(tmp_path, lines=["maxmemory 64mb"]) as server:
        cache, store = RedisCacheService(server.open()), RedisSessionStore(server.open())
        client = server.open()
        for index in range(700):
            await cache.set(str(index), b"x" * 100_000, 600)
        full = (await client.info("memory"))["used_memory"]
        assert 0.7 < full / (64 << 20) < 0.85

        while await cache.exists("699"):
            saves = [Checkpoint(new_session(parameters), None) for _ in range(50)]
            assert await store.save(saves) == [None] * 50
            cache._local.clear()

        await cache.close()
        await store.close()
        await client.aclose()


async def test_a_redis_of_its_own_may_evict_and_holds_nothing_but_the_cache(tmp_path):
    evicting = ["maxmemory 16mb", "maxmemory-policy allkeys-lru"]
    with redis_server(tmp_path / "a") as sessions, redis_server(tmp_path / "b", lines=evicting) as own:
        settings = Settings(redis={"url": sessions.url}, cache={"redis_url": own.url})
        cache, clients = open_cache(settings), [sessions.open(), own.open()]
        for index in range(300):
            await cache.set(str(index), b"x" * 100_000, 600)

        cache._local.clear()
        assert await cache.exists("299")
        assert (await clients[1].info("stats"))["evicted_keys"] > 0
        assert [await client.dbsize() > 0 for client in clients] == [False, True]
        for each in clients:
            await each.aclose()
        await cache.close()
