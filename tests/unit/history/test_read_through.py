"""Reading through the cache: one load for all, fresh, stale and forgotten values."""

import asyncio

import pytest

from actors.read_through import ReadThrough
from adapters.circuit_breaker import CircuitBreaker
from optionchain.errors import NotFound, Unavailable
from optionchain.ports import Cached, CacheEntry
from tests.unit.history.kept import KeptCache
from tests.waiting import turns

pytestmark = pytest.mark.anyio


class World:
    def __init__(self, stale_seconds=1e6):
        self.now = 1000.0
        self.loads = self.version = 0
        self.error = None
        self.gate = asyncio.Event()
        self.gate.set()
        breaker = CircuitBreaker("mongodb", failures=100, clock=lambda: self.now)
        self.cache = KeptCache()
        self.reads = ReadThrough(self.cache, breaker, stale_seconds=stale_seconds, clock=lambda: self.now)

    async def load(self):
        self.loads += 1
        number = self.loads
        await self.gate.wait()
        if self.error:
            raise self.error
        return CacheEntry(b"%d" % number, self.version)

    async def get(self):
        return await self.reads.get("key", self.load, 60.0)


@pytest.fixture
async def world():
    return World()


async def test_a_fresh_value_is_not_loaded_again(world):
    assert [await world.get(), await world.get()] == [Cached(b"1"), Cached(b"1")]


async def test_a_value_whose_time_is_over_is_loaded_again(world):
    await world.get()
    world.now += 60

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


async def test_it_is_kept_for_as_long_as_it_is_fresh_and_then_stale(world):
    assert await world.reads.known("key") is None

    await world.get()

    assert world.cache.kept_seconds == {"key": 60.0 + 1e6}
    assert await world.reads.known("key") == Cached(b"1", is_stale=True)


async def test_what_was_written_is_there_for_the_next_reader_and_what_it_makes_old_is_not(world):
    world.version = 2
    await world.get()
    await world.reads.get("other", world.load, 60.0)

    async def stored():
        return CacheEntry(b"new", 3)

    assert await world.reads.write("key", stored, 60.0, "other") == b"new"
    assert await world.get() == Cached(b"new")
    assert await world.reads.get("other", world.load, 60.0) == Cached(b"3")


@pytest.mark.parametrize("version", [0, 1])
async def test_whoever_loads_what_is_old_meanwhile_does_not_keep_it(world, version):
    world.gate.clear()
    reader = asyncio.create_task(world.get())
    await turns(1)

    async def stored():
        return CacheEntry(b"new", version)

    await world.reads.write("key", stored, 60.0)
    world.gate.set()

    assert await reader == Cached(b"1")
    assert await world.get() == Cached(b"new")


@pytest.mark.parametrize(
    ("kept", "version", "is_stale"), [(3, 3, False), (3, 4, True), (3, 0, True), (1, 1, False)]
)
async def test_a_version_that_is_called_for_makes_those_before_it_stale(world, kept, version, is_stale):
    world.version = kept
    await world.get()

    await world.reads.outdate("key", version=version)

    world.error = Unavailable("mongodb")
    assert await world.get() == Cached(b"1", is_stale=is_stale)


async def test_the_first_version_makes_stale_what_has_none(world):
    await world.get()

    await world.reads.outdate("key", version=1)

    world.error = Unavailable("mongodb")
    assert await world.get() == Cached(b"1", is_stale=True)


async def test_what_is_outdated_while_it_is_loaded_is_not_kept(world):
    world.gate.clear()
    reader = asyncio.create_task(world.get())
    await turns(1)
    await world.reads.outdate("key")
    world.gate.set()

    assert await reader == Cached(b"1")
    assert await world.get() == Cached(b"2")


@pytest.mark.parametrize(("stale_seconds", "keys"), [(0.0, []), (0.5, ["key"])])
async def test_nothing_is_stale_where_nothing_may_be(stale_seconds, keys):
    world = World(stale_seconds)
    await world.get()

    await world.reads.outdate("key")

    assert list(world.cache.values) == keys


@pytest.mark.parametrize("version", [0, 3])
async def test_a_change_makes_every_version_old(world, version):
    world.version = version
    await world.get()

    async def applied():
        return "done"

    await world.reads.change(applied, "key")

    assert await world.reads.known("key") is None


@pytest.mark.parametrize("version", [0, 3])
async def test_a_change_that_failed_leaves_the_old_value_as_a_stale_one(world, version):
    world.version = version
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
