"""The clock of a machine jumps by an hour, either way: nothing expires, is forgotten or takes effect twice for that."""

from __future__ import annotations

import time
import uuid

import pytest

from actors.read_through import ReadThrough
from adapters.circuit_breaker import CircuitBreaker
from adapters.redis.cache import RedisCacheService
from optionchain.errors import Unavailable
from optionchain.ports import Cached, CacheEntry, Checkpoint
from optionchain.session import REMEMBERED_COMMANDS, Advance, SessionKind
from tests.integration.redis_groups.stepping import LONG
from tests.integration.sessions.session_examples import (
    StoreFactory,
    advance,
    ask,
    created,
    new_host,
    new_session,
)
from tests.servers import RedisServer

pytestmark = pytest.mark.anyio

HOUR, DAY = 3600.0, 86_400.0
MIDNIGHT = DAY * int(time.time() / DAY)
# Before, at and after the instant at which a new period of keyed commands begins.
INSTANTS = (MIDNIGHT - HOUR / 2, MIDNIGHT + 1.0, MIDNIGHT + HOUR / 2, MIDNIGHT + DAY / 2)
JUMPS = (-HOUR, HOUR)


@pytest.mark.parametrize("jump", JUMPS, ids=["back", "forward"])
@pytest.mark.parametrize("age", [0.0, DAY - 1.0], ids=["at once", "at the end of its day"])
@pytest.mark.parametrize("instant", INSTANTS)
async def test_a_keyed_command_takes_effect_once(
    open_store: StoreFactory, instant: float, age: float, jump: float
) -> None:
    command = Advance(uuid.uuid4().hex, is_keyed=True)
    host = new_host(open_store(clock=lambda: instant))
    session = await created(host, new_session(LONG))
    (first,) = await ask(host, session, command)
    for _ in range(REMEMBERED_COMMANDS + 1):
        await ask(host, session, advance())

    store = open_store(clock=lambda: instant + age + jump)
    (again,) = await ask(new_host(store), session, command)

    assert again == first
    assert (await store.get([session.id]))[session.id].current_step == REMEMBERED_COMMANDS + 2


@pytest.mark.parametrize("jump", JUMPS, ids=["back", "forward"])
async def test_sessions_stay_and_are_listed(open_store: StoreFactory, jump: float) -> None:
    now = time.time()
    session = new_session(owner="jumping")
    await open_store(clock=lambda: now).save([Checkpoint(session, None)])
    store = open_store(clock=lambda: now + jump)

    assert await store.cleanup_expired() == 0
    assert (await store.list_active("jumping", SessionKind.CHAIN)).ids == (session.id,)
    assert await store.get([session.id]) == {session.id: session}


@pytest.mark.parametrize("jump", JUMPS, ids=["back", "forward"])
async def test_the_cache_neither_keeps_what_was_changed_nor_loses_the_old_value(
    server: RedisServer, prefix: str, jump: float
) -> None:
    now, numbers = [time.time()], iter(range(1, 100))
    cache = RedisCacheService(server.open(), prefix=prefix)
    reads = ReadThrough(
        cache, CircuitBreaker("it", pause_seconds=0.0), stale_seconds=DAY, clock=lambda: now[0]
    )

    async def load() -> CacheEntry:
        number = next(numbers)
        return CacheEntry(b"%d" % number, number)

    async def fail() -> CacheEntry:
        raise Unavailable("it")

    assert await reads.get("key", load, 300.0) == Cached(b"1")
    now[0] += jump

    assert (await reads.get("key", fail, 300.0)).value == b"1", "fresh or stale, it is there"
    assert await reads.write("key", load, 300.0) == b"2"
    assert await reads.get("key", fail, 300.0) == Cached(b"2")
    await cache.close()
