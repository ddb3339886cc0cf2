"""The cache on a real server, as two processes see it."""

from __future__ import annotations

import time
import uuid

import pytest

from adapters.redis_cache import RedisCacheService
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

    assert [await one.get("a"), await other.get("a")] == [b"\x00value"] * 2
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

    assert await other.get("a") == b"1"


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
    assert await cache.get("large") == b"x" * 20_000
    await cache.close()


async def test_what_redis_holds_is_bounded_and_what_ends_first_makes_room(redis):
    prefix = f"t{uuid.uuid4().hex[:8]}"
    cache = RedisCacheService(redis.open(), prefix=prefix, redis_bytes=10_000)
    other = RedisCacheService(redis.open(), prefix=prefix)
    for index in range(30):
        await cache.set(str(index), b"x" * 800, 600 - 10 * index)
    await cache.set("too large", b"x" * 10_000, 600)

    # A thousand bytes each, with what they take beside the value. Lifetimes are shortened by up to a tenth.
    kept = [index for index in range(30) if await other.exists(str(index))]
    assert 9 <= len(kept) <= 10
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
