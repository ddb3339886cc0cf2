"""The second site takes over: only where the first is silent, for two that take writes are worse than none."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from pymongo import AsyncMongoClient

from adapters.mongo.connection import open_mongo
from adapters.redis.connection import RedisClient, open_redis
from adapters.standby import Copy, mongo_copy, promote_mongo, promote_redis, redis_copy
from cluster.settings import Settings
from optionchain.errors import InvalidInput

ELECTION_SECONDS = 30.0


async def copies(settings: Settings) -> Mapping[str, Copy]:
    """How the stores of the settings, which are those of the second site, follow the first: ``redis`` and ``mongo``.

    Raises:
        InvalidInput: MongoDB is no member of a replica set.
        Unavailable: One does not answer.
    """
    async with _opened(settings) as (redis, mongo):
        return {
            "redis": await redis_copy(redis, settings.redis.timeout_seconds),
            "mongo": await mongo_copy(mongo),
        }


async def promote(settings: Settings, *, is_forced: bool = False) -> Mapping[str, Copy]:
    """Let the stores of the settings follow nobody and take writes; done twice, it is as good as once.

    Args:
        settings: Whose stores are those of the second site.
        is_forced: Whether to do so though the first still answers them.

    Returns:
        How they followed the first before.

    Raises:
        InvalidInput: The first site still answers; nothing was changed.
        Unavailable: A store does not answer.
    """
    async with _opened(settings) as (redis, mongo):
        patience = settings.redis.timeout_seconds
        before = {"redis": await redis_copy(redis, patience), "mongo": await mongo_copy(mongo)}
        hearing = [name for name, copy in before.items() if copy.hears_the_first]
        if hearing and not is_forced:
            raise InvalidInput(
                "site",
                f"still hears the first one ({', '.join(hearing)}): two would take writes. Stop the first, and wait "
                "until it is silent; --force promotes all the same",
            )
        if not before["redis"].is_first:
            await promote_redis(redis, patience)
        if not before["mongo"].is_first:
            await promote_mongo(mongo, ELECTION_SECONDS)
        return before


@asynccontextmanager
async def _opened(settings: Settings) -> AsyncIterator[tuple[RedisClient, AsyncMongoClient[dict[str, Any]]]]:
    redis, mongo = open_redis(settings.redis), open_mongo(settings.mongo)
    try:
        yield redis, mongo
    finally:
        await redis.aclose()
        await mongo.close()
