"""The way to the actors: what travels together, what is sent again, and what is refused at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import pytest

from actors.messages import Answer, Call
from actors.placement import Shards
from actors.session_gateway import ActorLost, SessionGateway
from optionchain.errors import NotFound, Overloaded, Unavailable
from optionchain.session import Inspect, Surface

pytestmark = pytest.mark.anyio

NOW = 1_000.0


class Actors:
    """A transport whose actors do as a test says; every batch is kept."""

    def __init__(self, answer: Callable[[Sequence[Call]], Awaitable[list[Answer]]] | None = None) -> None:
        self.batches: list[list[Call]] = []
        self._answer = answer or ids

    async def send(self, actor_name: str, calls: Sequence[Call]) -> list[Answer]:
        self.batches.append(list(calls))
        return await self._answer(calls)


async def ids(calls: Sequence[Call]) -> list[Answer]:
    await asyncio.sleep(0)
    return [call.session_id.encode() for call in calls]


async def never(calls: Sequence[Call]) -> list[Answer]:
    await asyncio.Event().wait()
    return []


def gateway(actors: Actors, **options: float) -> SessionGateway:
    values = {"max_waiting": 100, "max_batch": 4, "timeout_seconds": 5.0, **options}
    return SessionGateway(Shards(1), actors, clock=lambda: NOW, **values)  # type: ignore[arg-type]


def call(session_id: str = "s") -> Call:
    return Call(session_id, "owner", Surface.CHAIN, Inspect())


async def test_the_first_call_leaves_at_once_and_the_rest_travels_together_behind_it() -> None:
    actors = Actors()
    way = gateway(actors)

    first = asyncio.create_task(way.call(call("0")))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    answers = await asyncio.gather(first, *(way.call(call(str(number))) for number in range(1, 8)))

    assert [len(batch) for batch in actors.batches] == [1, 4, 3]
    assert answers == [str(number).encode() for number in range(8)]


async def test_an_error_of_one_call_is_its_own() -> None:
    async def answer(calls: Sequence[Call]) -> list[Answer]:
        return [NotFound("session", "bad") if c.session_id == "bad" else b"fine" for c in calls]

    way = gateway(Actors(answer))

    refused, served = await asyncio.gather(
        way.call(call("bad")), way.call(call("good")), return_exceptions=True
    )

    assert isinstance(refused, NotFound)
    assert served == b"fine"


async def test_calls_whose_actor_died_are_sent_again() -> None:
    failures = iter([ActorLost("x"), ActorLost("x")])

    async def answer(calls: Sequence[Call]) -> list[Answer]:
        for failure in failures:
            raise failure
        return await ids(calls)

    actors = Actors(answer)

    assert await gateway(actors).call(call()) == b"s"
    assert len(actors.batches) == 3


async def test_a_caller_waits_no_longer_than_the_timeout() -> None:
    with pytest.raises(Unavailable):
        await gateway(Actors(never), timeout_seconds=0.01).call(call())


async def test_an_actor_is_told_when_the_caller_gives_up() -> None:
    actors = Actors()

    await gateway(actors, timeout_seconds=5.0).call(call())

    assert actors.batches[0][0].expires_at == NOW + 5.0


async def test_calls_beyond_the_room_are_refused_at_once() -> None:
    actors = Actors(never)
    way = gateway(actors, max_waiting=3)
    waiting = [asyncio.create_task(way.call(call())) for _ in range(3)]
    await asyncio.sleep(0)

    with pytest.raises(Overloaded):
        await way.call(call())

    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    actors._answer = ids


async def test_room_is_free_again_when_callers_have_given_up() -> None:
    actors = Actors(never)
    way = gateway(actors, max_waiting=2, timeout_seconds=0.01)

    for _ in range(3):
        lost = await asyncio.gather(way.call(call()), way.call(call()), return_exceptions=True)
        assert [type(error) for error in lost] == [Unavailable, Unavailable]


async def test_what_nobody_waits_for_any_more_is_not_delivered() -> None:
    release = asyncio.Event()

    async def answer(calls: Sequence[Call]) -> list[Answer]:
        await release.wait()
        return await ids(calls)

    actors = Actors(answer)
    way = gateway(actors)
    first = asyncio.create_task(way.call(call("first")))
    await asyncio.sleep(0.001)
    second = asyncio.create_task(way.call(call("second")))
    await asyncio.sleep(0.001)
    second.cancel()
    await asyncio.gather(second, return_exceptions=True)
    release.set()

    assert await first == b"first"
    assert [c.session_id for batch in actors.batches for c in batch] == ["first"]
