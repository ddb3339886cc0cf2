"""Clients that step sessions through the real adapter until every step is acknowledged, whatever dies meanwhile."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field, replace

from actors.sessions.host import SessionHost
from adapters.redis.connection import open_redis
from adapters.redis.session_store import RedisSessionStore
from adapters.settings import RedisSettings
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
from tests.waiting import passing

LONG = replace(PARAMETERS, steps=10_000, expirations=SingleExpiration(36_500.0))
RETRY_SECONDS = 0.1


def open_store(settings: RedisSettings) -> RedisSessionStore:
    return RedisSessionStore(
        open_redis(settings),
        prefix=settings.prefix,
        wait_replicas=settings.wait_replicas,
        timeout_seconds=settings.timeout_seconds,
    )


@dataclass
class Clients:
    """Each steps a session of its own, one command after the other, each until it is acknowledged."""

    host: SessionHost
    sessions: list[Session]
    acknowledged: dict[str, int] = field(default_factory=dict)
    longest_answer_seconds: float = 0.0
    refusals: int = 0

    @classmethod
    async def of(cls, store: RedisSessionStore, count: int = 8) -> Clients:
        host = new_host(store)
        sessions = [await created(host, new_session(LONG)) for _ in range(count)]
        return cls(host, sessions, {session.id: 0 for session in sessions})

    async def stepping(self, until_stopped: asyncio.Event) -> None:
        await asyncio.gather(*(self._step(session, until_stopped) for session in self.sessions))

    def total(self) -> int:
        return sum(self.acknowledged.values())

    async def _step(self, session: Session, until_stopped: asyncio.Event) -> None:
        while not until_stopped.is_set():
            command = advance()
            while not isinstance(answer := await self._answer(session, command), bytes):
                assert isinstance(answer, Unavailable), answer
                self.refusals += 1
                await passing(RETRY_SECONDS)
            self.acknowledged[session.id] += 1

    async def _answer(self, session: Session, command: object) -> object:
        begun = time.monotonic()
        (answer,) = await ask(self.host, session, command)  # type: ignore[arg-type]
        self.longest_answer_seconds = max(self.longest_answer_seconds, time.monotonic() - begun)
        return answer
