"""The gate in front of a store: so many run, so many wait, and whoever comes then is refused at once."""

from __future__ import annotations

import asyncio

import pytest

from actors.gate import Gate
from optionchain.errors import Overloaded
from tests.waiting import turns

pytestmark = pytest.mark.anyio


async def test_some_run_some_wait_and_the_next_is_refused_until_somebody_leaves() -> None:
    gate, inside, end = Gate("the store", max_running=2, max_waiting=1), list[int](), asyncio.Event()

    async def enter(who: int) -> None:
        async with gate.entered():
            inside.append(who)
            await end.wait()

    # Again: who has left takes no room.
    for _ in range(3):
        end.clear()
        inside.clear()
        callers = [asyncio.create_task(enter(who)) for who in range(3)]
        await turns()
        assert inside == [0, 1]
        with pytest.raises(Overloaded, match="the store"):
            await enter(3)

        end.set()
        await asyncio.gather(*callers)
        assert inside == [0, 1, 2]


async def test_who_fails_inside_or_gives_up_waiting_leaves_the_room_to_others() -> None:
    gate = Gate("the store", max_running=1, max_waiting=1)
    with pytest.raises(ZeroDivisionError):
        async with gate.entered():
            raise ZeroDivisionError
    async with gate.entered():
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01), gate.entered():
                raise AssertionError("one is inside")
        waiting = asyncio.create_task(gate.entered().__aenter__())
        await turns()

    await waiting
