"""Watches Redis and MongoDB for the whole cluster, and tells how they are.

Ours rather than exporters beside them, so that a local instance and a managed server, where none can stand, are watched
alike. One process of the cluster does it, in a thread with an event loop of its own: the servers may hang.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from pymongo import AsyncMongoClient
from pymongo.errors import PyMongoError

from adapters.certificates import tell_expiry
from adapters.mongo.backups import MongoBackups
from adapters.mongo.connection import open_mongo
from adapters.mongo.members import members_of
from adapters.redis.connection import RedisClient, open_redis
from adapters.settings import MongoSettings, RedisSettings
from optionchain.observing import Observer
from optionchain.session import SessionKind

# Within the time in which Ray forgets a level, even where both servers hang.
LOOK_SECONDS = 5.0


def watch_servers(
    redis: RedisSettings, mongo: MongoSettings, certificates: Mapping[str, Path], observer: Observer
) -> None:
    """Watch them, and when certificates expire, from now on, as long as this process lives."""

    async def watch() -> None:
        eye = ServerWatch(
            open_redis(redis), open_mongo(mongo), observer, prefix=redis.prefix, database=mongo.database
        )
        while True:
            await eye.look()
            tell_expiry(certificates, observer)
            await asyncio.sleep(LOOK_SECONDS)

    threading.Thread(target=lambda: asyncio.run(watch()), name="servers", daemon=True).start()


class ServerWatch:
    """Looks at both servers.

    Args:
        redis: An open client.
        mongo: An open client.
        observer: Told of ``server.*``, ``redis.*``, ``mongodb.*``, ``backup.*`` and ``session.alive``.
        prefix: Of the keys in Redis.
        database: Of ours in MongoDB.
        clock: Unix time in seconds.
    """

    def __init__(
        self,
        redis: RedisClient,
        mongo: AsyncMongoClient[dict[str, Any]],
        observer: Observer,
        *,
        prefix: str = "ocs",
        database: str = "optionchain",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._redis = redis
        self._mongo = mongo
        self._observer = observer
        self._prefix = prefix
        self._database = database
        self._backups = MongoBackups(mongo, database)
        self._clock = clock

    async def look(self) -> None:
        """Look once, and tell; a server that does not answer is told to be down."""
        await asyncio.gather(
            self._attempt("redis", self._look_at_redis), self._attempt("mongodb", self._look_at_mongo)
        )

    async def close(self) -> None:
        """Release the connections."""
        await self._redis.aclose()
        await self._mongo.close()

    async def _attempt(self, server: str, look: Callable[[], Awaitable[None]]) -> None:
        try:
            await look()
        except Exception:
            self._observer.counted("server.up", 0.0, server=server)
        else:
            self._observer.counted("server.up", 1.0, server=server)
            self._observer.counted("server.seen", self._clock(), server=server)

    async def _look_at_redis(self) -> None:
        infos = _of_each_node(await self._redis.info())
        figures = {
            "redis.memory_bytes": sum(info["used_memory"] for info in infos),
            "redis.max_memory_bytes": sum(info.get("maxmemory", 0) for info in infos),
            "redis.fragmentation": max(info.get("mem_fragmentation_ratio", 1.0) for info in infos),
            "redis.evicted_keys": sum(info.get("evicted_keys", 0) for info in infos),
            "redis.connections": max(info.get("connected_clients", 0) for info in infos),
            "redis.max_connections": max(info.get("maxclients", 0) for info in infos),
            "redis.replicas": sum(info.get("connected_slaves", 0) for info in infos),
            "session.alive": await self._alive(),
        }
        lags = [replica["lag"] for info in infos for replica in _replicas(info)]
        if lags:
            figures["redis.replica_lag_seconds"] = max(lags)
        for quantity, amount in figures.items():
            self._observer.counted(quantity, float(amount))

    async def _alive(self) -> int:
        """Sessions of all owners: see the keys of `adapters.redis.session_store`."""
        client: Any = self._redis
        places = [f"{{{self._prefix}:owners}}-{state}" for state in ("due", "claimed")]
        owners = {owner.decode() for place in places for owner in await client.zrange(place, 0, -1)}
        pipeline = client.pipeline(transaction=False)
        for owner in owners:
            for kind in SessionKind:
                pipeline.zcount(
                    f"{self._prefix}:active:{{{owner}}}:{kind.value}", f"({self._clock()}", "+inf"
                )
        return sum(await pipeline.execute())

    async def _look_at_mongo(self) -> None:
        await self._mongo.admin.command("ping")
        # Not every server of the protocol, and not every user, can tell more.
        for look in (self._look_at_load, self._look_at_disk, self._look_at_replica_set, self._look_at_oplog):
            with contextlib.suppress(PyMongoError, KeyError, ValueError):
                await look()
        await self._look_at_backups()

    async def _look_at_load(self) -> None:
        status = await self._mongo.admin.command("serverStatus")
        connections = status["connections"]
        self._observer.counted("mongodb.connections", float(connections["current"]))
        most = connections["current"] + connections["available"]
        self._observer.counted("mongodb.max_connections", float(most))
        self._observer.counted("mongodb.page_faults", float(status["extra_info"]["page_faults"]))

    async def _look_at_disk(self) -> None:
        told = await self._mongo[self._database].command("dbStats")
        if told["fsTotalSize"]:  # else it is told of a database that is not there yet
            self._observer.counted("mongodb.disk_free_bytes", float(told["fsTotalSize"] - told["fsUsedSize"]))

    async def _look_at_backups(self) -> None:
        for place in await self._backups.listed():
            for quantity, instant in (
                ("backup.saved", place.get("saved_at")),
                ("backup.verified", place.get("verified_at")),
            ):
                # Where there never was one, none is older.
                seconds = instant.timestamp() if instant else 0.0
                self._observer.counted(quantity, seconds, place=place["_id"])
            self._observer.counted("backup.bytes", float(place.get("bytes", 0)), place=place["_id"])

    async def _look_at_replica_set(self) -> None:
        members = await members_of(self._mongo)
        if len(members) > 1:
            behind = max(member.seconds_behind for member in members)
            self._observer.counted("mongodb.replica_lag_seconds", behind)
        hidden = [member.seconds_behind for member in members if member.is_hidden]
        if hidden:
            self._observer.counted("mongodb.standby_lag_seconds", max(hidden))

    async def _look_at_oplog(self) -> None:
        oplog = self._mongo["local"]["oplog.rs"]
        first, last = [await oplog.find_one(sort=[("$natural", order)]) for order in (1, -1)]
        if first and last:
            self._observer.counted("mongodb.oplog_seconds", float(last["ts"].time - first["ts"].time))


def _of_each_node(answer: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """What a server says of itself, or each of a Redis Cluster."""
    return [answer] if "used_memory" in answer else list(answer.values())


def _replicas(info: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [
        value
        for key, value in info.items()
        if key.startswith("slave") and isinstance(value, Mapping) and "lag" in value
    ]
