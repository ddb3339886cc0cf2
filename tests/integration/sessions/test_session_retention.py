"""Sessions end: at their time to live everywhere within one sweep, by deletion everywhere at once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from functools import partial

import orjson
import pytest

from actors.calendars import Calendars
from actors.sessions.actor import SessionActor
from actors.sessions.messages import Call, packed
from actors.settings import SessionSettings
from adapters.redis.cache import RedisCacheService
from adapters.redis.session_store import RedisSessionStore
from optionchain.errors import NotFound
from optionchain.observing import Unobserved
from optionchain.session import Command, Create, Delete, Inspect, Peek, Session, SessionKind
from tests.callers import on_behalf_of
from tests.integration.sessions.session_examples import (
    StoreFactory,
    advance,
    ask,
    created,
    new_host,
    new_session,
)
from tests.recording import Recording
from tests.servers import RedisServer
from tests.waiting import passing, until

pytestmark = pytest.mark.anyio

TTL_SECONDS, SWEEP_SECONDS = 1.0, 0.2


class Runtime:
    """Runs an actor in this process."""

    def node_id(self) -> str:
        return "here"

    def address(self) -> str:
        return "127.0.0.1"

    def end_actor(self) -> None:
        raise AssertionError("an actor of many sessions stays")


def no_cache() -> RedisCacheService:
    raise AssertionError("nothing is shared here")


@pytest.fixture
async def actor(open_store: StoreFactory) -> AsyncIterator[SessionActor]:
    settings = SessionSettings(ttl_seconds=TTL_SECONDS, sweep_seconds=SWEEP_SECONDS, shared_contracts=0)
    actor = SessionActor(
        "sessions-0",
        lambda: open_store(ttl_seconds=TTL_SECONDS),
        no_cache,
        Unobserved,
        partial(Calendars, patience_seconds=8.0),
        Runtime(),
        settings,
    )
    yield actor
    await actor.close()


async def tell(actor: SessionActor, session: Session, command: Command) -> object:
    call = Call(session.id, on_behalf_of(session.owner), session.kind, command)
    (answer,) = await actor.execute(packed([call]))
    return answer


async def test_an_expired_session_is_gone_from_the_list_from_memory_and_from_the_store_within_one_sweep(
    actor: SessionActor, open_store: StoreFactory, server: RedisServer, prefix: str
) -> None:
    session = new_session(updated_at=datetime.now(UTC))
    store, redis = open_store(), server.open()
    await tell(actor, session, Create(session))
    written = time.monotonic()
    # Reading keeps a session in use, not alive.
    while time.monotonic() - written < TTL_SECONDS * 0.8:
        await tell(actor, session, Peek())
        await passing(0.05)
    assert (await actor.status())["resident_sessions"] == 1

    async def is_gone_everywhere() -> bool:
        return (
            (await store.list_active(session.owner, SessionKind.CHAIN)).total == 0
            and (await actor.status())["resident_sessions"] == 0
            and [key async for key in redis.scan_iter(f"*{prefix}*")] == []
        )

    left = max(written + TTL_SECONDS + 2.5 * SWEEP_SECONDS - time.monotonic(), 0.0)
    await until(is_gone_everywhere, "listed, in memory or in the store", patience_seconds=left)
    assert isinstance(await tell(actor, session, Inspect()), NotFound)
    await redis.aclose()


async def test_every_write_gives_a_session_its_whole_time_again(actor: SessionActor) -> None:
    session = new_session(updated_at=datetime.now(UTC))
    await tell(actor, session, Create(session))

    for cursor in (1, 2, 3):
        await passing(TTL_SECONDS * 0.6)
        body = await tell(actor, session, advance())
        assert isinstance(body, bytes)
        assert orjson.loads(body)["session_info"]["current_step"] == cursor


async def test_a_deletion_is_final_on_an_actor_that_still_holds_the_session(open_store: StoreFactory) -> None:
    holder, other = new_host(open_store()), new_host(open_store())
    session = await created(holder, new_session())
    await ask(other, session, Delete())

    answers = [
        answer for command in (Delete(), advance(), Peek()) for answer in await ask(holder, session, command)
    ]

    assert [type(answer) for answer in answers] == [NotFound] * 3
    assert await open_store().get([session.id]) == {}


async def test_a_step_before_a_deletion_is_not_served_from_an_outdated_copy(open_store: StoreFactory) -> None:
    outdated, other = new_host(open_store()), new_host(open_store())
    session = await created(outdated, new_session())
    await ask(other, session, advance(count=3))

    stepped, _ = await ask(outdated, session, advance(), Delete())

    assert isinstance(stepped, bytes)
    assert orjson.loads(stepped)["session_info"]["current_step"] == 4


async def test_housekeeping_survives_any_error_and_tells_of_it(open_store: StoreFactory) -> None:
    class Broken(RedisSessionStore):
        failures = 0

        async def cleanup_expired(self) -> int:
            self.failures += 1
            if self.failures < 3:
                raise RuntimeError("not an outage, and not foreseen")
            cleaned.set()
            return await super().cleanup_expired()

    cleaned, observer, store = asyncio.Event(), Recording(), open_store()
    store.__class__ = Broken
    actor = SessionActor(
        "sessions-0",
        lambda: store,
        no_cache,
        lambda: observer,
        partial(Calendars, patience_seconds=8.0),
        Runtime(),
        SessionSettings(sweep_seconds=0.01, shared_contracts=0),
    )
    await tell(actor, new_session(), Inspect())

    async with asyncio.timeout(10.0):
        await cleaned.wait()
    await actor.close()

    told = [type(error) for operation, error in observer.failures if operation.name == "session.clean_up"]
    assert told[:2] == [RuntimeError, RuntimeError]
    assert {"session.evict", "session.forget"} <= observer.names()
