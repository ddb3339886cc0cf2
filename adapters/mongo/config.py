"""Configurations in MongoDB: one immutable document a version, so that a lost race is a duplicate key.

The unique index on (name, version) is the only lock: of two writers that expect the same latest version, both
insert the next one, and the server accepts one of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from pymongo import ASCENDING, DESCENDING, AsyncMongoClient
from pymongo.errors import DuplicateKeyError

from adapters.mongo.connection import agreed, mongo_errors
from optionchain.configuration.parameters import ConfiguredParameter, configured_parameter
from optionchain.configuration.versions import Configuration, ConfigurationSummary, configuration_name
from optionchain.declared.checks import whole
from optionchain.errors import Conflict, InvalidInput, NotFound
from optionchain.wire.instants import whole_milliseconds

MAX_VERSION = 2**31 - 1
MAX_HISTORY = 1000
# A change is announced by the server as soon as a majority has it; this only bounds one round of waiting.
AWAIT_MILLISECONDS = 500

# As its callers know it, in messages.
STORE = "the configuration store"


class MongoConfigRepository:
    """The `ConfigRepository` on MongoDB.

    Args:
        client: An open client; closed by `close`.
        database: Name of the database.
    """

    def __init__(self, client: AsyncMongoClient[dict[str, Any]], database: str) -> None:
        self._client = client
        self._versions = agreed(client, database, "configurations")
        self._preparing = asyncio.Lock()
        self._is_prepared = False

    async def get_config(self, name: str, version: int | None = None) -> Configuration:
        condition: dict[str, Any] = {"name": configuration_name(name)}
        if version is not None:
            condition["version"] = whole("version", version, low=1, high=MAX_VERSION)
        with mongo_errors(STORE):
            document = await self._versions.find_one(condition, sort=[("version", DESCENDING)])
        if document is None:
            raise NotFound("configuration", name if version is None else f"{name} version {version}")
        return _configuration(document)

    async def get_parameter(self, name: str, key: str) -> ConfiguredParameter:
        try:
            stored = await self.get_config(name)
        except NotFound:
            return configured_parameter(name, key, {}, 0)
        return configured_parameter(name, key, stored.values, stored.version)

    async def save_config(
        self,
        name: str,
        values: Mapping[str, Any],
        *,
        expected_version: int,
        saved_by: str,
        saved_at: datetime,
        is_secret: bool = False,
    ) -> Configuration:
        expected_version = whole("expected_version", expected_version, low=0, high=MAX_VERSION - 1)
        configuration = Configuration(
            name=name,
            version=expected_version + 1,
            values=values,
            saved_by=saved_by,
            saved_at=_kept(saved_at),
            is_secret=is_secret,
        )
        with mongo_errors(STORE):
            await self._prepare()
            latest = await self._latest(name)
            if latest["version"] != expected_version:
                raise Conflict("configuration", name)
            if latest.get("is_secret") and not is_secret:
                raise InvalidInput("secret", "must be true: the version before was secret")
            try:
                await self._versions.insert_one(_document(configuration))
            except DuplicateKeyError:
                raise Conflict("configuration", name) from None
        return configuration

    async def list_configurations(self) -> Sequence[ConfigurationSummary]:
        pipeline: list[dict[str, Any]] = [
            {"$sort": {"name": 1, "version": -1}},
            {
                "$group": {
                    "_id": "$name",
                    "version": {"$first": "$version"},
                    "saved_by": {"$first": "$saved_by"},
                    "saved_at": {"$first": "$saved_at"},
                }
            },
            {"$sort": {"_id": 1}},
        ]
        with mongo_errors(STORE):
            rows = await (await self._versions.aggregate(pipeline)).to_list()
        return [
            ConfigurationSummary(row["_id"], row["version"], row["saved_by"], row["saved_at"]) for row in rows
        ]

    async def get_config_history(self, name: str, *, limit: int = 100) -> Sequence[Configuration]:
        whole("limit", limit, low=1, high=MAX_HISTORY)
        cursor = self._versions.find({"name": configuration_name(name)})
        with mongo_errors(STORE):
            documents = await cursor.sort("version", DESCENDING).limit(limit).to_list()
        if not documents:
            raise NotFound("configuration", name)
        return [_configuration(document) for document in documents]

    async def changes(self) -> AsyncGenerator[tuple[str, int] | None, None]:
        inserted: list[dict[str, Any]] = [
            {"$match": {"operationType": "insert"}},
            {"$project": {"fullDocument.name": 1, "fullDocument.version": 1}},
        ]
        with mongo_errors(STORE):
            await self._prepare()
            async with await self._versions.watch(inserted, max_await_time_ms=AWAIT_MILLISECONDS) as stream:
                yield None
                async for change in stream:
                    yield change["fullDocument"]["name"], change["fullDocument"]["version"]

    async def ping(self) -> None:
        """Raise `Unavailable` unless the server answers."""
        with mongo_errors(STORE):
            await self._client.admin.command("ping")

    async def close(self) -> None:
        """Release the connections."""
        await self._client.close()

    async def secret_versions(self) -> Sequence[Configuration]:
        """Every version of every secret configuration, as it is stored."""
        with mongo_errors(STORE):
            documents = await self._versions.find({"is_secret": True}).to_list()
        return [_configuration(document) for document in documents]

    async def replace_values(self, configuration: Configuration) -> None:
        """Put the same values, encrypted by another key, in the place of those that a version has."""
        version = {"name": configuration.name, "version": configuration.version, "is_secret": True}
        with mongo_errors(STORE):
            await self._versions.update_one(version, {"$set": {"values": configuration.values}})

    async def _latest(self, name: str) -> Mapping[str, Any]:
        shown = {"version": 1, "is_secret": 1}
        latest = await self._versions.find_one({"name": name}, shown, sort=[("version", DESCENDING)])
        return latest or {"version": 0}

    async def _prepare(self) -> None:
        """Make the index, once in each process and before its first write."""
        async with self._preparing:
            if not self._is_prepared:
                await self._versions.create_index([("name", ASCENDING), ("version", ASCENDING)], unique=True)
                self._is_prepared = True


def _document(configuration: Configuration) -> dict[str, Any]:
    return {
        "name": configuration.name,
        "version": configuration.version,
        "values": configuration.values,
        "saved_by": configuration.saved_by,
        "saved_at": configuration.saved_at,
        **({"is_secret": True} if configuration.is_secret else {}),
    }


def _configuration(document: Mapping[str, Any]) -> Configuration:
    fields = {name: document[name] for name in ("name", "version", "values", "saved_by", "saved_at")}
    return Configuration(**fields, is_secret=document.get("is_secret", False))


def _kept(instant: datetime) -> datetime:
    if instant.tzinfo is None:
        raise InvalidInput("saved_at", "must have a UTC offset")
    return whole_milliseconds(instant.astimezone(UTC))
