"""What the history service keeps in the cache beside what it serves: generations of assets, and the days most used."""

from __future__ import annotations

from datetime import date

import pytest

from actors.history.generations import Generations
from actors.history.most_used import MostUsed
from adapters.redis.cache import RedisCacheService
from tests.waiting import until

pytestmark = pytest.mark.anyio

DAYS = [date(2024, 1, day) for day in (2, 3, 4)]


@pytest.fixture
async def caches(redis, prefix):
    """Those of two processes."""
    caches = [RedisCacheService(redis.open(), prefix=prefix) for _ in range(2)]
    yield caches
    for cache in caches:
        await cache.close()


@pytest.fixture
def cache(caches):
    return caches[0]


async def test_what_was_computed_of_an_asset_is_of_one_generation_until_its_data_change(caches):
    generations, others = map(Generations, caches)
    first, before = await generations.of("SPX")

    assert (await others.of("SPX"), before) == ((first, None), None)
    assert (await generations.of("NDX"))[0] != first
    await generations.end("SPX")
    second, before = await generations.of("SPX")
    assert (second != first, before) == (True, None)


async def test_a_doubt_begins_a_generation_that_knows_the_last_one_that_was_certain(cache):
    generations = Generations(cache)
    certain, _ = await generations.of("SPX")

    await generations.doubt("SPX")
    doubted, before = await generations.of("SPX")
    assert (doubted != certain, before) == (True, certain)
    await generations.doubt("SPX")
    again, before = await generations.of("SPX")
    assert (again != doubted, before) == (True, certain), (
        "what was computed in doubt is not older and certain"
    )

    await generations.end("SPX")
    assert (await generations.of("SPX"))[1] is None


async def test_a_doubt_reaches_who_knows_the_generation_already(caches):
    generations, others = map(Generations, caches)
    for _ in range(5):
        known, _ = await others.of("SPX")

        await generations.doubt("SPX")

        async def is_new(known=known):
            return (await others.of("SPX"))[0] != known

        await until(is_new, "the other process has heard of it", patience_seconds=5.0)


async def test_the_days_most_used_are_remembered_by_their_use_and_old_uses_count_for_less(cache):
    most_used = MostUsed(cache, days=2, seconds=60.0)
    await most_used.remember()
    assert await most_used.remembered() == []

    for day, uses in zip(DAYS, (2, 4, 1), strict=True):
        for _ in range(uses):
            most_used.count("SPX", day)
    await most_used.remember()
    assert await MostUsed(cache, days=2, seconds=60.0).remembered() == [("SPX", DAYS[1]), ("SPX", DAYS[0])]

    # What is left of the uses: 1, 2 and none.
    for _ in range(3):
        most_used.count("SPX", DAYS[2])
    await most_used.remember()
    assert await most_used.remembered() == [("SPX", DAYS[2]), ("SPX", DAYS[1])]
    await most_used.remember()
    assert sorted(await most_used.remembered()) == [("SPX", DAYS[1]), ("SPX", DAYS[2])]
    # Each of them had one use left, and now has none.
    most_used.count("NDX", DAYS[0])
    await most_used.remember()
    assert await most_used.remembered() == [("NDX", DAYS[0])]
