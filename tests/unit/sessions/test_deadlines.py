"""A caller's patience has an end, and both the actor and the room in the queue know of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import pytest

from actors.sessions.gateway import SessionGateway
from actors.sessions.lanes import Lanes
from actors.sessions.messages import Answer, Call
from actors.sessions.placement import Shards
from optionchain.errors import Unavailable
from optionchain.session import Inspect, SessionKind
from tests.callers import on_behalf_of
from tests.waiting import turns

pytestmark = pytest.mark.anyio

NOW = 1_000.0


class Actors:
    """A transport whose actors do as a test says; every batch is kept."""

    def __init__(self, answer: Callable[[Sequence[Call]], Awaitable[list[Answer]]] | None = None) -> None:
        self.batches: list[list[Call]] = []
        self._answer = answer or ids

    async def deliver(self, actor_name: str, calls: Sequence[Call]) -> list[Answer]:
        self.batches.append(list(calls))
        return await self._answer(calls)


async def ids(calls: Sequence[Call]) -> list[Answer]:
    await turns(1)
    return [call.session_id.encode() for call in calls]


async def never(calls: Sequence[Call]) -> list[Answer]:
    await asyncio.Event().wait()
    return []


def gateway(actors: Actors, **options: float) -> SessionGateway:
    values = {"max_waiting": 100, "max_batch": 4, "timeout_seconds": 5.0, **options}
    lanes = Lanes(actors, max_batch=int(values.pop("max_batch")))
    return SessionGateway(Shards(1), lanes, clock=lambda: NOW, **values)  # type: ignore[arg-type]


def call(session_id: str = "s") -> Call:
    return Call(session_id, on_behalf_of("owner"), SessionKind.CHAIN, Inspect())


async def test_an_actor_is_told_when_the_caller_gives_up() -> None:
    actors = Actors()

    await gateway(actors, timeout_seconds=5.0).call(call())

    assert actors.batches[0][0].context.expires_at == NOW + 5.0


async def test_room_is_free_again_when_callers_have_given_up() -> None:
    actors = Actors(never)
    way = gateway(actors, max_waiting=2, timeout_seconds=0.01)

    for _ in range(3):
        lost = await asyncio.gather(way.call(call()), way.call(call()), return_exceptions=True)
        assert [type(error) for error in lost] == [Unavailable, Unavailable]
