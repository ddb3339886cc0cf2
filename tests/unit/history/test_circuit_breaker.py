"""The breaker: when it refuses, when it tries again, and that one call tries for all."""

import asyncio

import pytest

from adapters.circuit_breaker import CircuitBreaker
from optionchain.errors import NotFound, Unavailable
from tests.waiting import turns

pytestmark = pytest.mark.anyio


class Source:
    """A dependency that is down or up, and counts its calls."""

    def __init__(self):
        self.now = 0.0
        self.calls = 0
        self.error = None
        self.breaker = CircuitBreaker("mongodb", failures=2, pause_seconds=10.0, clock=lambda: self.now)

    async def answer(self):
        self.calls += 1
        await turns(1)
        if self.error:
            raise self.error
        return "answer"

    async def ask(self):
        return await self.breaker.call(self.answer)


@pytest.fixture
async def down():
    source = Source()
    source.error = Unavailable("mongodb")
    for _ in range(2):
        with pytest.raises(Unavailable):
            await source.ask()
    return source


async def test_what_is_down_is_not_asked_again_until_the_pause_is_over(down):
    down.now = 9.9
    with pytest.raises(Unavailable) as refusal:
        await down.ask()

    assert down.calls == 2
    assert refusal.value.retry_after_seconds == 1.0


async def test_it_recovers_by_itself(down):
    down.now, down.error = 10.0, None

    assert [await down.ask(), await down.ask()] == ["answer", "answer"]
    assert not down.breaker.is_open


async def test_one_call_tries_for_all(down):
    down.now, down.error = 10.0, None

    answers = await asyncio.gather(*(down.ask() for _ in range(5)), return_exceptions=True)

    assert down.calls == 3
    assert sum(isinstance(answer, Unavailable) for answer in answers) == 4


async def test_a_failed_try_begins_the_pause_anew(down):
    down.now = 10.0
    with pytest.raises(Unavailable):
        await down.ask()

    down.now, down.error = 19.0, None
    with pytest.raises(Unavailable):
        await down.ask()
    assert down.calls == 3


async def test_a_try_that_is_cancelled_leaves_room_for_the_next(down):
    down.now, down.error = 10.0, None
    trying = asyncio.create_task(down.ask())
    await turns(1)
    trying.cancel()
    with pytest.raises(asyncio.CancelledError):
        await trying

    assert await down.ask() == "answer"


async def test_a_refusal_is_an_answer():
    source = Source()
    for error in [Unavailable("mongodb"), NotFound("chain", "X")] * 3:
        source.error = error
        with pytest.raises(type(error)):
            await source.ask()

    assert not source.breaker.is_open
