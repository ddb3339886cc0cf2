"""Of which moment a backup is while others write, and how much of it is in memory, on a real mongod."""

from __future__ import annotations

import asyncio
import tracemalloc
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from pydantic import SecretStr
from pymongo import AsyncMongoClient, MongoClient

from adapters.mongo.history import MongoHistoricalRepository
from adapters.settings import MongoSettings
from cluster.backup.beginning import Saving
from cluster.backup.contents import Stores
from cluster.backup.place import Place
from cluster.backup.saving import save
from cluster.settings import Settings
from tests.integration.backup.changing import change
from tests.integration.backup.filled import COUNTS
from tests.unit.history.samples import chain

pytestmark = pytest.mark.anyio

WINDOW = "minSnapshotHistoryWindowInSeconds"
MEGABYTE = 1 << 20


@pytest.fixture
def mongo(mongod_uri: str) -> Iterator[MongoSettings]:
    """A replica set, which alone keeps a point in time."""
    database = f"t{uuid.uuid4().hex[:12]}"
    yield MongoSettings(uri=SecretStr(mongod_uri), database=database, timeout_seconds=20)
    with MongoClient[dict[str, object]](mongod_uri) as client:
        client.drop_database(database)


@asynccontextmanager
async def always(write: Callable[[int], Awaitable[object]]) -> AsyncIterator[None]:
    """One write after the other for as long as the block lasts."""

    async def writing() -> None:
        number = 0
        while True:
            number += 1
            await write(number)

    task = asyncio.create_task(writing())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def read(stores: Stores, kind: str) -> list[dict[str, object]]:
    return [item async for batch in stores.contents[kind].read() for item in batch.items]


async def test_what_is_written_after_the_first_read_is_not_in_it(stores: Stores, settings: Settings) -> None:
    await stores.point.begin()
    try:
        assert len(await read(stores, "configurations")) == COUNTS["configurations"]
        await change(settings)  # of chains one is new, one is stored anew, one is deleted
        during = await read(stores, "historical_chains")
        assert stores.point.holds
    finally:
        await stores.point.end()
    later = await read(stores, "historical_chains")

    days = {(item["head"]["asset"], item["head"]["date"].day) for item in during}  # type: ignore[index]
    assert days == {("SPX", 2), ("SPX", 3), ("SPX", 4), ("NDX", 2)}
    assert {item["head"]["date"].day for item in later} == {2, 3, 4, 9}  # type: ignore[index]


async def test_where_the_server_keeps_the_point_no_longer_it_is_said_and_nothing_is_missing(
    stores: Stores, place: Place, mongod_uri: str
) -> None:
    async with AsyncMongoClient[dict[str, object]](mongod_uri) as client:
        noise = client[stores.database]["of_others"]
        before = (await client.admin.command("getParameter", 1, **{WINDOW: 1}))[WINDOW]
        await client.admin.command("setParameter", 1, **{WINDOW: 0})
        try:
            async with always(lambda number: noise.insert_one({"_id": number})):
                # Slow enough for the server to go on between two reads.
                manifest = await save(stores, place, Saving(part_bytes=500, bytes_per_second=10_000))
        finally:
            await client.admin.command("setParameter", 1, **{WINDOW: before})

    assert not manifest.is_point_in_time
    assert manifest.counts == COUNTS


async def test_a_chain_that_a_writer_replaces_between_two_reads_is_saved_as_it_is_now(
    stores: Stores, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    history = MongoHistoricalRepository(stores.mongo, settings.mongo.database)
    before = {item["head"]["revision"] for item in await read(stores, "historical_chains")}  # type: ignore[index]
    ask_for, answers = stores.point.found, 0

    async def found(ask: Any) -> Any:
        """Whoever has read the heads has not read yet what they lead to."""
        nonlocal answers
        answer, answers = await ask_for(ask), answers + 1
        if answers == 1:
            await history.save_historical_chain(chain(level=0.5))
        return answer

    monkeypatch.setattr(stores.point, "found", found)
    during = await read(stores, "historical_chains")

    assert len(during) == COUNTS["historical_chains"]
    (new,) = [item for item in during if item["head"]["revision"] not in before]  # type: ignore[index]
    assert (new["head"]["asset"], new["head"]["date"].day) == ("SPX", 2)  # type: ignore[index]
    assert len(new["documents"]) == new["head"]["documents"] > 0  # type: ignore[arg-type,index,operator]


@pytest.mark.parametrize("documents", [2_000, 16_000])
async def test_what_is_in_memory_does_not_grow_with_what_is_stored(
    documents: int, stores: Stores, place: Place
) -> None:
    padding = uuid.uuid4().bytes * 64  # a kilobyte
    collection = stores.mongo[stores.database]["denied_tokens"]
    await collection.insert_many([{"_id": f"d{n:06d}", "padding": padding} for n in range(documents)])

    tracemalloc.start()
    try:
        manifest = await save(stores, place, Saving(part_bytes=MEGABYTE))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert manifest.size > documents * 1000
    assert peak < 10 * MEGABYTE
