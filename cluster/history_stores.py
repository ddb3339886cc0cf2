"""The stores of history for commands that go past the actors: those of the environment, else the instance's."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Set
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from actors.history.cache_keys import chain_key, generation_key, keys_of_prices
from adapters.mongo.connection import open_mongo
from adapters.mongo.history import MongoHistoricalRepository
from adapters.redis.cache import RedisCacheService
from adapters.redis.connection import open_redis
from adapters.settings import MongoSettings, RedisSettings
from cluster.instance.state import InstanceState
from cluster.settings import Settings
from optionchain.errors import Unavailable
from optionchain.observing import Observer
from optionchain.ports import CacheService

T = TypeVar("T")
# A saved batch takes longer than a request.
PATIENCE_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class HistoryStores:
    """Where history is, and the cache of the service in front of it.

    Attributes:
        mongo: The store.
        redis: The cache.
        name: Tells this store from others, also after its port changed.
    """

    mongo: MongoSettings
    redis: RedisSettings
    name: str

    def run(self, work: Callable[[MongoHistoricalRepository, RedisCacheService], Awaitable[T]]) -> T:
        """Do something with the open stores."""
        return asyncio.run(self.run_within(work))

    async def run_within(
        self, work: Callable[[MongoHistoricalRepository, RedisCacheService], Awaitable[T]]
    ) -> T:
        """The same where an event loop runs already."""
        repository = open_history_repository(self.mongo)
        cache = RedisCacheService(open_redis(self.redis), prefix=self.redis.prefix)
        try:
            return await work(repository, cache)
        finally:
            await repository.close()
            await cache.close()


def open_history_repository(
    settings: MongoSettings, observer: Observer | None = None
) -> MongoHistoricalRepository:
    """The store of history, as this process reaches it."""
    return MongoHistoricalRepository(open_mongo(settings, observer), settings.database)


def history_stores(settings: Settings, state: InstanceState | None) -> HistoryStores | None:
    """The servers that the settings name, else those of a running instance; None where there are neither."""
    mongo, redis = settings.mongo, settings.redis
    if state is None and (mongo.uri is None or redis.url is None):
        return None
    place = mongo.uri.get_secret_value() if mongo.uri else (state.marker if state else "")
    name = hashlib.sha256(f"{place} {mongo.database}".encode()).hexdigest()
    if state is not None:
        settings = settings.with_changes(
            {
                "mongo": {"uri": mongo.uri or state.mongo_uri},
                "redis": {"url": redis.url or state.redis_url},
                "cache": {"redis_url": settings.cache.redis_url or state.cache_redis_url or None},
            }
        )
    settings = settings.with_changes({"mongo": {"timeout_seconds": PATIENCE_SECONDS}})
    return HistoryStores(settings.mongo, settings.cache_server, name)


async def forget_chains(
    repository: MongoHistoricalRepository, cache: CacheService, asset: str, days: Set[date]
) -> None:
    """Have a running service read new chains, and all that is computed of them, anew."""
    try:
        revisions = await repository.chain_revisions(asset, days)
    except Unavailable:
        revisions = dict.fromkeys(days, 0)
    for day, revision in revisions.items():
        await cache.delete(chain_key(asset, day), version=revision)
    await forget_prices(cache, asset)


async def forget_prices(cache: CacheService, asset: str) -> None:
    """Have a running service read new prices, and all that is computed of them, anew."""
    for key in (*keys_of_prices(asset), generation_key(asset)):
        await cache.delete(key)
