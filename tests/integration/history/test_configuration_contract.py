"""What every configuration store must do, on a real mongod and on the embedded server."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta

import pytest

from adapters.mongo.config import MongoConfigRepository
from adapters.mongo.connection import open_mongo
from optionchain.errors import Conflict, InvalidInput, NotFound, Unavailable

pytestmark = pytest.mark.anyio

WRITERS, WINS = 8, 3

NOW = datetime(2024, 1, 2, 3, 4, 5, 678_000, tzinfo=UTC)
VALUES = {
    "defaults": {"chain_size": 12, "spread": 0.05},
    "limits": {"max_steps": 500, "list": [1, None, "x"]},
}


async def save(configurations, expected=0, values=VALUES, name="simulator", by="anna", at=NOW):
    return await configurations.save_config(name, values, expected_version=expected, saved_by=by, saved_at=at)


async def test_versions_are_kept_for_good_with_who_and_when(configurations):
    first = await save(configurations)
    second = await save(configurations, 1, {"defaults": {}}, by="ben", at=NOW + timedelta(hours=1))

    assert (first.version, second.version) == (1, 2)
    assert await configurations.get_config("simulator") == second
    assert await configurations.get_config("simulator", 1) == first
    assert (first.saved_by, first.saved_at, first.values) == ("anna", NOW, VALUES)
    assert await configurations.get_config_history("simulator") == [second, first]
    assert await configurations.get_config_history("simulator", limit=1) == [second]


async def test_a_stale_writer_is_refused(configurations):
    await save(configurations)

    for expected in (0, 2):
        with pytest.raises(Conflict):
            await save(configurations, expected, {"lost": True})

    assert (await configurations.get_config("simulator")).values == VALUES


async def test_of_many_writers_at_once_one_wins(configurations):
    await save(configurations)

    results = await asyncio.gather(
        *(save(configurations, 1, {"writer": n}) for n in range(20)), return_exceptions=True
    )

    (winner,) = [result for result in results if not isinstance(result, Exception)]
    assert sum(isinstance(result, Conflict) for result in results) == 19
    assert await configurations.get_config("simulator") == winner
    assert len(await configurations.get_config_history("simulator")) == 2


async def test_configurations_are_listed_by_name_with_their_latest_version(configurations):
    assert await configurations.list_configurations() == []
    for name in ("simulator", "another"):
        await save(configurations, name=name)
    await save(configurations, 1, by="ben")

    listed = await configurations.list_configurations()

    assert [(one.name, one.version, one.saved_by) for one in listed] == [
        ("another", 1, "anna"),
        ("simulator", 2, "ben"),
    ]


async def test_what_was_never_saved_is_not_found(configurations):
    await save(configurations)

    with pytest.raises(NotFound):
        await configurations.get_config("other")
    with pytest.raises(NotFound):
        await configurations.get_config("simulator", 2)
    with pytest.raises(NotFound):
        await configurations.get_config_history("other")


@pytest.mark.parametrize(
    "values",
    [
        {"$where": "sleep(1)"},
        {"a": [{"$set": 1}]},
        {"a.b": 1},
        {"": 1},
        {"a": {"b": float("nan")}},
        {"a": 2**63},
        {"a": b"bytes"},
        {"a": "x" * 300_000},
        [1],
        "text",
    ],
)
async def test_values_that_are_operators_too_big_or_no_json_are_refused(configurations, values):
    with pytest.raises(InvalidInput):
        await save(configurations, values=values)

    assert await configurations.list_configurations() == []


async def test_values_that_are_too_deep_are_refused(configurations):
    values = {}
    for _ in range(20):
        values = {"a": values}

    with pytest.raises(InvalidInput, match="nested"):
        await save(configurations, values=values)


@pytest.mark.parametrize("name", ["$ne", {"$ne": ""}, "a.b", "", "x" * 65, None])
async def test_an_operator_in_the_place_of_a_name_is_refused(configurations, name):
    for call in (
        lambda: configurations.get_config(name),
        lambda: configurations.get_config_history(name),
        lambda: save(configurations, name=name),
    ):
        with pytest.raises(InvalidInput):
            await call()


@pytest.mark.parametrize("version", [0, -1, {"$gt": 0}, True, "1", 2**31])
async def test_a_version_that_is_none_is_refused(configurations, version):
    with pytest.raises(InvalidInput):
        await configurations.get_config("simulator", version)


async def test_a_change_by_anybody_is_announced(configurations):
    changes = configurations.changes()

    async with asyncio.timeout(10), contextlib.aclosing(changes):
        assert await anext(changes) is None
        await save(configurations)
        assert await anext(changes) == ("simulator", 1)


@pytest.mark.parametrize("mongo", ["standalone"], indirect=True)
async def test_a_server_without_change_streams_says_so(configurations):
    await save(configurations)

    with pytest.raises(Unavailable):
        await anext(configurations.changes())


@pytest.mark.parametrize("mongo", ["mongod", "secantus", "standalone"], indirect=True)
async def test_versions_of_many_writers_have_no_gap_and_no_double_and_one_winner_each(mongo):
    """Each writer has connections of its own, and goes on from what it sees until it has won three times."""

    async def write(name):
        repository = MongoConfigRepository(open_mongo(mongo), mongo.database)
        won = []
        while len(won) < WINS:
            try:
                version = (await repository.get_config("simulator")).version
            except NotFound:
                version = 0
            with contextlib.suppress(Conflict):
                won.append(await save(repository, version, {"n": len(won)}, by=name))
        await repository.close()
        return won

    won = await asyncio.gather(*(write(f"writer-{n}") for n in range(WRITERS)))

    reader = MongoConfigRepository(open_mongo(mongo), mongo.database)
    stored = await reader.get_config_history("simulator", limit=1000)
    await reader.close()
    assert [one.version for one in reversed(stored)] == list(range(1, WRITERS * WINS + 1))
    assert sorted((one for each in won for one in each), key=lambda one: -one.version) == stored


async def test_a_parameter_is_of_the_latest_version_or_built_in(configurations):
    built_in = await configurations.get_parameter("simulator", "spread")
    await save(configurations, values={"defaults": {"spread": 0.05}})
    stored = await configurations.get_parameter("simulator", "spread")

    assert (built_in.value, built_in.version) == (0.01, 0)
    assert (stored.key, stored.value, stored.version) == ("defaults.spread", 0.05, 1)
    with pytest.raises(NotFound):
        await configurations.get_parameter("unknown", "spread")
