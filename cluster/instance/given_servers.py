"""The user's own servers: asked before anything is started, so that a wrong address is one clear message."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

from pydantic import SecretStr

from adapters.mongo_connection import MongoServer, open_mongo
from adapters.redis_connection import open_redis
from adapters.redis_session_store import RedisSessionStore
from adapters.settings import RedisSettings
from cluster.settings import Settings
from optionchain.errors import Unavailable

UNSET = "a private server is started"
CACHE_UNSET = "the cache shares the Redis of the sessions"


def silent_servers(settings: Settings) -> list[str]:
    """A message for each server that the settings name and that does not answer."""
    return asyncio.run(_silent_servers(settings))


async def _silent_servers(settings: Settings) -> list[str]:
    redis, mongo = settings.redis, settings.mongo
    problems = []
    if redis.url is not None and not await _redis_answers(redis):
        problems.append(_message("Redis", redis.url, "OCS_REDIS_URL", redis.timeout_seconds))
    if settings.cache.redis_url is not None and not await _redis_answers(settings.cache_server):
        url = settings.cache.redis_url
        problems.append(
            _message("The cache's Redis", url, "OCS_CACHE_REDIS_URL", redis.timeout_seconds, CACHE_UNSET)
        )
    if mongo.uri is not None and not await _mongo_answers(settings):
        problems.append(_message("MongoDB", mongo.uri, "OCS_MONGO_URI", mongo.timeout_seconds))
    return problems


async def _redis_answers(settings: RedisSettings) -> bool:
    store = RedisSessionStore(open_redis(settings), timeout_seconds=settings.timeout_seconds)
    try:
        await store.ping()
    except Unavailable:
        return False
    finally:
        await store.close()
    return True


async def _mongo_answers(settings: Settings) -> bool:
    client = open_mongo(settings.mongo)
    try:
        await MongoServer(client).ping()
    except Unavailable:
        return False
    finally:
        await client.close()
    return True


def _message(name: str, url: SecretStr, variable: str, seconds: float, unset: str = UNSET) -> str:
    return (
        f"{name} at {_without_credentials(url)} gives no answer within {seconds:g} s, or refuses the credentials. "
        f"Start it, or correct {variable}; unset, {unset}."
    )


def _without_credentials(url: SecretStr) -> str:
    parts = urlsplit(url.get_secret_value())
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
