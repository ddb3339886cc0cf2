"""Three real members with a key file: who has what is acknowledged, and whom is asked for what."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from pydantic import SecretStr
from pymongo import AsyncMongoClient, MongoClient

from adapters.mongo.api_keys import MongoApiKeys
from adapters.mongo.audit import MongoAudit
from adapters.mongo.backups import MongoBackups
from adapters.mongo.config import MongoConfigRepository
from adapters.mongo.connection import open_mongo
from adapters.mongo.denials import MongoDenials
from adapters.mongo.history import MongoHistoricalRepository
from adapters.mongo.imported_files import ImportedFile, MongoImportedFiles
from adapters.mongo.members import members_of
from adapters.mongo.quotas import MongoQuotas
from adapters.mongo.sweeps import MongoSweepIndex
from adapters.mongo.tasks import MongoScheduler
from adapters.settings import MongoSettings
from cluster.backup.contents import DOCUMENTS, HISTORY, NOT_SAVED
from optionchain.access.audit import Chain, anchor_of
from optionchain.access.quotas import Quota, TenantLimits
from optionchain.errors import NotFound, Unavailable
from optionchain.history.chains import DateRange
from optionchain.tasks import Every, Order, Schedule
from optionchain.time_frame import TimeFrame
from proving.groups.replica_set import PASSWORD, USER, hosts_of, member_uri, primary_index
from tests.integration.backup.filled import KEY, NOW, denial, entry, result
from tests.integration.history import mongo_servers as servers
from tests.unit.history.samples import chain, prices
from tests.waiting import until

pytestmark = pytest.mark.anyio

Write = Callable[[int], Awaitable[object]]
# Long enough for a majority that is there, short enough to wait for one that is not.
TIMEOUT_SECONDS = 4.0
DAY = chain().day


@pytest.fixture(scope="module")
def members(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, list[int]]]:
    """Their URI and process ids. Who says nothing of a write has one member's word for it, as some sets are set up."""
    with servers.replica_set(tmp_path_factory.mktemp("members"), 3) as found:
        with MongoClient(found.uri) as client:
            client.admin.command("setDefaultRWConcern", 1, defaultWriteConcern={"w": 1})
        yield found.uri, [process.pid for process in found.members]


@pytest.fixture
def settings(members: tuple[str, list[int]]) -> MongoSettings:
    uri, _ = members
    return MongoSettings(
        uri=SecretStr(uri),
        database=f"t{uuid.uuid4().hex[:12]}",
        timeout_seconds=TIMEOUT_SECONDS,
        read_preference="secondaryPreferred",
        max_staleness_seconds=120,
    )


@pytest.fixture
async def client(settings: MongoSettings) -> AsyncIterator[AsyncMongoClient]:
    async with open_mongo(settings) as client:
        yield client


@pytest.fixture
def index(settings: MongoSettings) -> Iterator[MongoSweepIndex]:
    with contextlib.closing(MongoSweepIndex(settings)) as index:
        yield index


@pytest.fixture
def writes(client: AsyncMongoClient, settings: MongoSettings, index: MongoSweepIndex) -> Mapping[str, Write]:
    return writes_of(client, settings.database, index)


def writes_of(client: AsyncMongoClient, database: str, index: MongoSweepIndex) -> Mapping[str, Write]:
    """A write to each collection of ours, by a number that makes it another one."""
    history, configurations = (
        MongoHistoricalRepository(client, database),
        MongoConfigRepository(client, database),
    )
    scheduler = MongoScheduler(client, database, most_of_owner=9, clock=lambda: NOW)
    links = Chain("anna")
    order = Order(kind="cache_warm", parameters={}, owner="owner", created_by="owner")
    facts = {"owner": "owner", "updated_at": NOW}

    async def run(_: int) -> object:
        _, (task, *_) = await scheduler.list_scheduled_tasks("owner", offset=0, limit=1)
        return await scheduler.run_now("owner", task.id)

    async def audit(number: int, *, is_anchored: bool) -> object:
        link = links.add(entry())
        anchors = [anchor_of(link, NOW, b"key")] if is_anchored else []
        return await MongoAudit(client, database).append([] if is_anchored else [link], anchors)

    async def index_sweep(number: int) -> object:
        return await asyncio.to_thread(index.record, f"s{number}", "folder", facts)

    return {
        "configurations": lambda n: configurations.save_config(
            f"c{n}", {"n": n}, expected_version=0, saved_by="owner", saved_at=NOW
        ),
        "api_keys": lambda n: MongoApiKeys(client, database).add(
            replace(KEY, id=f"k{n}", digest=f"{n}" * 64)
        ),
        "denied_tokens": lambda n: MongoDenials(client, database).add(replace(denial(), id=f"d{n}")),
        "quotas": lambda n: MongoQuotas(client, database).save(
            TenantLimits(f"owner-{n}", {Quota.SESSIONS: 5})
        ),
        "simulation_results": lambda n: history.store_simulation_result(replace(result(), id=f"r-{n}")),
        "sweeps": index_sweep,
        "imported_files": lambda n: MongoImportedFiles(client, database).remember(
            ImportedFile(f"/f{n}", 1, "1", "as it is"), NOW
        ),
        "tasks": lambda _: scheduler.schedule_task(order, Schedule(timing=Every(3600.0, NOW))),
        "task_runs": run,
        "audit": lambda n: audit(n, is_anchored=False),
        "audit_anchors": lambda n: audit(n, is_anchored=True),
        "historical_chains": lambda n: history.save_historical_chain(chain(day=DAY + timedelta(days=n))),
        "historical_prices": lambda n: history.save_time_series(
            prices(np.linspace(1.0, 2.0, 5), start=f"202{n}-01-02")
        ),
        "backups": lambda n: MongoBackups(client, database).saved(f"/place-{n}", NOW, 1),
    }


async def test_what_must_be_fresh_is_read_from_the_primary_and_history_from_the_others(
    client: AsyncMongoClient,
    settings: MongoSettings,
    writes: Mapping[str, Write],
    members: tuple[str, list[int]],
) -> None:
    uri, _ = members
    for write in writes.values():
        await write(1)
    database = settings.database
    for index in range(3):
        async with AsyncMongoClient(member_uri(uri, index)) as member:
            await member[database].command("profile", 2)

    history = MongoHistoricalRepository(client, database)

    async def is_read() -> bool:
        """What a majority has may be on its way to the third."""
        with contextlib.suppress(NotFound):
            await history.get_historical_chain("SPX", DAY + timedelta(days=1))
            days = DateRange(DAY.replace(year=2021), DAY.replace(year=2021))
            parts = [part async for part in history.query_time_series("SPX", days, TimeFrame.DAY)]
            return bool(parts)
        return False

    await until(is_read, "history is read")
    await MongoConfigRepository(client, database).get_config("c1")
    await MongoApiKeys(client, database).get("k1")
    await MongoQuotas(client, database).listed(limit=9)
    await MongoDenials(client, database).listed(NOW, limit=9)
    await MongoScheduler(client, database, most_of_owner=9).list_scheduled_tasks("owner", offset=0, limit=9)
    await MongoBackups(client, database).listed()

    primary = await asyncio.to_thread(primary_index, uri)
    read = {index: await _read_at(uri, index, database) for index in range(3)}
    secondaries = set[str]().union(*(read[index] for index in range(3) if index != primary))
    assert read[primary] >= {"configurations", "api_keys", "quotas", "denied_tokens", "tasks", "backups"}
    assert secondaries >= {f"{name}_heads" for name in HISTORY}
    assert secondaries <= {*HISTORY, *(f"{name}_heads" for name in HISTORY)}


async def _read_at(uri: str, index: int, database: str) -> set[str]:
    """The collections that a member was asked for."""
    reads = [{"command.find": {"$exists": True}}, {"command.aggregate": {"$exists": True}}]
    async with AsyncMongoClient(member_uri(uri, index)) as member:
        profile = member[database]["system.profile"]
        found = await profile.distinct("ns", {"appName": "optionchain", "$or": reads})
    return {name.partition(".")[2].removeprefix("system.buckets.") for name in found}


async def test_who_may_only_look_is_told_of_the_members(members: tuple[str, list[int]]) -> None:
    uri, _ = members
    async with AsyncMongoClient(uri) as admin:
        await admin.admin.command("createUser", "looker", pwd="looks", roles=["clusterMonitor"])
    looking = uri.replace(f"{USER}:{PASSWORD}@", "looker:looks@")

    async with AsyncMongoClient(looking, tz_aware=True) as client:
        found = await members_of(client)

    assert [member.host for member in found] == hosts_of(uri)
    assert all(member.is_there and member.votes and not member.is_hidden for member in found)
    assert max(member.seconds_behind for member in found) < 12.0


async def test_nothing_is_acknowledged_that_no_majority_has(
    writes: Mapping[str, Write], members: tuple[str, list[int]]
) -> None:
    """The last one: of three members it freezes two, and the primary is patient enough to stay one."""
    uri, pids = members
    ours = {*DOCUMENTS, *HISTORY, *NOT_SAVED} - {f"{name}_heads" for name in HISTORY}
    assert writes.keys() == ours, "a write to each collection"
    for write in writes.values():  # with all there: indexes are made now
        await write(1)
    async with AsyncMongoClient(uri) as admin:
        config = (await admin.admin.command("replSetGetConfig"))["config"]
        config["settings"]["electionTimeoutMillis"] = 120_000
        await admin.admin.command("replSetReconfig", config | {"version": config["version"] + 1})
    primary = await asyncio.to_thread(primary_index, uri)
    others = [pid for index, pid in enumerate(pids) if index != primary]
    for pid in others:
        os.kill(pid, signal.SIGSTOP)

    try:
        outcomes = await asyncio.gather(*(write(2) for write in writes.values()), return_exceptions=True)
    finally:
        for pid in others:
            os.kill(pid, signal.SIGCONT)

    acknowledged = [
        name for name, outcome in zip(writes, outcomes, strict=True) if not isinstance(outcome, Unavailable)
    ]
    assert acknowledged == [], outcomes
