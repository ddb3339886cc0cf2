"""What Redis and MongoDB are asked, and how they are, is told: by real servers."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest
from pydantic import SecretStr

from adapters.metrics.server_watch import ServerWatch
from adapters.mongo.backups import MongoBackups
from adapters.mongo.config import MongoConfigRepository
from adapters.mongo.connection import open_mongo
from adapters.redis.cache import RedisCacheService
from adapters.redis.connection import open_redis
from adapters.redis.session_store import RedisSessionStore
from adapters.settings import MongoSettings, RedisSettings
from cluster.instance.ports import free_ports
from optionchain.errors import NotFound, Unavailable
from optionchain.ports import Checkpoint
from tests.integration.sessions.session_examples import new_session
from tests.recording import Recording
from tests.servers import redis_server

pytestmark = pytest.mark.anyio


async def test_each_command_of_ours_is_told_with_its_collection(mongo: MongoSettings) -> None:
    observer = Recording()
    repository = MongoConfigRepository(open_mongo(mongo, observer), mongo.database)
    try:
        await repository.save_config(
            "simulator", {"a": 1}, expected_version=0, saved_by="anna", saved_at=datetime.now(UTC)
        )
        await repository.get_config("simulator")
        with pytest.raises(NotFound):
            await repository.get_config("nothing")
    finally:
        await repository.close()

    told = [(each.facts["command"], each.facts["collection"]) for each in observer.ended]
    assert ("find", told[0][1]) in told
    assert {command for command, _ in told} & {"insert", "update", "findAndModify"}
    assert "" not in {collection for _, collection in told}
    assert all(0.0 < each.seconds < 20.0 for each in observer.ended)
    assert len(observer.begun) == len(observer.ended)


async def test_a_command_that_a_server_refuses_is_told_without_its_words(mongo: MongoSettings) -> None:
    observer = Recording()
    client = open_mongo(mongo, observer)
    try:
        with pytest.raises(Exception, match="secret-word"):
            await client[mongo.database].command("aggregate", "x", pipeline=[{"$secret-word": 1}], cursor={})
    finally:
        await client.close()

    operation, error = observer.failure("mongodb.call")
    assert (operation.facts["command"], operation.facts["collection"]) == ("aggregate", "x")
    assert isinstance(error, Unavailable)
    assert "secret-word" not in str(error)


@pytest.fixture
async def watched(mongo: MongoSettings, tmp_path):
    with redis_server(tmp_path) as redis:
        observer = Recording()
        watch = ServerWatch(redis.open(), open_mongo(mongo), observer, prefix="t")
        yield redis, watch, observer
        await watch.close()


async def test_the_watch_tells_how_the_servers_are_and_how_many_sessions_there_are(watched) -> None:
    redis, watch, observer = watched
    store = RedisSessionStore(redis.open(), prefix="t")
    sessions = [new_session(owner=owner) for owner in ("anna", "anna", "ben")]
    await store.save([Checkpoint(session, None) for session in sessions])
    await store.close()

    await watch.look()

    assert ("server.up", {"server": "redis"}) in observer.labels
    assert observer.counts["server.up"] == 2.0
    assert time.time() - observer.levels["server.seen"] < 60.0
    assert observer.levels["session.alive"] == 3.0
    assert observer.levels["redis.memory_bytes"] > 1e5
    assert observer.levels["redis.evicted_keys"] == observer.levels["redis.replicas"] == 0.0
    assert 1.0 <= observer.levels["redis.connections"] < observer.levels["redis.max_connections"]


async def test_the_watch_tells_how_old_the_backups_are(watched, mongo: MongoSettings) -> None:
    redis, _, observer = watched
    saved, verified = datetime(2026, 1, 5, tzinfo=UTC), datetime(2026, 1, 6, tzinfo=UTC)
    client = open_mongo(mongo)
    record = MongoBackups(client, mongo.database)
    await record.saved("s3://name:word@bucket/x", saved, 7_000)
    await record.verified("s3://name:word@bucket/x", verified)
    watch = ServerWatch(redis.open(), open_mongo(mongo), observer, prefix="t", database=mongo.database)

    await watch.look()

    assert observer.levels["backup.saved"] == saved.timestamp()
    assert observer.levels["backup.verified"] == verified.timestamp()
    assert observer.levels["backup.bytes"] == 7_000.0
    assert ("backup.saved", {"place": "s3://bucket/x"}) in observer.labels
    await watch.close()
    await client.close()


async def test_a_place_where_no_backup_could_be_made_is_told_too(watched, mongo: MongoSettings) -> None:
    redis, _, observer = watched
    client = open_mongo(mongo)
    await MongoBackups(client, mongo.database).failed("/never", "no room")
    watch = ServerWatch(redis.open(), open_mongo(mongo), observer, prefix="t", database=mongo.database)

    await watch.look()

    assert observer.levels["backup.saved"] == 0.0
    assert ("backup.verified", {"place": "/never"}) in observer.labels
    await watch.close()
    await client.close()


async def test_the_watch_of_a_replica_set_tells_of_its_oplog(mongod_uri: str, tmp_path) -> None:
    with redis_server(tmp_path) as redis:
        observer = Recording()
        client = open_mongo(MongoSettings(uri=SecretStr(mongod_uri), timeout_seconds=20))
        await client["watched"]["something"].insert_one({})
        watch = ServerWatch(redis.open(), client, observer, database="watched")
        await watch.look()
        await client.drop_database("watched")
        await watch.close()

    assert observer.levels["mongodb.oplog_seconds"] >= 0.0
    assert 1.0 <= observer.levels["mongodb.connections"] < observer.levels["mongodb.max_connections"]
    assert observer.levels["mongodb.page_faults"] >= 0.0
    assert observer.levels["mongodb.disk_free_bytes"] > 1e6
    assert "mongodb.replica_lag_seconds" not in observer.levels, "one alone is behind nobody"


async def test_servers_that_are_down_are_told_to_be() -> None:
    redis_port, mongo_port = free_ports(2)
    redis = RedisSettings(url=SecretStr(f"redis://127.0.0.1:{redis_port}"), timeout_seconds=0.5, retries=0)
    mongo = MongoSettings(uri=SecretStr(f"mongodb://127.0.0.1:{mongo_port}"), timeout_seconds=0.5)
    observer = Recording()
    watch = ServerWatch(open_redis(redis), open_mongo(mongo), observer)
    await watch.look()
    await watch.close()

    assert sorted(observer.labels, key=str) == [
        ("server.up", {"server": "mongodb"}),
        ("server.up", {"server": "redis"}),
    ]
    assert observer.counts["server.up"] == 0.0


async def test_the_cache_tells_what_is_found_where(tmp_path) -> None:
    observer = Recording()
    with redis_server(tmp_path) as redis:
        cache = RedisCacheService(redis.open(), observer=observer)
        await cache.get("history:chain:SPX:2024-01-02")
        await cache.set("config:simulator", b"x", 60.0)
        await cache.get("config:simulator")
        await cache.close()

    assert ("cache.misses", {"kind": "chain"}) in observer.labels
    assert [labels["kind"] for name, labels in observer.labels if name == "cache.hits"] == ["config"]
    calls = [each.facts["operation"] for each in observer.ended if each.name == "redis.call"]
    # What was just written is known without asking, where Redis is listened to already.
    assert calls[:2] == ["cache.read", "cache.write"]
    assert set(calls[2:]) <= {"cache.read"}
