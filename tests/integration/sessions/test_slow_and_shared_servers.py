"""A Redis that takes a tenth of a second for every call, and one that two instances share."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest
from pydantic import SecretStr

from adapters.redis.cache import RedisCacheService
from adapters.redis.connection import open_redis
from adapters.redis.session_store import RedisSessionStore
from adapters.settings import RedisSettings
from optionchain.ports import CacheEntry, Checkpoint
from optionchain.session import SessionKind
from tests.integration.redis_groups.stepping import LONG
from tests.integration.sessions.session_examples import advance, ask, created, new_host, new_session
from tests.lines import line_to
from tests.servers import PASSWORD, RedisServer, redis_server
from tests.waiting import until

pytestmark = pytest.mark.anyio

DELAY_SECONDS = 0.1
CLIENTS, STEPS = 50, 4


async def test_a_slow_redis_makes_answers_later_and_refuses_nobody(server: RedisServer, prefix: str) -> None:
    """All who wait share one call, so that many wait no longer than one."""
    async with line_to(server.port, DELAY_SECONDS) as line:
        url = SecretStr(f"redis://:{PASSWORD}@127.0.0.1:{line.port}/0")
        store = RedisSessionStore(open_redis(RedisSettings(url=url)), prefix=prefix)
        host = new_host(store)
        sessions = await asyncio.gather(*(created(host, new_session(LONG)) for _ in range(CLIENTS)))

        async def step(session) -> float:
            longest = 0.0
            for _ in range(STEPS):
                begun = time.monotonic()
                (answer,) = await ask(host, session, advance())
                assert isinstance(answer, bytes), answer
                longest = max(longest, time.monotonic() - begun)
            return longest

        longest = max(await asyncio.gather(*(step(session) for session in sessions)))
        await store.close()

    assert DELAY_SECONDS < longest < 2.0


async def test_two_instances_on_one_redis_do_not_see_each_other(server: RedisServer, prefix: str) -> None:
    stores = [RedisSessionStore(server.open(), prefix=f"{prefix}{name}") for name in "ab"]
    caches = [RedisCacheService(server.open(), prefix=f"{prefix}{name}") for name in "ab"]
    for cache in caches:
        await cache.get("anything")
        await until(lambda cache=cache: cache._is_listening, "it listens")
        await cache.set("key", b"value", 60)
    session = new_session(owner="both")
    await stores[0].save([Checkpoint(session, None)])

    await caches[0].delete("key")

    assert await caches[1].get("key") == CacheEntry(b"value")
    assert await stores[1].get([session.id]) == {}
    assert (await stores[1].list_active("both", SessionKind.CHAIN)).ids == ()
    assert await stores[1].save([Checkpoint(session, None)]) == [None], (
        "an id is not taken by another instance"
    )
    await stores[1].delete([session])
    assert await stores[0].get([session.id]) == {session.id: session}
    for each in (*stores, *caches):
        await each.close()


async def test_a_redis_that_is_started_anew_has_what_the_machine_had_on_disk(tmp_path: Path) -> None:
    """Killed, as by a power cut of a disk that keeps what it has confirmed."""
    with redis_server(tmp_path, fsync="always") as server:
        store, session = RedisSessionStore(server.open()), new_session()
        await store.save([Checkpoint(session, None)])
        server.process.kill()
        server.process.wait()
        await store.close()

    with redis_server(tmp_path, fsync="always") as server:
        store = RedisSessionStore(server.open())
        assert await store.get([session.id]) == {session.id: session}
        await store.close()
