"""What is saved and brought back: one table, and the stores that it is about, open."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from pymongo import AsyncMongoClient

from adapters.copies import Copied, Item, Wanted
from adapters.files.file_copies import FolderFiles
from adapters.mongo.connection import mongo_errors, open_mongo
from adapters.mongo.copies import STORE, MongoDocuments, PointInTime
from adapters.mongo.history_copies import mongo_chains, mongo_prices
from adapters.redis.connection import RedisClient, open_redis
from adapters.redis.copies import RedisSessions, redis_answers
from cluster.settings import Settings

# Records of work, and its results; what a sweep had computed when it was interrupted is computed again.
RECORDS_OF_WORK = ("*/request.json", "*/state.json", "*/table.parquet", "*/*/sweep.json", "*/*/manifest.json")


def _configuration(item: Item, wanted: Wanted) -> bool:
    return item["name"] == wanted.configuration and wanted.version in (None, item["version"])


def _result(item: Item, wanted: Wanted) -> bool:
    # Ids begin with the session's and a hyphen.
    return item.get("stored_by") == wanted.owner or any(
        item["_id"].startswith(f"{session}-") for session in wanted.sessions
    )


_BY_WRITER: dict[str, Any] = {"identity": ("writer", "number"), "never_changes": True}

DOCUMENTS: Mapping[str, Mapping[str, Any]] = {
    "configurations": {"identity": ("name", "version"), "is_wanted": _configuration},
    # Whatever is brought back, a key that was revoked since stays revoked.
    "api_keys": {"keeps": ("revoked_at",)},
    "denied_tokens": {},
    "quotas": {},
    "simulation_results": {"is_wanted": _result},
    "sweeps": {"identity": ("sweep", "folder")},
    "imported_files": {},
    "tasks": {},
    "task_runs": {},
    "audit": _BY_WRITER,
    "audit_anchors": _BY_WRITER,
}
"""Collections that are saved document by document, in this order; one that does not exist is empty."""

HISTORY: Mapping[str, Callable[[AsyncMongoClient[Item], str, PointInTime], Copied]] = {
    "historical_chains": mongo_chains,
    "historical_prices": mongo_prices,
}
"""Collections that are saved set by set; their heads are saved with them."""

GROW_BY_THEMSELVES = frozenset({"audit", "audit_anchors"})
"""What a service that nobody has used yet writes."""

NOT_SAVED = frozenset({f"{name}_heads" for name in HISTORY} | {"backups"})
"""Collections of ours that are saved with others, or are about the backups themselves."""


@dataclass(frozen=True, slots=True)
class Stores:
    """What can be saved and brought back.

    Attributes:
        contents: By kind, in the order in which they are saved: what is of one point in time first.
        point: Of all in MongoDB.
        source: Whose they are, without passwords.
        mongo: The client.
        database: Its database.
    """

    contents: Mapping[str, Copied]
    point: PointInTime
    source: Mapping[str, str]
    mongo: AsyncMongoClient[Item]
    database: str

    async def unknown_collections(self) -> list[str]:
        """Collections of the database that no kind is about."""
        with mongo_errors(STORE):
            names = await self.mongo[self.database].list_collection_names()
        ours = {*self.contents, *NOT_SAVED}
        return sorted(name for name in names if name not in ours and not name.startswith("system."))

    async def holding(self) -> list[str]:
        """The kinds of which something is stored, but for those that grow by themselves."""
        return [
            kind
            for kind, copied in self.contents.items()
            if kind not in GROW_BY_THEMSELVES and not await copied.is_empty()
        ]


@asynccontextmanager
async def open_stores(settings: Settings, *, name: str, output: str) -> AsyncIterator[Stores]:
    """The stores that the settings name.

    Args:
        settings: With the addresses of both servers.
        name: What to call them, without passwords.
        output: Folder or URL of recorded sweeps.
    """
    mongo, redis = open_mongo(settings.mongo), open_redis(settings.redis)
    point = PointInTime(mongo)
    try:
        yield Stores(
            contents=_in_mongo(mongo, settings.mongo.database, point)
            | _in_redis(redis, settings)
            | {"work_records": FolderFiles(output, RECORDS_OF_WORK)},
            point=point,
            source={
                "stores": name,
                "database": settings.mongo.database,
                "prefix": settings.redis.prefix,
                "work": output,
            },
            mongo=mongo,
            database=settings.mongo.database,
        )
    finally:
        await point.end()
        await mongo.close()
        await redis.aclose()


def _in_mongo(client: AsyncMongoClient[Item], database: str, point: PointInTime) -> dict[str, Copied]:
    documents: dict[str, Copied] = {
        name: MongoDocuments(client, database, name, point, **how) for name, how in DOCUMENTS.items()
    }
    return documents | {name: make(client, database, point) for name, make in HISTORY.items()}


def _in_redis(client: RedisClient, settings: Settings) -> dict[str, Copied]:
    common: dict[str, Any] = {
        "prefix": settings.redis.prefix,
        "timeout_seconds": settings.redis.timeout_seconds,
    }
    return {
        "sessions": RedisSessions(client, keyed_seconds=settings.http.idempotency_seconds, **common),
        "answers": redis_answers(client, **common),
    }
