"""Reading through the cache: one load for all, fresh, stale and forgotten values."""

import asyncio

import pytest

from actors.read_through import ReadThrough
from adapters.circuit_breaker import CircuitBreaker
from optionchain.errors import NotFound, Unavailable
from optionchain.ports import Cached, CacheEntry
from tests.waiting import turns

pytestmark = pytest.mark.anyio


class Memory:
    """A cache in a dictionary."""

    def __init__(self):
        self.values = {}

    async def get(self, key):
        return self.values.get(key)

    async def set(self, key, value, ttl_seconds, *, version=0):
        self.values[key] = CacheEntry(value, version)

    async def delete(self, key, *, version=0):
        self.values.pop(key, None)

    async def exists(self, key):
        return key in self.values


class World:
    def __init__(self):
        self.now = 1000.0
        self.loads = 0
        self.error = None
        self.gate = asyncio.Event()
        self.gate.set()
        breaker = CircuitBreaker("mongodb", failures=100, clock=lambda: self.now)
        self.reads = ReadThrough(Memory(), breaker, stale_seconds=1e6, clock=lambda: self.now)

    async def load(self):
        self.loads += 1
        number = self.loads
        await self.gate.wait()
        if self.error:
            raise self.error
        return CacheEntry(b"%d" % number)

    async def get(self):
        return await self.reads.get("key", self.load, 60.0)


@pytest.fixture
async def world():
    return World()


async def test_a_fresh_value_is_not_loaded_again(world):
    assert [await world.get(), await world.get()] == [Cached(b"1"), Cached(b"1")]


async def test_a_value_whose_time_is_over_is_loaded_again(world):
    await world.get()
    world.now += 61

    assert await world.get() == Cached(b"2")


async def test_all_who_wait_share_one_load(world):
    world.gate.clear()
    waiting = [asyncio.create_task(world.get()) for _ in range(50)]
    await turns(1)
    world.gate.set()

    assert set(await asyncio.gather(*waiting)) == {Cached(b"1")}
    assert world.loads == 1


async def test_a_waiter_who_gives_up_does_not_end_the_load_of_the_others(world):
    world.gate.clear()
    impatient, patient = (asyncio.create_task(world.get()) for _ in range(2))
    await turns(1)
    impatient.cancel()
    world.gate.set()

    assert await patient == Cached(b"1")


async def test_the_old_value_is_given_and_marked_while_the_source_is_down(world):
    await world.get()
    world.now += 61
    world.error = Unavailable("mongodb")

    assert await world.get() == Cached(b"1", is_stale=True)
    world.error = None
    assert await world.get() == Cached(b"3")


async def test_without_an_old_value_a_source_that_is_down_is_unavailable(world):
    world.error = Unavailable("mongodb")

    with pytest.raises(Unavailable):
        await world.get()


async def test_what_does_not_exist_is_not_hidden_by_an_old_value(world):
    await world.get()
    world.now += 61
    world.error = NotFound("chain", "X")

    with pytest.raises(NotFound):
        await world.get()


async def test_a_load_that_began_before_a_change_is_not_kept(world):
    world.gate.clear()
    reader = asyncio.create_task(world.get())
    await turns(1)
    await world.reads.forget("key")
    world.gate.set()

    assert await reader == Cached(b"1")
    assert await world.get() == Cached(b"2")


async def test_a_change_makes_the_next_reader_load(world):
    await world.get()

    async def applied():
        return "done"

    assert await world.reads.change(applied, "key") == "done"
    assert await world.get() == Cached(b"2")


async def test_a_change_that_failed_leaves_the_old_value_as_a_stale_one(world):
    await world.get()

    async def lost():
        raise Unavailable("mongodb")

    with pytest.raises(Unavailable):
        await world.reads.change(lost, "key")

    world.error = Unavailable("mongodb")
    assert await world.get() == Cached(b"1", is_stale=True)
    # It may have been applied all the same.
    world.error = None
    assert await world.get() == Cached(b"3")
