"""Denied tokens in MongoDB: a document for each that is denied."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from pymongo import DESCENDING, AsyncMongoClient

from adapters.mongo.connection import agreed, mongo_errors
from optionchain.access.denials import Denial
from optionchain.errors import NotFound

# As its callers know it, in messages.
STORE = "the list of denied tokens"


class MongoDenials:
    """The `DenialRepository` on MongoDB.

    Args:
        client: An open client, which others may use too.
        database: Name of the database.
    """

    def __init__(self, client: AsyncMongoClient[dict[str, Any]], database: str) -> None:
        self._denials = agreed(client, database, "denied_tokens")

    async def add(self, denial: Denial) -> None:
        document = asdict(denial)
        with mongo_errors(STORE):
            await self._denials.insert_one({"_id": document.pop("id"), **document})

    async def listed(self, instant: datetime, *, limit: int) -> Sequence[Denial]:
        counts = {"$or": [{"until": None}, {"until": {"$gt": instant}}]}
        with mongo_errors(STORE):
            found = await self._denials.find(counts).sort([("made_at", DESCENDING)]).limit(limit).to_list()
        return [_denial(document) for document in found]

    async def remove(self, denial_id: str) -> Denial:
        with mongo_errors(STORE):
            document = await self._denials.find_one_and_delete({"_id": denial_id})
        if document is None:
            raise NotFound("denial", denial_id)
        return _denial(document)


def _denial(document: dict[str, Any]) -> Denial:
    return Denial(id=document.pop("_id"), **document)
