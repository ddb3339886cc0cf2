"""The strict policy, `fsync=always`: what was acknowledged is there after Redis was killed, whenever that was."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from actors.sessions.host import SessionHost
from adapters.redis.connection import open_redis
from adapters.redis.session_store import RedisSessionStore
from optionchain.errors import Unavailable
from optionchain.parameters import SingleExpiration
from optionchain.session import Session
from tests.integration.sessions.session_examples import (
    PARAMETERS,
    advance,
    ask,
    created,
    new_host,
    new_session,
)
from tests.servers import RedisServer, redis_server

pytestmark = pytest.mark.anyio

# More steps than there are to acknowledge.
LONG = replace(PARAMETERS, steps=10_000, expirations=SingleExpiration(36_500.0))
SESSIONS, KILLS, STEPS_BETWEEN_KILLS = 10, 3, 200


class Clients:
    """Step their sessions, all at once, until Redis is gone: it is killed in the midst of it."""

    def __init__(self) -> None:
        self.sessions = [new_session(LONG) for _ in range(SESSIONS)]
        self.acknowledged: Counter[str] = Counter()

    async def step_until_killed(self, server: RedisServer) -> None:
        store = RedisSessionStore(open_redis(server.settings()))
        host = new_host(store)
        if not self.acknowledged:
            await asyncio.gather(*(created(host, session) for session in self.sessions))
        last = self.acknowledged.total() + STEPS_BETWEEN_KILLS
        await asyncio.gather(*(self._client(host, session, server, last) for session in self.sessions))
        await store.close()

    async def check(self, server: RedisServer) -> None:
        store = RedisSessionStore(open_redis(server.settings()))
        stored = await store.get([session.id for session in self.sessions])
        await store.close()
        for session in self.sessions:
            unanswered = stored[session.id].current_step - self.acknowledged[session.id]
            assert unanswered in (0, 1), (
                "a step whose answer was lost may come on top of those that were answered"
            )
            self.acknowledged[session.id] += unanswered

    async def _client(self, host: SessionHost, session: Session, server: RedisServer, last: int) -> None:
        while isinstance(answer := (await ask(host, session, advance()))[0], bytes):
            self.acknowledged[session.id] += 1
            if self.acknowledged.total() == last:
                server.process.kill()
        assert isinstance(answer, Unavailable), answer


async def test_every_acknowledged_step_is_there_after_redis_was_killed_while_it_wrote(tmp_path: Path) -> None:
    clients = Clients()

    for _ in range(KILLS):
        with redis_server(tmp_path, fsync="always") as server:
            await clients.step_until_killed(server)
        with redis_server(tmp_path, fsync="always") as server:
            await clients.check(server)


async def test_the_private_server_writes_through_before_it_answers(tmp_path: Path) -> None:
    with redis_server(tmp_path, fsync="always") as server:
        redis = server.open()
        policy = await redis.config_get("append*")
        await redis.aclose()

    assert (policy["appendonly"], policy["appendfsync"]) == ("yes", "always")
