"""Something of everything that is stored, written by the adapters that the service writes it by."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import numpy as np

from adapters.mongo.api_keys import MongoApiKeys
from adapters.mongo.audit import MongoAudit
from adapters.mongo.config import MongoConfigRepository
from adapters.mongo.connection import open_mongo
from adapters.mongo.denials import MongoDenials
from adapters.mongo.history import MongoHistoricalRepository
from adapters.mongo.imported_files import ImportedFile, MongoImportedFiles
from adapters.mongo.quotas import MongoQuotas
from adapters.mongo.sweeps import MongoSweepIndex
from adapters.mongo.tasks import MongoScheduler
from adapters.redis.connection import open_redis
from adapters.redis.idempotency import RedisAnswers
from adapters.redis.session_store import RedisSessionStore
from cluster.backup.contents import Stores
from cluster.settings import Settings
from cluster.sweeps.records import SweepRecord, SweepRecords
from optionchain.access.api_keys import ApiKey
from optionchain.access.audit import AuditEntry, Chain, anchor_of
from optionchain.access.denials import Denial
from optionchain.access.quotas import Quota, TenantLimits
from optionchain.history.results import SimulationResult
from optionchain.observing import Unobserved
from optionchain.ports import Checkpoint
from optionchain.session import Advance, Session, SessionKind
from optionchain.tasks import Every, Order, Schedule
from optionchain.time_frame import TimeFrame
from tests.integration.sessions.session_examples import PARAMETERS, ROLLING, after, new_session
from tests.unit.history.samples import chain, prices

NOW = datetime(2026, 1, 5, 14, 30, tzinfo=UTC)
SESSIONS = 40
COUNTS = {
    "configurations": 3,
    "api_keys": 1,
    "denied_tokens": 1,
    "quotas": 1,
    "simulation_results": 1,
    "sweeps": 1,
    "imported_files": 1,
    "tasks": 1,
    "task_runs": 1,
    "audit": 1,
    "audit_anchors": 1,
    "historical_chains": 4,
    "historical_prices": 1,
    "sessions": SESSIONS,
    "answers": 1,
    "work_records": 2,
}
KEY = ApiKey(
    id="k1",
    owner="owner",
    roles=frozenset({"reader"}),
    digest="d" * 64,
    note="",
    created_at=NOW,
    created_by="owner",
    expires_at=None,
    revoked_at=None,
    last_used_at=None,
    replaces=None,
)


async def everything(stores: Stores) -> dict[str, list[object]]:
    """What is stored, kind by kind, but for how long it lives."""
    found: dict[str, list[object]] = {}
    for kind, copied in stores.contents.items():
        items = [item async for batch in copied.read() for item in batch.items]
        found[kind] = sorted((copied.essence(item) for item in items), key=repr)
    return found


def session_store(settings: Settings) -> RedisSessionStore:
    return RedisSessionStore(open_redis(settings.redis), prefix=settings.redis.prefix, ttl_seconds=3600.0)


def stepped(number: int) -> list[Checkpoint]:
    """A session of an owner of its own every fourth time, created and stepped once under a key."""
    rolls = number % 5 == 0
    session = new_session(
        replace(ROLLING if rolls else PARAMETERS, seed=number),
        id=f"session-{number:02d}",
        owner=f"owner-{number % 4}",
        kind=SessionKind.SIMULATION if rolls else SessionKind.CHAIN,
    )
    later = after(session, Advance(f"key-{number}", is_keyed=True))
    return [Checkpoint(session, None), Checkpoint(later, before=session)]


async def save_sessions(settings: Settings, checkpoints: list[Checkpoint]) -> None:
    store = session_store(settings)
    try:
        assert set(await store.save(checkpoints)) == {None}
    finally:
        await store.close()


async def found_session(settings: Settings, session_id: str) -> Session:
    store = session_store(settings)
    try:
        return (await store.get([session_id]))[session_id]
    finally:
        await store.close()


async def filled(settings: Settings) -> None:
    """Store something of everything."""
    for number in range(SESSIONS):
        for checkpoint in stepped(number):
            await save_sessions(settings, [checkpoint])
    answers = RedisAnswers(open_redis(settings.redis), prefix=settings.redis.prefix, max_bytes=1000)
    await answers.finish("owner-1", "key-1", b"r" * 32, b"an answer")
    await answers.close()
    await _fill_mongo(settings)
    sweeps = SweepRecords(f"{settings.data.folder}/sweeps", Unobserved())
    sweeps.begin(SweepRecord(id="w1", owner="owner-1"), {"some": "sweep"})


async def _fill_mongo(settings: Settings) -> None:
    client, database = open_mongo(settings.mongo), settings.mongo.database
    try:
        configurations = MongoConfigRepository(client, database)
        for version in range(3):
            await configurations.save_config(
                "simulator",
                {"simulation_parameters": {"a": version}},
                expected_version=version,
                saved_by="owner",
                saved_at=NOW,
            )
        history = MongoHistoricalRepository(client, database)
        for day in (2, 3, 4):
            await history.save_historical_chain(chain(day=date(2024, 1, day)))
        await history.save_historical_chain(chain(asset="NDX"))
        await history.save_time_series(prices(np.linspace(100.0, 120.0, 900), timeframe=TimeFrame.MINUTE))
        await history.store_simulation_result(result())
        await MongoImportedFiles(client, database).remember(ImportedFile("/f", 1, "1", "as it is"), NOW)
        scheduler = MongoScheduler(client, database, most_of_owner=9, clock=lambda: NOW)
        order = Order(kind="cache_warm", parameters={}, owner="owner", created_by="owner")
        task = await scheduler.schedule_task(order, Schedule(timing=Every(3600.0, NOW)))
        await scheduler.run_now("owner", task)
        await MongoApiKeys(client, database).add(KEY)
        await MongoQuotas(client, database).save(TenantLimits("owner-1", {Quota.SESSIONS: 5}))
        await MongoDenials(client, database).add(denial())
        links = Chain("anna")
        link = links.add(entry())
        await MongoAudit(client, database).append([link], [anchor_of(link, NOW, b"key")])
    finally:
        await client.close()
    index = MongoSweepIndex(settings.mongo)
    index.record("s1", "folder", {"owner": "owner-1", "updated_at": NOW})
    index.close()


def entry() -> AuditEntry:
    return AuditEntry(
        at=NOW,
        action="POST /api/v1/keys",
        target="/api/v1/keys",
        tenant="owner",
        subject="owner",
        address="192.0.2.7",
        status=201,
        request_id="mine",
    )


def denial() -> Denial:
    return Denial(id="d1", kind="subject", value="mallory", made_at=NOW, made_by="owner")


def result() -> SimulationResult:
    return SimulationResult(
        id="session-01-0000000001",
        asset="SPX",
        parameters='{"seed":1}',
        prices=(100.0, 101.0),
        volatilities=(0.2, 0.2),
        stored_by="owner-1",
        stored_at=NOW,
    )
