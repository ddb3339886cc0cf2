"""A store that hangs: every caller has an answer in time, nothing piles up, and its return is noticed at once."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from actors.sessions.gateway import SessionGateway
from actors.sessions.host import SessionHost
from actors.sessions.messages import Answer, Call
from actors.sessions.placement import Shards
from adapters.redis.connection import open_redis
from adapters.redis.session_store import RedisSessionStore
from optionchain.errors import OptionChainError, Overloaded, Unavailable
from optionchain.ports import Checkpoint
from optionchain.session import Command, Create, Inspect, Session
from tests.callers import on_behalf_of
from tests.integration.sessions.session_examples import advance, new_host, new_session
from tests.servers import RedisServer, redis_server
from tests.waiting import turns

pytestmark = pytest.mark.anyio

STORE_PATIENCE_SECONDS = 0.4
HANG_SECONDS = 1.5
# What a busy machine may add to any wait.
SLACK_SECONDS = 2.0


class InProcess:
    """Delivers to a host without Ray between."""

    def __init__(self, host: SessionHost) -> None:
        self._host = host

    async def send(self, actor_name: str, call: Call) -> Answer:
        return await self._host.submit(call)

    def close(self) -> None:
        return


@pytest.fixture
def hanging_server(tmp_path: Path) -> Iterator[RedisServer]:
    """A server of this test alone: it is about to be stopped."""
    with redis_server(tmp_path) as server:
        yield server


@pytest.fixture
async def store(hanging_server: RedisServer) -> AsyncIterator[RedisSessionStore]:
    settings = hanging_server.settings(timeout_seconds=STORE_PATIENCE_SECONDS)
    store = RedisSessionStore(open_redis(settings))
    yield store
    await store.close()


@contextmanager
def hanging(server: RedisServer) -> Iterator[None]:
    os.kill(server.process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(server.process.pid, signal.SIGCONT)


def new_gateway(store: RedisSessionStore, **options: int) -> SessionGateway:
    values = {"max_waiting": 50, **options}
    return SessionGateway(Shards(1), InProcess(new_host(store)), timeout_seconds=4.0, **values)


async def ask(gateway: SessionGateway, session: Session, command: Command) -> bytes:
    return await gateway.call(Call(session.id, on_behalf_of(session.owner), session.kind, command))


async def test_while_the_store_hangs_every_caller_is_refused_in_time_and_its_return_is_noticed_at_once(
    store: RedisSessionStore, hanging_server: RedisServer
) -> None:
    gateway = new_gateway(store)
    sessions = [new_session() for _ in range(10)]
    await asyncio.gather(*(ask(gateway, session, Create(session)) for session in sessions))

    with hanging(hanging_server):
        began = time.monotonic()
        while time.monotonic() - began < HANG_SECONDS:
            asked = time.monotonic()
            refusals = await asyncio.gather(
                *(ask(gateway, session, advance()) for session in sessions), return_exceptions=True
            )
            # The first call leaves alone, the rest behind it: two waits for the store.
            assert time.monotonic() - asked < 2 * STORE_PATIENCE_SECONDS + SLACK_SECONDS
            assert all(isinstance(refusal, Unavailable) for refusal in refusals), refusals
    returned = time.monotonic()
    answers = await asyncio.gather(*(ask(gateway, session, advance()) for session in sessions))

    assert time.monotonic() - returned < 2.0
    assert len(answers) == len(sessions)


async def test_who_waits_behind_a_batch_that_found_no_store_does_not_wait_as_long_again(
    store: RedisSessionStore, hanging_server: RedisServer
) -> None:
    saved: list[int] = []

    class Counting(RedisSessionStore):
        async def save(self, checkpoints: Sequence[Checkpoint]) -> Sequence[OptionChainError | None]:
            saved.append(len(checkpoints))
            return await super().save(checkpoints)

    host = new_host(store, max_batch=1)
    sessions = [new_session() for _ in range(10)]
    await host.execute([Call(s.id, on_behalf_of(s.owner), s.kind, Create(s)) for s in sessions])
    store.__class__ = Counting

    with hanging(hanging_server):
        answers = await host.execute([Call(s.id, on_behalf_of(s.owner), s.kind, advance()) for s in sessions])
    (after,) = await host.execute([Call(sessions[0].id, on_behalf_of("owner"), sessions[0].kind, Inspect())])

    assert [type(answer) for answer in answers] == [Unavailable] * len(sessions)
    assert saved == [1], "one patience with the store for all that wait"
    assert isinstance(after, bytes)


async def test_beyond_the_room_callers_are_refused_at_once_with_a_time_to_come_back(
    store: RedisSessionStore, hanging_server: RedisServer
) -> None:
    gateway = new_gateway(store, max_waiting=5)
    session = new_session()
    await ask(gateway, session, Create(session))

    with hanging(hanging_server):
        waiting = [asyncio.create_task(ask(gateway, session, advance())) for _ in range(5)]
        await turns(1)
        asked = time.monotonic()
        with pytest.raises(Overloaded) as refusal:
            await ask(gateway, session, advance())
        waited = time.monotonic() - asked
        await asyncio.gather(*waiting, return_exceptions=True)

    assert waited < STORE_PATIENCE_SECONDS / 2
    assert refusal.value.retry_after_seconds > 0
    assert await ask(gateway, session, Inspect())
