"""Many who write to a replica set at once, and what of it must be there whatever becomes of its members."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import UTC, date, datetime, timedelta

from pydantic import SecretStr
from pymongo.errors import AutoReconnect, OperationFailure

from adapters.mongo.config import MongoConfigRepository
from adapters.mongo.connection import open_mongo
from adapters.mongo.history import MongoHistoricalRepository
from adapters.settings import MongoSettings
from optionchain.errors import Conflict, NotFound, Unavailable
from optionchain.history.bars import joined
from optionchain.history.chains import DateRange
from optionchain.time_frame import TimeFrame
from tests.unit.history.samples import chain, prices, same_chain
from tests.waiting import passing, until

PRICE_WRITERS = 4
WRITES = 15  # of each kind by each writer, before and after
DAY = date(2024, 1, 2)
# So many that no majority has, before their primary is lost.
LOST = 5
UNAUTHORIZED = 13
PATIENCE_SECONDS = 60


class Writers:
    """Several that write at once, and all that they were told is stored."""

    def __init__(self, history, configurations):
        self.history, self.configurations = history, configurations
        self.closes, self.chains, self.versions, self.failures = set(), {}, [], []
        self.is_over = False

    @property
    def acknowledged(self):
        return min(len(self.closes) // PRICE_WRITERS, len(self.chains), len(self.versions))

    async def has_acknowledged(self, writes):
        return self.acknowledged >= writes

    async def run(self):
        await asyncio.gather(
            self.save_chains(), self.save_versions(), *(self.save_bars(n) for n in range(PRICE_WRITERS))
        )

    async def save_bars(self, writer):
        """Bars of one day, whose document all writers share."""
        minute = writer
        while not self.is_over:
            start = f"2024-01-02T{minute // 60 % 24:02d}:{minute % 60:02d}"
            await self.attempt(
                self.history.save_time_series(
                    prices([minute + 1.0], start=start, timeframe=TimeFrame.MINUTE)
                ),
                lambda _, close=minute + 1.0: self.closes.add(close),
            )
            minute += PRICE_WRITERS
            if minute >= 24 * 60:
                return

    async def save_chains(self):
        day = DAY
        while not self.is_over:
            saved = chain(day=day, expirations=("2030-01-18",))
            await self.attempt(
                self.history.save_historical_chain(saved),
                lambda _, saved=saved: self.chains.update({saved.day: saved}),
            )
            day += timedelta(days=1)

    async def save_versions(self):
        while not self.is_over:
            await self.attempt(self.save_next_version(), self.versions.append)

    async def save_next_version(self):
        try:
            version = (await self.configurations.get_config("simulator")).version
        except NotFound:
            version = 0
        return await self.configurations.save_config(
            "simulator", {"n": version}, expected_version=version, saved_by="a", saved_at=datetime.now(UTC)
        )

    async def attempt(self, write, on_success):
        try:
            on_success(await write)
        except Unavailable as error:
            self.failures.append((error, error.__cause__))
            await passing(0.05)
        except Conflict:  # with another writer of the same
            await passing(0.05)


def started_writers(uri, timeout_seconds=3):
    """Writers at work, and what fails when they are not any more."""
    client = open_mongo(MongoSettings(uri=SecretStr(uri), timeout_seconds=timeout_seconds))
    writers = Writers(
        MongoHistoricalRepository(client, "failover"), MongoConfigRepository(client, "failover")
    )
    writing = asyncio.create_task(writers.run())

    def check():
        assert not writing.done(), writing.exception()

    return client, writers, writing, check


async def eventually(is_so, check):
    async def is_so_now():
        if await is_so():
            return True
        check()
        return False

    await until(is_so_now, "what is awaited after a failure", patience_seconds=PATIENCE_SECONDS)


async def committed(client):
    """Up to where a server knows that a majority has everything."""
    status = await client.admin.command("replSetGetStatus")
    return status["optimes"]["lastCommittedOpTime"]["ts"]


async def has_committed(client, newest):
    try:
        return await committed(client) >= newest
    except AutoReconnect:  # it closes connections when it rolls back
        return False
    except OperationFailure as error:
        # It forgets who was signed in, too, until the next connection.
        if error.code != UNAUTHORIZED:
            raise
        return False


async def has_alone(primary, writes):
    """Whether a primary has so many writes that no majority is known to have, or takes no more of them."""
    with contextlib.suppress(AutoReconnect):  # it closes connections when it steps down
        if not (await primary.admin.command("hello"))["isWritablePrimary"]:
            return True
        later = {"ts": {"$gt": await committed(primary)}, "op": {"$ne": "n"}}
        return await primary.local["oplog.rs"].count_documents(later) >= writes
    return False


async def check_nothing_is_lost(writers, uri, read_preference):
    client = open_mongo(
        MongoSettings(uri=SecretStr(uri), timeout_seconds=20, read_preference=read_preference)
    )
    history = MongoHistoricalRepository(client, "failover")
    days = DateRange(DAY, DAY)
    stored = joined([part async for part in history.query_time_series("SPX", days, TimeFrame.MINUTE)])
    assert writers.closes <= set(stored.close.tolist())
    assert stored.close.size == len(set(stored.close.tolist()))
    for day, saved in writers.chains.items():
        assert same_chain(await history.get_historical_chain("SPX", day), saved)
    versions = await MongoConfigRepository(client, "failover").get_config_history("simulator", limit=1000)
    assert [one.version for one in versions] == list(range(len(versions), 0, -1))
    stored_versions = {one.version: one for one in versions}
    assert all(stored_versions[one.version] == one for one in writers.versions)
    await client.close()
