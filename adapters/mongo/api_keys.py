"""API keys in MongoDB: one document a key, without its secret."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pymongo import ASCENDING, DESCENDING, AsyncMongoClient, ReturnDocument, UpdateOne

from adapters.mongo.connection import agreed, mongo_errors
from optionchain.access.api_keys import ApiKey
from optionchain.errors import NotFound

# As its callers know it, in messages.
STORE = "the list of API keys"


class MongoApiKeys:
    """The `KeyRepository` on MongoDB.

    Args:
        client: An open client, which others may use too.
        database: Name of the database.
    """

    def __init__(self, client: AsyncMongoClient[dict[str, Any]], database: str) -> None:
        self._keys = agreed(client, database, "api_keys")
        self._preparing = asyncio.Lock()
        self._is_prepared = False

    async def add(self, key: ApiKey) -> None:
        with mongo_errors(STORE):
            await self._prepare()
            await self._keys.insert_one(_document(key))

    async def get(self, key_id: str) -> ApiKey:
        with mongo_errors(STORE):
            document = await self._keys.find_one({"_id": key_id})
        return _found(document, key_id)

    async def working(self, instant: datetime, *, limit: int) -> Sequence[ApiKey]:
        ends_later = {"$or": [{"expires_at": None}, {"expires_at": {"$gt": instant}}]}
        with mongo_errors(STORE):
            documents = await self._keys.find({"revoked_at": None, **ends_later}).limit(limit).to_list()
        return [_key(document) for document in documents]

    async def listed(self, *, offset: int, limit: int) -> tuple[int, Sequence[ApiKey]]:
        with mongo_errors(STORE):
            total = await self._keys.count_documents({})
            order = [("created_at", DESCENDING), ("_id", ASCENDING)]
            documents = await self._keys.find({}).sort(order).skip(offset).limit(limit).to_list()
        return total, [_key(document) for document in documents]

    async def revoke(self, key_id: str, instant: datetime) -> ApiKey:
        with mongo_errors(STORE):
            document = await self._keys.find_one_and_update(
                {"_id": key_id, "revoked_at": None},
                {"$set": {"revoked_at": instant}},
                return_document=ReturnDocument.AFTER,
            )
        return await self.get(key_id) if document is None else _key(document)

    async def expire(self, key_id: str, instant: datetime) -> None:
        ends_later = {"$or": [{"expires_at": None}, {"expires_at": {"$gt": instant}}]}
        with mongo_errors(STORE):
            await self._keys.update_one({"_id": key_id, **ends_later}, {"$set": {"expires_at": instant}})

    async def used(self, instants: Mapping[str, datetime]) -> None:
        changes = [
            UpdateOne({"_id": key_id}, {"$max": {"last_used_at": instant}})
            for key_id, instant in instants.items()
        ]
        if changes:
            with mongo_errors(STORE):
                await self._keys.bulk_write(changes, ordered=False)

    async def _prepare(self) -> None:
        """Make the indexes, once in each process and before its first write."""
        async with self._preparing:
            if not self._is_prepared:
                await self._keys.create_index([("digest", ASCENDING)], unique=True)
                await self._keys.create_index([("created_at", DESCENDING), ("_id", ASCENDING)])
                self._is_prepared = True


FIELDS = (
    "owner",
    "digest",
    "note",
    "created_at",
    "created_by",
    "expires_at",
    "revoked_at",
    "last_used_at",
    "replaces",
)


def _document(key: ApiKey) -> dict[str, Any]:
    sets = {"roles": sorted(key.roles), "scopes": sorted(key.scopes)}
    return {"_id": key.id, **sets, **{name: getattr(key, name) for name in FIELDS}}


def _found(document: dict[str, Any] | None, key_id: str) -> ApiKey:
    if document is None:
        raise NotFound("API key", key_id)
    return _key(document)


def _key(document: Mapping[str, Any]) -> ApiKey:
    fields = {name: document[name] for name in FIELDS}
    # Keys of release 0.1.0 have no scopes.
    roles, scopes = frozenset(document["roles"]), frozenset(document.get("scopes", ()))
    return ApiKey(id=document["_id"], roles=roles, scopes=scopes, **fields)
