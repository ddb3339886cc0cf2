"""Rendered snapshots in Redis: an actor that was restarted finds them, and a cache that is down costs no answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from actors.sessions.host import SessionHost
from actors.sessions.simulation_cache import SimulationCache
from actors.sessions.snapshot_sharing import SnapshotSharing
from adapters.redis.cache import open_snapshot_cache
from optionchain.session import Peek, ShowSnapshots
from tests.integration.sessions.session_examples import (
    PARAMETERS,
    StoreFactory,
    advance,
    ask,
    created,
    new_host,
    new_session,
)
from tests.recording import Recording
from tests.servers import RedisServer, redis_server
from tests.waiting import until

pytestmark = pytest.mark.anyio

HostFactory = Callable[[], SessionHost]


@asynccontextmanager
async def sharing_hosts(
    server: RedisServer, prefix: str, open_store: StoreFactory, observer: Recording
) -> AsyncIterator[HostFactory]:
    """Makes hosts that share what they render, each with an empty memory."""
    shared = open_snapshot_cache(server.settings(), 1, prefix=prefix)
    sharings: list[SnapshotSharing] = []

    def make() -> SessionHost:
        cache = SimulationCache(path_bytes=1 << 20, snapshot_bytes=1 << 20, shared_contracts=1)
        sharings.append(SnapshotSharing(cache, shared, seconds=60.0, observer=observer))
        return new_host(open_store(), cache=cache, sharing=sharings[-1], observer=observer)

    try:
        yield make
    finally:
        for sharing in sharings:
            await sharing.close()
        await shared.close()


def found(observer: Recording) -> int:
    return int(observer.counts["session.snapshots_found"])


async def test_the_first_peek_after_a_restart_comes_from_redis(
    server: RedisServer, prefix: str, open_store: StoreFactory
) -> None:
    observer, redis = Recording(), server.open()
    async with sharing_hosts(server, prefix, open_store, observer) as new:
        session = await created(new(), new_session())
        (before,) = await ask(new(), session, Peek())
        await until(lambda: redis.keys(f"*{prefix}:snapshots*:0:*"), "the snapshot is written")
        assert found(observer) == 0

        restarted = new()
        (after,) = await ask(restarted, session, Peek())

        assert found(observer) == 1
        assert after == before
        assert observer.counts["session.snapshots_cached"] == 1, "what was found is not priced again"
        (again,) = await ask(restarted, session, Peek())
        assert (again, found(observer)) == (before, 1)
        # Another session of the same parameters, whose own identity it shows.
        twin = await created(new(), new_session(PARAMETERS))
        (of_twin,) = await ask(new(), twin, Peek())
        assert found(observer) == 2
        assert isinstance(of_twin, bytes)
        assert twin.id.encode() in of_twin
    await redis.aclose()


async def test_a_session_of_its_own_simulation_writes_nothing_when_it_is_stepped(
    server: RedisServer, prefix: str, open_store: StoreFactory
) -> None:
    redis = server.open()
    async with sharing_hosts(server, prefix, open_store, Recording()) as new:
        host = new()
        session = await created(host, new_session())

        await ask(host, session, advance(), advance())

    assert await redis.keys(f"*{prefix}:snapshots*") == []
    await redis.aclose()


async def test_what_is_unwritten_at_the_end_stays_so_and_nothing_goes_on(
    server: RedisServer, prefix: str, open_store: StoreFactory
) -> None:
    shared, redis = open_snapshot_cache(server.settings(), 1, prefix=prefix), server.open()
    cache = SimulationCache(path_bytes=1 << 20, snapshot_bytes=1 << 20, shared_contracts=1)
    sharing = SnapshotSharing(cache, shared, seconds=60.0, observer=Recording())
    session, before = new_session(), asyncio.all_tasks()
    await cache.snapshots([(session, ShowSnapshots(0, 1, "none", is_served=False))])

    sharing.offer()
    assert len(asyncio.all_tasks() - before) == 1
    await sharing.close()

    assert asyncio.all_tasks() == before
    assert await redis.keys(f"*{prefix}:snapshots*") == []
    await shared.close()
    await redis.aclose()


async def test_a_cache_that_is_down_costs_no_answer(
    prefix: str, open_store: StoreFactory, tmp_path: Path
) -> None:
    observer = Recording()
    with redis_server(tmp_path) as gone:
        pass
    async with sharing_hosts(gone, prefix, open_store, observer) as new:
        host = new()
        session = await created(host, new_session())

        (peeked,) = await ask(host, session, Peek())

    assert isinstance(peeked, bytes)
    assert found(observer) == 0
