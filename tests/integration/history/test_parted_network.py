"""The network between the members of a replica set parts and heals while many write and read. As root on Linux."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from pydantic import SecretStr
from pymongo import AsyncMongoClient

from adapters.mongo.connection import open_mongo
from adapters.mongo.history import MongoHistoricalRepository
from adapters.settings import MongoSettings
from proving.groups import replica_set as replica_sets
from proving.groups.replica_set import member_uri, primary_index
from proving.machines.hosts import Host, hosts, obstacle
from tests.integration.history import mongo_servers as servers
from tests.integration.history.writers import (
    LOST,
    WRITES,
    check_nothing_is_lost,
    committed,
    eventually,
    has_alone,
    has_committed,
    started_writers,
)
from tests.unit.history.samples import chain
from tests.waiting import until

PORT = 27017
NAMES = ("one", "two", "three")
# The least that MongoDB takes for a bound, and what its clients take in time to see it: they ask every ten seconds.
STALENESS_SECONDS, SEEN_WITHIN_SECONDS = 90, 60.0
READS = 40


@dataclass
class Set:
    """A replica set on three machines, and a client on a fourth, from which everything is done."""

    members: list[Host]
    client: Host
    uri: str

    def cut_off(self, index: int) -> None:
        """Neither of the others hears of a member any more; clients do."""
        self.members[index].cut_off_from(*self._others(index))

    def reach_again(self, index: int) -> None:
        self.members[index].reach_again(*self._others(index))

    def _others(self, index: int) -> list[Host]:
        return [member for member in self.members if member is not self.members[index]]


@pytest.fixture(scope="module")
def parted() -> Iterator[Set]:
    if problem := obstacle():
        pytest.skip(problem)
    with hosts(one=1, two=2, three=3, client=9) as made:
        members = [made[name] for name in NAMES]
        key = replica_sets.key_file(made["client"].folder.parent)
        for host in members:
            both = f"127.0.0.1,{host.address}"
            place = host.folder / "mongo"
            host.start(replica_sets.mongod_command(servers.mongod(), place, PORT, address=both, key=key))
        addresses = [f"{host.address}:{PORT}" for host in members]
        local = f"127.0.0.1:{PORT}"
        members[0].inside(lambda: replica_sets.initiate(addresses, local))
        yield Set(members, made["client"], members[0].inside(lambda: replica_sets.secure(addresses, local)))


def test_nothing_acknowledged_is_lost_or_doubled_when_a_network_parts_and_heals(parted: Set) -> None:
    parted.client.inside(lambda: asyncio.run(_through_a_partition(parted)))


async def _through_a_partition(parted: Set) -> None:
    client, writers, writing, check = started_writers(parted.uri)
    await eventually(lambda: writers.has_acknowledged(WRITES), check)
    lonely = await asyncio.to_thread(primary_index, parted.uri)

    parted.cut_off(lonely)
    async with AsyncMongoClient(member_uri(parted.uri, lonely)) as primary:
        await eventually(lambda: has_alone(primary, LOST), check)
    enough = writers.acknowledged + WRITES
    await eventually(lambda: writers.has_acknowledged(enough), check)
    assert await asyncio.to_thread(primary_index, parted.uri) != lonely
    parted.reach_again(lonely)
    more = writers.acknowledged + WRITES
    await eventually(lambda: writers.has_acknowledged(more), check)
    writers.is_over = True
    await writing
    await client.close()

    await check_nothing_is_lost(writers, parted.uri, "primary")
    # The one that was alone has given up what nobody else had, and has everything.
    async with AsyncMongoClient(parted.uri) as every:
        newest = await committed(every)
    async with AsyncMongoClient(member_uri(parted.uri, lonely)) as one:
        await eventually(lambda: has_committed(one, newest), lambda: None)
    await check_nothing_is_lost(writers, member_uri(parted.uri, lonely), "nearest")


@pytest.mark.long
@pytest.mark.timeout(400)
def test_history_is_not_read_where_it_is_older_than_the_bound(parted: Set) -> None:
    parted.client.inside(lambda: asyncio.run(_while_one_is_stale(parted)))


async def _while_one_is_stale(parted: Set) -> None:
    anyhow, bounded = (_reader(parted.uri, seconds) for seconds in (0, STALENESS_SECONDS))
    await anyhow.save_historical_chain(chain())
    primary = await asyncio.to_thread(primary_index, parted.uri)
    stale, fresh = [index for index in range(3) if index != primary]
    for index in range(3):
        async with AsyncMongoClient(member_uri(parted.uri, index)) as member:
            await member["stale"].command("profile", 2)
    parted.cut_off(stale)
    try:

        async def is_avoided() -> bool:
            # How far it is behind is seen by what others have meanwhile.
            await anyhow.save_historical_chain(chain(level=0.5))
            asked = await _asked(parted.uri, bounded)
            return not asked[stale] and asked[fresh] >= READS

        await until(is_avoided, "it is not read", patience_seconds=STALENESS_SECONDS + SEEN_WITHIN_SECONDS)
        assert (await _asked(parted.uri, anyhow))[stale], "without a bound it is"
    finally:
        parted.reach_again(stale)
        await anyhow.close()
        await bounded.close()


def _reader(uri: str, staleness_seconds: int) -> MongoHistoricalRepository:
    settings = MongoSettings(
        uri=SecretStr(uri),
        timeout_seconds=20,
        read_preference="secondaryPreferred",
        max_staleness_seconds=staleness_seconds,
    )
    return MongoHistoricalRepository(open_mongo(settings), "stale")


async def _asked(uri: str, history: MongoHistoricalRepository) -> Counter[int]:
    """How often each member is asked when a chain is read again and again."""
    began = datetime.now(UTC)
    for _ in range(READS):
        await history.get_historical_chain("SPX", chain().day)
    found = Counter[int]()
    for index in range(3):
        async with AsyncMongoClient(member_uri(uri, index)) as member:
            heads = {"op": "query", "ns": "stale.historical_chains_heads", "ts": {"$gte": began}}
            found[index] = await member["stale"]["system.profile"].count_documents(heads)
    return found
