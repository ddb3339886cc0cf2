"""How history is spread over the shards of MongoDB: by the fields that identify a chain or a stretch of prices.

The key of a time-series collection may be fields of its `metaField`, and such a collection has no zones. What is read
together stays together: an asset's days are a range of the key.
"""

from __future__ import annotations

from typing import Any

from pymongo import AsyncMongoClient

from adapters.mongo.connection import mongo_errors
from adapters.mongo.history_documents import CHAIN_IDENTITY, PRICE_IDENTITY
from adapters.mongo.revisions import TIME_SERIES
from optionchain.errors import InvalidInput

STORE = "the MongoDB that is to be sharded"
COLLECTIONS = {"historical_chains": CHAIN_IDENTITY, "historical_prices": PRICE_IDENTITY}


def shard_commands(database: str) -> list[dict[str, Any]]:
    """What a mongos is told, in order, against its database ``admin``.

    Args:
        database: The name of ours.
    """
    commands: list[dict[str, Any]] = [{"enableSharding": database}]
    for name, identity in COLLECTIONS.items():
        # The heads' unique index begins with the same fields, as that of a sharded collection must.
        heads = dict.fromkeys(identity, 1)
        series = {f"{TIME_SERIES['metaField']}.{field}": 1 for field in identity}
        commands += [
            {"shardCollection": f"{database}.{name}_heads", "key": heads, "unique": True},
            {"shardCollection": f"{database}.{name}", "key": series, "timeseries": dict(TIME_SERIES)},
        ]
    return commands


async def shard(client: AsyncMongoClient[dict[str, Any]], database: str) -> None:
    """Tell it to a mongos.

    Args:
        client: An open client.
        database: The name of ours.

    Raises:
        InvalidInput: What answers is no mongos.
        Unavailable: It does not answer, or refuses.
    """
    with mongo_errors(STORE):
        if (await client.admin.command("hello")).get("msg") != "isdbgrid":
            raise InvalidInput("OCS_MONGO_URI", "leads to no mongos: only that shards; nothing was done")
        for command in shard_commands(database):
            await client.admin.command(command)
