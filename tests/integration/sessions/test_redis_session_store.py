"""The session store on a real Redis-protocol server: the contract, time to live, and a server that is gone."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from adapters.redis.allowances import RedisAllowances
from adapters.redis.connection import open_redis
from adapters.redis.idempotency import RedisAnswers
from adapters.redis.session_store import CLAIM, CLAIM_SECONDS, RedisSessionStore
from adapters.settings import RateSettings
from optionchain.errors import Conflict, NotFound, Unavailable
from optionchain.ports import Checkpoint
from optionchain.session import SessionKind
from tests.integration.sessions.session_examples import StoreFactory, advance, after, new_session
from tests.integration.sessions.session_store_contract import CHECKS, Check, check_session_store, stored
from tests.servers import RedisServer, redis_server

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
    assert (await store.list_active("owner", SessionKind.CHAIN)).ids == ()


async def test_expired_sessions_are_not_listed_and_are_cleaned_up_once(open_store: StoreFactory) -> None:
    now = time.time()
    await stored(open_store(ttl_seconds=10.0, clock=lambda: now - 60.0), new_session(owner="past"))
    kept = await stored(open_store(ttl_seconds=HOUR), new_session(owner="past"))
    store = open_store()

    page = await store.list_active("past", SessionKind.CHAIN)
    dropped = [await store.cleanup_expired(), await store.cleanup_expired()]

    assert (page.ids, page.total) == ((kept.id,), 1)
    assert dropped == [1, 0]
    assert (await store.list_active("past", SessionKind.CHAIN)).ids == (kept.id,)


async def test_the_session_written_last_is_listed_first(open_store: StoreFactory) -> None:
    now = time.time()
    older, newer = [
        await stored(open_store(clock=lambda age=age: now - age), new_session()) for age in (60.0, 30.0)
    ]

    assert (await open_store().list_active("owner", SessionKind.CHAIN)).ids == (newer.id, older.id)

    await open_store().save([Checkpoint(after(older, advance()), older)])

    assert (await open_store().list_active("owner", SessionKind.CHAIN)).ids == (older.id, newer.id)


async def test_missing_replicas_are_an_outage_when_they_were_asked_for(open_store: StoreFactory) -> None:
    store = open_store(wait_replicas=1, timeout_seconds=0.05)

    with pytest.raises(Unavailable):
        await store.save([Checkpoint(new_session(), None)])


async def test_a_creation_that_is_repeated_is_stored_once_and_another_under_its_id_is_refused(
    open_store: StoreFactory,
) -> None:
    store, session = open_store(), new_session()

    assert await store.save([Checkpoint(session, None)]) == [None]
    assert await store.save([Checkpoint(session, None)]) == [None], "its answer was lost"
    other = replace(session, parameters=replace(session.parameters, seed=7))
    later = replace(session, created_at=session.created_at + timedelta(microseconds=1))
    refusals = await store.save([Checkpoint(other, None), Checkpoint(later, None)])

    assert [type(refusal) for refusal in refusals] == [Conflict, Conflict]
    assert (await store.get([session.id]))[session.id] == session


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
        settings = server.settings(timeout_seconds=1.0)
        store = RedisSessionStore(open_redis(settings))
        session = await stored(store, new_session())
    checkpoint = Checkpoint(after(session, advance()), session)

    calls = (
        lambda: store.get([session.id]),
        lambda: store.versions([session.id]),
        lambda: store.save([checkpoint]),
        lambda: store.delete([session]),
        lambda: store.list_active("owner", SessionKind.CHAIN),
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


async def test_cleaning_is_shared_and_owners_without_sessions_are_forgotten(
    open_store: StoreFactory, server: RedisServer, prefix: str
) -> None:
    now = time.time()
    past, owners = open_store(ttl_seconds=10.0, clock=lambda: now - 60.0), [f"past-{n}" for n in range(600)]
    await past.save([Checkpoint(new_session(owner=owner), None) for owner in owners])
    await stored(open_store(ttl_seconds=HOUR), new_session(owner="past-0"))
    shards = [open_store() for _ in range(4)]

    dropped = await asyncio.gather(*(shard.cleanup_expired() for shard in shards))

    assert sum(dropped) == len(owners), "each list is cleaned by one of them"
    client = server.open()
    assert {key async for key in client.scan_iter(f"*{prefix}*owners*")} == {
        f"{{{prefix}:owners}}-due".encode()
    }
    assert await client.zrange(f"{{{prefix}:owners}}-due", 0, -1) == [b"past-0"]
    await client.aclose()


async def test_an_owner_whose_cleaner_died_is_cleaned_by_the_next(
    open_store: StoreFactory, server: RedisServer, prefix: str
) -> None:
    now = time.time()
    await stored(open_store(ttl_seconds=10.0, clock=lambda: now - 60.0), new_session(owner="past"))
    client = server.open()
    due, claimed = f"{{{prefix}:owners}}-due", f"{{{prefix}:owners}}-claimed"
    await client.eval(CLAIM, 2, due, claimed, now, now + CLAIM_SECONDS, 10)
    await client.aclose()

    assert await open_store(clock=lambda: now + 1.0).cleanup_expired() == 0, "somebody else is at it"
    assert await open_store(clock=lambda: now + CLAIM_SECONDS + 1.0).cleanup_expired() == 1


async def test_a_session_that_is_made_while_its_owner_is_cleaned_is_cleaned_in_its_time(
    open_store: StoreFactory, server: RedisServer, prefix: str
) -> None:
    now = time.time()
    await stored(open_store(ttl_seconds=10.0, clock=lambda: now - 60.0), new_session(owner="past"))
    client = server.open()
    cleaner = open_store(clock=lambda: now)
    claim = [f"{{{prefix}:owners}}-due", f"{{{prefix}:owners}}-claimed", now, now + CLAIM_SECONDS, 10]
    owners = await client.eval(CLAIM, 2, *claim)
    await stored(open_store(ttl_seconds=10.0, clock=lambda: now), new_session(owner="past"))

    await cleaner._clean([owner.decode() for owner in owners], now)

    assert await open_store(clock=lambda: now + 11.0).cleanup_expired() == 1
    assert [key async for key in client.scan_iter(f"*{prefix}*owners*")] == []
    await client.aclose()


async def test_a_server_that_is_gone_is_blamed_on_who_asked(tmp_path: Path) -> None:
    with redis_server(tmp_path) as server:
        clients = [server.open() for _ in range(3)]
    store = RedisSessionStore(clients[0])
    answers = RedisAnswers(clients[1], max_bytes=1000)
    allowances = RedisAllowances(clients[2], RateSettings(per_minute=60))
    asked = {
        "the session store": store.ping,
        "the memory of keyed requests": lambda: answers.begin("owner", "key", b"request"),
        "the rate limiter": lambda: allowances.take("owner"),
    }

    for name, ask in asked.items():
        with pytest.raises(Unavailable, match=f"^{name} is not available"):
            await ask()
    for one in (store, answers, allowances):
        await one.close()


async def test_a_session_that_lives_on_though_it_was_cleaned_away_is_cleaned_in_its_time(
    open_store: StoreFactory, server: RedisServer, prefix: str
) -> None:
    """The clock of who cleans is ahead of Redis's."""
    now = time.time()
    before = await stored(open_store(ttl_seconds=10.0, clock=lambda: now), new_session(owner="late"))
    assert await open_store(clock=lambda: now + 11.0).cleanup_expired() == 1

    await open_store(ttl_seconds=10.0, clock=lambda: now).save([Checkpoint(after(before, advance()), before)])

    assert await open_store(clock=lambda: now + 11.0).cleanup_expired() == 1
