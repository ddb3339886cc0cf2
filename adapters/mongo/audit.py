"""The record of who did what in MongoDB: links and anchors are added, never changed, and deleted when they are old."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from pymongo import ASCENDING, DESCENDING, AsyncMongoClient, ReadPreference, UpdateOne

from adapters.mongo.connection import durable, mongo_errors
from optionchain.access.audit import Anchor, AuditEntry, Link
from optionchain.ports import AuditQuery

# As its callers know it, in messages.
STORE = "the audit log"


class MongoAudit:
    """The `AuditRepository` on MongoDB.

    Args:
        client: An open client, which others may use too.
        database: Name of the database.
    """

    def __init__(self, client: AsyncMongoClient[dict[str, Any]], database: str) -> None:
        options: dict[str, Any] = {
            "read_preference": ReadPreference.PRIMARY,
            "write_concern": durable(client),
        }
        self._links = client[database].get_collection("audit", **options)
        self._anchors = client[database].get_collection("audit_anchors", **options)
        self._preparing = asyncio.Lock()
        self._is_prepared = False

    async def append(self, links: Sequence[Link], anchors: Sequence[Anchor]) -> None:
        # Inserted unless it is there: after a lost answer the same is sent again.
        with mongo_errors(STORE):
            await self._prepare()
            if links:
                await self._links.bulk_write([_insertion(_link_document(each)) for each in links])
            if anchors:
                await self._anchors.bulk_write([_insertion(asdict(each)) for each in anchors])

    async def listed(self, query: AuditQuery, *, offset: int, limit: int) -> tuple[int, Sequence[AuditEntry]]:
        condition = _condition(query)
        with mongo_errors(STORE):
            total = await self._links.count_documents(condition)
            order = [("entry.at", DESCENDING), ("number", DESCENDING)]
            found = await self._links.find(condition).sort(order).skip(offset).limit(limit).to_list()
        return total, [AuditEntry(**document["entry"]) for document in found]

    async def writers(self) -> Sequence[str]:
        with mongo_errors(STORE):
            of_links, of_anchors = (
                await self._links.distinct("writer"),
                await self._anchors.distinct("writer"),
            )
        return sorted({*of_links, *of_anchors})

    async def chain(self, writer: str) -> tuple[Sequence[Link], Sequence[Anchor]]:
        order = [("number", ASCENDING)]
        with mongo_errors(STORE):
            links = await self._links.find({"writer": writer}, {"_id": False}).sort(order).to_list()
            anchors = await self._anchors.find({"writer": writer}, {"_id": False}).sort(order).to_list()
        return [_link(each) for each in links], [Anchor(**each) for each in anchors]

    async def forget(self, before: datetime) -> int:
        with mongo_errors(STORE):
            deleted = await self._links.delete_many({"entry.at": {"$lt": before}})
            await self._anchors.delete_many({"at": {"$lt": before}})
        return deleted.deleted_count

    async def _prepare(self) -> None:
        """Make the indexes, once in each process and before its first write."""
        async with self._preparing:
            if not self._is_prepared:
                for collection in (self._links, self._anchors):
                    await collection.create_index([("writer", ASCENDING), ("number", ASCENDING)], unique=True)
                await self._links.create_index([("entry.at", DESCENDING)])
                self._is_prepared = True


def _insertion(document: dict[str, Any]) -> UpdateOne:
    identity = {"writer": document["writer"], "number": document["number"]}
    return UpdateOne(identity, {"$setOnInsert": document}, upsert=True)


def _link_document(link: Link) -> dict[str, Any]:
    return asdict(link)


def _link(document: Mapping[str, Any]) -> Link:
    return Link(**{**document, "entry": AuditEntry(**document["entry"])})


def _condition(query: AuditQuery) -> dict[str, Any]:
    condition: dict[str, Any] = {}
    if query.since is not None or query.until is not None:
        bounds = {"$gte": query.since, "$lt": query.until}
        condition["entry.at"] = {name: bound for name, bound in bounds.items() if bound is not None}
    # `$eq`: whatever a caller gives is compared, and is no operator.
    condition |= {
        f"entry.{name}": {"$eq": value}
        for name, value in (("tenant", query.tenant), ("status", query.status))
        if value is not None
    }
    return condition
