"""The index of sweeps in MongoDB: one document for each sweep and folder, changed in place."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from pymongo import ASCENDING, DESCENDING, MongoClient

from adapters.mongo.connection import client_options, durable, mongo_errors
from adapters.settings import MongoSettings

# A sweep has one driver, which writes one document every few seconds.
CONNECTIONS = 2

# As its callers know it, in messages.
STORE = "the index of sweeps"


class MongoSweepIndex:
    """The `SweepIndex` on MongoDB. Its driver blocks, as a sweep's own driver does.

    Args:
        settings: Where MongoDB is.

    Raises:
        ValueError: The settings have no URI.
    """

    def __init__(self, settings: MongoSettings) -> None:
        self._client: MongoClient[dict[str, Any]] = MongoClient(
            **client_options(settings), maxPoolSize=CONNECTIONS
        )
        self._sweeps = self._client[settings.database].get_collection(
            "sweeps", write_concern=durable(self._client)
        )
        self._is_prepared = False

    def record(self, sweep: str, folder: str | None, facts: Mapping[str, Any]) -> None:
        """Make the document of a sweep, or change it.

        Raises:
            Unavailable: The server does not answer.
        """
        with mongo_errors(STORE):
            self._prepare()
            self._sweeps.update_one(
                {"sweep": sweep, "folder": folder},
                {"$set": dict(facts), "$setOnInsert": {"started_at": datetime.now(UTC)}},
                upsert=True,
            )

    def forget(self, folder: str) -> None:
        """Remove the documents of the sweeps below a folder.

        Raises:
            Unavailable: The server does not answer.
        """
        with mongo_errors(STORE):
            self._sweeps.delete_many({"folder": {"$regex": "^" + re.escape(folder + "/")}})

    def close(self) -> None:
        """Release the connections."""
        self._client.close()

    def _prepare(self) -> None:
        """Make the indexes, once in each process and before its first write."""
        if not self._is_prepared:
            self._sweeps.create_index([("sweep", ASCENDING), ("folder", ASCENDING)], unique=True)
            self._sweeps.create_index([("owner", ASCENDING), ("updated_at", DESCENDING)])
            self._is_prepared = True
