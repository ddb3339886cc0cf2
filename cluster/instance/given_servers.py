"""The user's own servers: asked before anything is started, so that a wrong address is one clear message."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

from pydantic import SecretStr

from adapters.certificates import certificate_problem
from adapters.mongo.connection import MongoServer, open_mongo
from adapters.redis.connection import open_redis
from adapters.redis.session_store import RedisSessionStore
from adapters.settings import RedisSettings
from cluster.settings import Settings
from optionchain.errors import Unavailable

UNSET = "a private server is started"
CACHE_UNSET = "the cache shares the Redis of the sessions"
RAY_UNSET = "what the head knows is lost with it"


def silent_servers(settings: Settings) -> list[str]:
    """A message for each server that the settings name and that does not answer."""
    return asyncio.run(_silent_servers(settings))


async def _silent_servers(settings: Settings) -> list[str]:
    redis, mongo, cache_url = settings.redis, settings.mongo, settings.cache.redis_url
    problems = []
    if redis.url is not None and (error := await _error_of_redis(redis)):
        problems.append(_message("Redis", redis.url, "OCS_REDIS_URL", redis.timeout_seconds, error))
    if cache_url is not None and (error := await _error_of_redis(settings.cache_server)):
        variable, seconds = "OCS_CACHE_REDIS_URL", redis.timeout_seconds
        problems.append(_message("The cache's Redis", cache_url, variable, seconds, error, CACHE_UNSET))
    if (ray_url := settings.ray.redis_url) is not None:
        of_ray = settings.with_changes({"redis": {"url": ray_url, "mode": "standalone"}}).redis
        if error := await _error_of_redis(of_ray):
            variable, seconds = "OCS_RAY_REDIS_URL", redis.timeout_seconds
            problems.append(_message("The head's Redis", ray_url, variable, seconds, error, RAY_UNSET))
    if mongo.uri is not None and (error := await _error_of_mongo(settings)):
        problems.append(_message("MongoDB", mongo.uri, "OCS_MONGO_URI", mongo.timeout_seconds, error))
    return problems


async def _error_of_redis(settings: RedisSettings) -> Unavailable | None:
    store = RedisSessionStore(open_redis(settings), timeout_seconds=settings.timeout_seconds)
    try:
        await store.ping()
    except Unavailable as error:
        return error
    finally:
        await store.close()
    return None


async def _error_of_mongo(settings: Settings) -> Unavailable | None:
    client = open_mongo(settings.mongo)
    try:
        await MongoServer(client).ping()
    except Unavailable as error:
        return error
    finally:
        await client.close()
    return None


def _message(
    name: str, url: SecretStr, variable: str, seconds: float, error: Unavailable, unset: str = UNSET
) -> str:
    where = f"{name} at {_without_credentials(url)}"
    if reason := certificate_problem(error):
        return f"{where} cannot be spoken to over TLS: {reason}. Mend that, or correct {variable}."
    return (
        f"{where} gives no answer within {seconds:g} s, or refuses the credentials. "
        f"Start it, or correct {variable}; unset, {unset}."
    )


def _without_credentials(url: SecretStr) -> str:
    parts = urlsplit(url.get_secret_value())
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
