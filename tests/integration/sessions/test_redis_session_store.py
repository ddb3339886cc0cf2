"""The session store on a real Redis-protocol server: the contract, time to live, and a server that is gone."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from servers import RedisServer, redis_server
from session_examples import StoreFactory, advance, after, new_session
from session_store_contract import CHECKS, Check, check_session_store, stored

from adapters.redis_connection import open_redis
from adapters.redis_session_store import RedisSessionStore
from optionchain.errors import NotFound, Unavailable
from optionchain.ports import Checkpoint
from optionchain.session import Surface

pytestmark = pytest.mark.anyio

HOUR = 3600.0


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
async def test_the_contract(check: Check, open_store: StoreFactory) -> None:
    await check(open_store())


async def test_the_whole_contract_holds_on_one_store(open_store: StoreFactory) -> None:
    await check_session_store(open_store())


async def test_a_second_process_sees_and_fences_what_the_first_wrote(open_store: StoreFactory) -> None:
    first, second = open_store(), open_store()
    before = await stored(first, new_session())
    stepped = after(before, advance())

    await second.save([Checkpoint(stepped, before)])

    assert await first.save([Checkpoint(after(before, advance()), before)]) != [None]
    assert await first.get([before.id]) == {before.id: stepped}


async def test_a_command_applied_by_two_processes_is_stored_once(open_store: StoreFactory) -> None:
    first, second = open_store(), open_store()
    before = await stored(first, new_session())
    command = advance()

    assert await first.save([Checkpoint(after(before, command), before)]) == [None]
    assert await second.save([Checkpoint(after(before, command), before)]) == [None]
    assert (await first.get([before.id]))[before.id].current_step == 1


async def test_a_write_refreshes_the_time_to_live(
    open_store: StoreFactory, server: RedisServer, prefix: str
) -> None:
    before = await stored(open_store(ttl_seconds=10.0), new_session())
    await open_store(ttl_seconds=HOUR).save([Checkpoint(after(before, advance()), before)])

    client = server.open()
    left_seconds = await client.ttl(f"{prefix}:session:{{{before.id}}}")
    await client.aclose()

    # The server rounds, and some of the hour is over already; ten seconds would mean that nothing was refreshed.
    assert HOUR - 60 < left_seconds <= HOUR


async def test_a_session_expires(open_store: StoreFactory, server: RedisServer, prefix: str) -> None:
    store = open_store()
    before = await stored(store, new_session())
    client = server.open()
    await client.pexpireat(f"{prefix}:session:{{{before.id}}}", 1)
    await client.aclose()

    assert await store.get([before.id]) == {}
    assert await store.versions([before.id]) == {}
    (refusal,) = await store.save([Checkpoint(after(before, advance()), before)])
    assert isinstance(refusal, NotFound)
    assert (await store.list_active("owner", Surface.CHAIN)).ids == ()


async def test_expired_sessions_are_not_listed_and_are_cleaned_up_once(open_store: StoreFactory) -> None:
    now = time.time()
    await stored(open_store(ttl_seconds=10.0, clock=lambda: now - 60.0), new_session(owner="past"))
    kept = await stored(open_store(ttl_seconds=HOUR), new_session(owner="past"))
    store = open_store()

    page = await store.list_active("past", Surface.CHAIN)
    dropped = [await store.cleanup_expired(), await store.cleanup_expired()]

    assert (page.ids, page.total) == ((kept.id,), 1)
    assert dropped == [1, 0]
    assert (await store.list_active("past", Surface.CHAIN)).ids == (kept.id,)


async def test_the_session_written_last_is_listed_first(open_store: StoreFactory) -> None:
    now = time.time()
    older, newer = [
        await stored(open_store(clock=lambda age=age: now - age), new_session()) for age in (60.0, 30.0)
    ]

    assert (await open_store().list_active("owner", Surface.CHAIN)).ids == (newer.id, older.id)

    await open_store().save([Checkpoint(after(older, advance()), older)])

    assert (await open_store().list_active("owner", Surface.CHAIN)).ids == (older.id, newer.id)


async def test_missing_replicas_are_an_outage_when_they_were_asked_for(open_store: StoreFactory) -> None:
    store = open_store(wait_replicas=1, timeout_seconds=0.05)

    with pytest.raises(Unavailable):
        await store.save([Checkpoint(new_session(), None)])


async def test_a_step_writes_only_what_it_changes(
    open_store: StoreFactory, server: RedisServer, prefix: str
) -> None:
    store = open_store()
    before = await stored(store, new_session())
    key = f"{prefix}:session:{{{before.id}}}"
    client = server.open()
    await client.hset(key, "owner", "left-alone")

    await store.save([Checkpoint(after(before, advance()), before)])

    assert await client.hget(key, "owner") == b"left-alone"
    await client.aclose()


async def test_no_error_of_the_driver_leaves_the_adapter_when_the_server_is_gone(tmp_path: Path) -> None:
    with redis_server(tmp_path) as server:
        settings = server.settings().model_copy(update={"timeout_seconds": 1.0})
        store = RedisSessionStore(open_redis(settings))
        session = await stored(store, new_session())
    checkpoint = Checkpoint(after(session, advance()), session)

    calls = (
        lambda: store.get([session.id]),
        lambda: store.versions([session.id]),
        lambda: store.save([checkpoint]),
        lambda: store.delete([session]),
        lambda: store.list_active("owner", Surface.CHAIN),
        store.cleanup_expired,
        store.ping,
    )
    for call in calls:
        with pytest.raises(Unavailable):
            await call()
    await store.close()


async def test_sessions_survive_a_restart_of_the_server(tmp_path: Path) -> None:
    with redis_server(tmp_path) as server:
        store = RedisSessionStore(server.open())
        session = await stored(store, new_session())
        await store.close()

    with redis_server(tmp_path) as server:
        store = RedisSessionStore(server.open())
        assert await store.get([session.id]) == {session.id: session}
        await store.close()
