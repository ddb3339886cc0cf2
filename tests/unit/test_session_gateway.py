"""The way to a session: what travels together, what is repeated, what is refused."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from actors.delivery import ActorLost
from actors.sessions.gateway import SessionGateway
from actors.sessions.lanes import Lanes
from actors.sessions.messages import Answer, Call
from actors.sessions.placement import Shards
from optionchain.errors import Defect, NotFound, OptionChainError, Overloaded, Unavailable
from optionchain.session import Advance, SessionKind
from tests.callers import on_behalf_of
from tests.recording import Recording
from tests.waiting import turns

pytestmark = pytest.mark.anyio


def call(command_id: str, count: int | None = None) -> Call:
    return Call("session", on_behalf_of("owner"), SessionKind.CHAIN, Advance(command_id, count=count))


def name(some: Call) -> str:
    assert isinstance(some.command, Advance)
    return some.command.command_id


class Transport:
    """Keeps each batch until it is released, and records what travelled together."""

    def __init__(self, answer: Callable[[Call], Answer] = lambda some: name(some).encode()) -> None:
        self.batches: list[list[str]] = []
        self.by_actor: defaultdict[str, int] = defaultdict(int)
        self.failures: list[Exception] = []
        self.is_open = asyncio.Event()
        self._answer = answer

    async def deliver(self, actor_name: str, calls: Sequence[Call]) -> list[Answer]:
        self.batches.append([name(some) for some in calls])
        self.by_actor[actor_name] += 1
        await self.is_open.wait()
        if self.failures:
            raise self.failures.pop(0)
        return [self._answer(some) for some in calls]


def gateway(transport: Transport, **options: Any) -> SessionGateway:
    values = {"max_waiting": 100, "max_batch": 50, "timeout_seconds": 30.0} | options
    return SessionGateway(Shards(1), Lanes(transport, max_batch=values.pop("max_batch")), **values)


async def test_calls_that_arrive_while_a_batch_is_under_way_travel_as_one() -> None:
    transport = Transport()
    way = gateway(transport)

    first = asyncio.create_task(way.call(call("1")))
    await turns()
    others = [asyncio.create_task(way.call(call(str(number)))) for number in (2, 3, 4)]
    await turns()
    transport.is_open.set()

    assert await asyncio.gather(first, *others) == [b"1", b"2", b"3", b"4"]
    assert transport.batches == [["1"], ["2", "3", "4"]]


async def test_a_call_that_finds_its_actor_idle_leaves_at_once() -> None:
    transport = Transport()
    task = asyncio.create_task(gateway(transport).call(call("1")))

    await turns(3)  # the task itself, the lane's runner, the transport: no timer in between

    assert transport.batches == [["1"]]
    transport.is_open.set()
    await task


async def test_a_batch_is_bounded() -> None:
    transport = Transport()
    way = gateway(transport, max_batch=2)
    tasks = [asyncio.create_task(way.call(call(str(number)))) for number in range(5)]
    await turns()
    transport.is_open.set()

    await asyncio.gather(*tasks)

    assert transport.batches == [["0", "1"], ["2", "3"], ["4"]]


async def test_calls_for_many_snapshots_fill_a_batch_sooner() -> None:
    transport = Transport()
    way = gateway(transport, max_batch=10)
    counts = [None, 4, 4, 4, 1000, None]
    tasks = [asyncio.create_task(way.call(call(str(number), count))) for number, count in enumerate(counts)]
    await turns()
    transport.is_open.set()

    await asyncio.gather(*tasks)

    assert transport.batches == [["0", "1", "2", "3"], ["4"], ["5"]]


async def test_a_call_too_many_is_refused_at_once_and_the_others_are_served() -> None:
    transport, told = Transport(), Recording()
    way = gateway(transport, max_waiting=2, observer=told)

    for _ in range(2):  # whoever was served takes no room from the next, nor makes any
        transport.is_open.clear()
        tasks = [asyncio.create_task(way.call(call(str(number)))) for number in range(2)]
        await turns()
        assert told.levels["session.calls_waiting"] == 2
        with pytest.raises(Overloaded):
            await way.call(call("too many"))
        transport.is_open.set()
        assert await asyncio.gather(*tasks) == [b"0", b"1"]

    assert told.levels["session.calls_waiting"] == 0


async def test_a_lost_batch_is_sent_again_with_the_same_commands() -> None:
    transport = Transport()
    transport.is_open.set()
    transport.failures = [ActorLost("the session actor"), ActorLost("the session actor")]

    assert await gateway(transport).call(call("1")) == b"1"
    assert transport.batches == [["1"], ["1"], ["1"]]


async def test_an_actor_that_stays_lost_is_an_outage_when_patience_ends() -> None:
    transport = Transport()
    transport.is_open.set()
    transport.failures = [ActorLost("the session actor") for _ in range(1000)]

    with pytest.raises(Unavailable):
        await gateway(transport, timeout_seconds=0.2).call(call("1"))

    assert len(transport.batches) > 1


async def test_a_delivery_without_an_end_does_not_keep_the_caller() -> None:
    transport = Transport()

    with pytest.raises(Unavailable):
        await gateway(transport, timeout_seconds=0.05).call(call("1"))


async def test_one_bad_call_does_not_fail_its_neighbours() -> None:
    def answer(some: Call) -> Answer:
        return NotFound("session", "bad") if name(some) == "bad" else name(some).encode()

    transport = Transport(answer)
    way = gateway(transport)
    tasks = [asyncio.create_task(way.call(call(some))) for some in ("1", "bad", "2")]
    await turns()
    transport.is_open.set()

    first, bad, second = await asyncio.gather(*tasks, return_exceptions=True)

    assert (first, second) == (b"1", b"2")
    assert isinstance(bad, NotFound)
    assert transport.batches == [["1", "bad", "2"]]


async def test_a_bug_in_the_transport_reaches_the_caller_and_the_next_call_goes_through() -> None:
    transport = Transport()
    transport.is_open.set()
    transport.failures = [Defect()]
    way = gateway(transport)

    with pytest.raises(Defect):
        await way.call(call("1"))

    assert await way.call(call("2")) == b"2"
    assert transport.batches == [["1"], ["2"]], "a bug is not repeated"


async def test_who_gave_up_while_a_batch_was_lost_does_not_keep_its_failure_from_the_others() -> None:
    transport = Transport()
    transport.failures = [Defect()]
    way = gateway(transport)
    impatient, patient = (asyncio.create_task(way.call(call(some))) for some in ("impatient", "patient"))
    await turns()
    impatient.cancel()
    await turns()
    transport.is_open.set()

    with pytest.raises(Defect):
        await asyncio.wait_for(patient, 5.0)
    assert transport.batches == [["impatient", "patient"]]


async def test_who_gave_up_waiting_is_not_delivered() -> None:
    transport = Transport()
    way = gateway(transport)
    first = asyncio.create_task(way.call(call("1")))
    await turns()
    impatient, patient = (asyncio.create_task(way.call(call(some))) for some in ("impatient", "patient"))
    await turns()
    impatient.cancel()
    await turns()
    transport.is_open.set()

    assert await asyncio.gather(first, patient) == [b"1", b"patient"]
    assert transport.batches == [["1"], ["patient"]]


async def test_actors_do_not_wait_for_each_other() -> None:
    transport = Transport()
    placement = Shards(2)
    way = SessionGateway(placement, Lanes(transport, max_batch=10), max_waiting=10, timeout_seconds=30.0)
    ids = [
        next(identity for identity in map(str, range(100)) if placement.actor_name(identity) == actor)
        for actor in placement.actor_names()
    ]
    tasks = [
        asyncio.create_task(
            way.call(Call(session_id, on_behalf_of("owner"), SessionKind.CHAIN, Advance(session_id)))
        )
        for session_id in ids
    ]
    await turns()

    assert transport.by_actor == {"sessions-0": 1, "sessions-1": 1}
    transport.is_open.set()
    await asyncio.gather(*tasks)


async def test_an_error_keeps_its_kind_on_the_way() -> None:
    transport = Transport(lambda _: Overloaded("the session actor"))
    transport.is_open.set()

    with pytest.raises(OptionChainError) as refusal:
        await gateway(transport).call(call("1"))

    assert type(refusal.value) is Overloaded
