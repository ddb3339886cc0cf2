"""What became of the backups, in MongoDB, where the watcher of the servers finds it: one document a place."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from pymongo import AsyncMongoClient

from adapters.mongo.connection import agreed, mongo_errors

STORE = "the record of backups"
COLLECTION = "backups"


class MongoBackups:
    """The record of backups.

    Args:
        client: An open client, which others may use too.
        database: Name of the database.
    """

    def __init__(self, client: AsyncMongoClient[dict[str, Any]], database: str) -> None:
        self._places = agreed(client, database, COLLECTION)

    async def saved(self, place: str, instant: datetime, size: int) -> None:
        """Keep that a backup was made.

        Args:
            place: Its URL.
            instant: As of when everything is in it.
            size: Bytes, before they were compressed.

        Raises:
            Unavailable: The server does not answer.
        """
        await self._record(place, {"saved_at": instant, "bytes": size, "problem": None})

    async def failed(self, place: str, problem: str) -> None:
        """Keep that none could be made; errors as of `saved`."""
        await self._record(place, {"problem": problem})

    async def verified(self, place: str, instant: datetime) -> None:
        """Keep that one was proven to come back; errors as of `saved`."""
        await self._record(place, {"verified_at": instant})

    async def listed(self) -> list[dict[str, Any]]:
        """Of each place what is known: `saved_at`, `bytes`, `verified_at`, `problem`; errors as of `saved`."""
        with mongo_errors(STORE):
            return await self._places.find({}).sort("_id").to_list()

    async def _record(self, place: str, facts: Mapping[str, Any]) -> None:
        with mongo_errors(STORE):
            await self._places.update_one(
                {"_id": _without_password(place)}, {"$set": dict(facts)}, upsert=True
            )


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
