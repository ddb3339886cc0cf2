"""Whatever becomes of a delivery, its callers hear of it in our words, and the next one goes through."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from ray.exceptions import (
    ActorDiedError,
    ActorUnavailableError,
    ActorUnschedulableError,
    GetTimeoutError,
    OutOfMemoryError,
    RaySystemError,
    RayTaskError,
    RpcError,
)

from actors.delivery import ActorLost
from actors.named import NamedActors
from actors.sessions.gateway import SessionGateway
from actors.sessions.lanes import Lanes
from actors.sessions.messages import Answer, Call
from actors.sessions.placement import Shards
from actors.sessions.ray_transport import RaySessionTransport
from optionchain.errors import Defect
from optionchain.session import Inspect, SessionKind
from tests.callers import on_behalf_of

pytestmark = pytest.mark.anyio

CALL = Call("s", on_behalf_of("owner"), SessionKind.CHAIN, Inspect())


class Handle:
    """A Ray actor's handle as far as the transport uses it: `execute.remote`."""

    def __init__(self, failure: Exception | None) -> None:
        self._failure = failure
        self.execute = self

    async def remote(self, calls: Sequence[Call]) -> list[Answer]:
        if self._failure is not None:
            raise self._failure
        return [b"served"] * len(calls)


class Actors:
    """Finds an actor that fails, then one that serves."""

    def __init__(self, failure: Exception) -> None:
        self.found = 0
        self._failure = failure

    def __call__(self, name: str) -> Any:
        self.found += 1
        return Handle(self._failure if self.found == 1 else None)


def transport_over(find: Callable[[str], Any], timeout_seconds: float = 5.0) -> RaySessionTransport:
    actors = NamedActors(find, what="the session actor")
    return RaySessionTransport(actors, max_batch=10, timeout_seconds=timeout_seconds)


@pytest.mark.parametrize(
    "failure",
    [
        ActorDiedError(),
        ActorUnavailableError("away", b"0" * 16),
        ActorUnschedulableError("no node has room"),
        GetTimeoutError(),
        OutOfMemoryError("the node has none left"),
        RaySystemError("the raylet is gone"),
        RpcError("the control store is away"),
    ],
    ids=lambda failure: type(failure).__name__,
)
async def test_whatever_ray_loses_is_found_anew_and_sent_again(failure: Exception) -> None:
    actors = Actors(failure)
    transport = transport_over(actors)

    with pytest.raises(ActorLost):
        await transport.send("sessions-0", CALL)

    assert await transport.send("sessions-0", CALL) == b"served"
    assert actors.found == 2


async def test_a_bug_in_the_actor_is_a_defect_and_the_actor_stays() -> None:
    actors = Actors(RayTaskError("execute", "a traceback", ValueError("bug")))
    transport = transport_over(actors)

    with pytest.raises(Defect):
        await transport.send("sessions-0", CALL)

    assert actors.found == 1


async def test_an_actor_that_cannot_be_found_in_time_is_lost() -> None:
    class Nowhere(Handle):
        async def remote(self, calls: Sequence[Call]) -> list[Answer]:
            await asyncio.Event().wait()
            return []

    transport = transport_over(lambda _: Nowhere(None), timeout_seconds=0.01)

    with pytest.raises(ActorLost):
        await transport.send("sessions-0", CALL)


async def test_a_wrong_number_of_answers_is_a_defect_and_the_next_batch_goes_through() -> None:
    class Miscounting:
        surplus = 1

        async def deliver(self, actor_name: str, calls: Sequence[Call]) -> list[Answer]:
            surplus, self.surplus = self.surplus, 0
            return [b"served"] * (len(calls) + surplus)

    gateway = SessionGateway(
        Shards(1), Lanes(Miscounting(), max_batch=10), max_waiting=10, timeout_seconds=5.0
    )

    refusals = await asyncio.gather(gateway.call(CALL), gateway.call(CALL), return_exceptions=True)

    assert [type(refusal) for refusal in refusals] == [Defect, Defect]
    assert await gateway.call(CALL) == b"served"
