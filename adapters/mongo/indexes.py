"""The unique indexes without which two writers of MongoDB could both be right: for whoever examines an installation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pymongo.asynchronous.database import AsyncDatabase

from adapters.mongo.history_documents import CHAIN_IDENTITY, PRICE_IDENTITY

# By collection; each is made by the adapter of the collection, before its first write.
UNIQUE_INDEXES: Mapping[str, tuple[str, ...]] = {
    "api_keys": ("digest",),
    "audit": ("writer", "number"),
    "audit_anchors": ("writer", "number"),
    "configurations": ("name", "version"),
    "historical_chains_heads": tuple(CHAIN_IDENTITY),
    "historical_prices_heads": tuple(PRICE_IDENTITY),
    "sweeps": ("sweep", "folder"),
}


async def unindexed(database: AsyncDatabase[dict[str, Any]]) -> tuple[str, ...]:
    """The collections that are there without theirs, as after a restore by hand.

    Args:
        database: Ours.

    Raises:
        PyMongoError: The server does not answer.
    """
    there = set(await database.list_collection_names())
    lacking = []
    for name in sorted(there & UNIQUE_INDEXES.keys()):
        indexes = (await database[name].index_information()).values()
        unique = {tuple(field for field, _ in index["key"]) for index in indexes if index.get("unique")}
        if UNIQUE_INDEXES[name] not in unique:
            lacking.append(name)
    return tuple(lacking)
