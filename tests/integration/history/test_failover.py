"""The primary of a replica set is killed while many write to it: what was acknowledged survives."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from datetime import UTC, date, datetime, timedelta

import pytest
from pydantic import SecretStr
from pymongo import AsyncMongoClient, MongoClient
from pymongo.errors import AutoReconnect

from adapters.mongo.config import MongoConfigRepository
from adapters.mongo.connection import open_mongo
from adapters.mongo.history import MongoHistoricalRepository
from adapters.settings import MongoSettings
from optionchain.errors import Conflict, NotFound, Unavailable
from optionchain.history.bars import joined
from optionchain.history.chains import DateRange
from optionchain.time_frame import TimeFrame
from tests.integration.history import mongo_servers as servers
from tests.unit.history.samples import chain, prices, same_chain
from tests.waiting import passing, until

pytestmark = pytest.mark.anyio

PRICE_WRITERS = 4
WRITES = 15  # of each kind by each writer, before and after
DAY = date(2024, 1, 2)
LOST = 5
PATIENCE_SECONDS = 60


@pytest.fixture
def three_nodes(tmp_path):
    with servers.replica_set(tmp_path, 3) as started:
        yield started


@pytest.fixture
def again(three_nodes, tmp_path):
    """Starts a node that was killed."""
    uri, _ = three_nodes
    with contextlib.ExitStack() as stack:

        def start(index):
            port = host_of(uri, index).rpartition(":")[2]
            command = servers.mongod_command(tmp_path / port, int(port), replica_set="rs")
            stack.enter_context(servers.process(command, tmp_path / f"{port}-again.log"))

        yield start


def end(process):
    process.kill()
    process.wait(10)  # until then its folder and port are taken


def primary_index(uri):
    with MongoClient(uri) as client:
        client.admin.command("ping")
        hosts = uri.removeprefix("mongodb://").split("/")[0].split(",")
        return hosts.index("{}:{}".format(*client.primary))


class Writers:
    """Several that write at once, and all that they were told is stored."""

    def __init__(self, history, configurations):
        self.history, self.configurations = history, configurations
        self.closes, self.chains, self.versions, self.failures = set(), {}, [], 0
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
        except (Unavailable, Conflict):
            self.failures += 1
            await passing(0.05)


def started_writers(uri):
    """Writers at work, and what fails when they are not any more."""
    client = open_mongo(MongoSettings(uri=SecretStr(uri), timeout_seconds=3))
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
    with contextlib.suppress(AutoReconnect):  # it closes connections when it rolls back
        return await committed(client) >= newest
    return False


async def has_alone(primary, writes):
    """Whether a primary has so many writes that no majority is known to have, or takes no more of them."""
    with contextlib.suppress(AutoReconnect):  # it closes connections when it steps down
        if not (await primary.admin.command("hello"))["isWritablePrimary"]:
            return True
        later = {"ts": {"$gt": await committed(primary)}, "op": {"$ne": "n"}}
        return await primary.local["oplog.rs"].count_documents(later) >= writes
    return False


def host_of(uri, index):
    return "mongodb://" + uri.removeprefix("mongodb://").split("/")[0].split(",")[index]


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


async def test_nothing_acknowledged_is_lost_when_the_primary_is_killed(three_nodes, again):
    uri, processes = three_nodes
    client, writers, writing, check = started_writers(uri)
    await eventually(lambda: writers.has_acknowledged(WRITES), check)

    # The others die first, so that the primary has what no majority has when it dies too.
    killed = primary_index(uri)
    others = [index for index in range(3) if index != killed]
    for index in others:
        end(processes[index])
    async with AsyncMongoClient(host_of(uri, killed), directConnection=True) as primary:
        await eventually(lambda: has_alone(primary, LOST), check)
    end(processes[killed])
    for index in others:
        again(index)
    enough = writers.acknowledged + WRITES
    await eventually(lambda: writers.has_acknowledged(enough), check)
    writers.is_over = True
    await writing

    await client.close()
    await check_nothing_is_lost(writers, uri, "primary")
    # The killed one comes back, gives up what no majority had, and catches up.
    again(killed)
    host = host_of(uri, killed)
    servers.await_answer(host, "hello", lambda answer: answer["isWritablePrimary"] or answer["secondary"])
    async with AsyncMongoClient(uri) as every:
        newest = await committed(every)
    async with AsyncMongoClient(host, directConnection=True) as one:
        await eventually(lambda: has_committed(one, newest), lambda: None)
    await check_nothing_is_lost(writers, f"{host}/?directConnection=true", "nearest")


@contextlib.contextmanager
def stepped_down(uri, processes):
    with MongoClient(uri) as client:
        client.admin.command({"replSetStepDown": 20, "force": True})
    yield


@contextlib.contextmanager
def frozen(uri, processes):
    """It does nothing until another is primary, then goes on, and still takes itself for one."""
    process = processes[primary_index(uri)]
    process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        process.send_signal(signal.SIGCONT)


@pytest.mark.long
@pytest.mark.parametrize("lose", [stepped_down, frozen], ids=["steps down", "is frozen"])
async def test_nothing_acknowledged_is_lost_when_another_is_elected(three_nodes, lose):
    uri, processes = three_nodes
    client, writers, writing, check = started_writers(uri)
    for _ in range(2):
        before = writers.acknowledged
        await eventually(lambda before=before: writers.has_acknowledged(before + WRITES), check)
        loser = await asyncio.to_thread(primary_index, uri)
        with lose(uri, processes):
            enough = writers.acknowledged + WRITES
            await eventually(lambda enough=enough: writers.has_acknowledged(enough), check)
            assert await asyncio.to_thread(primary_index, uri) != loser
    writers.is_over = True
    await writing

    await client.close()
    await check_nothing_is_lost(writers, uri, "primary")
