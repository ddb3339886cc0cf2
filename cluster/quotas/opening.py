"""Opens the quotas of a process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from pymongo import AsyncMongoClient

from adapters.mongo.connection import open_mongo
from adapters.mongo.quotas import MongoQuotas
from adapters.redis.connection import open_redis
from adapters.redis.quotas import RedisQuotas
from cluster.identity.opening import Identity
from cluster.quotas.keeping import Amounts, Quotas
from cluster.quotas.limits import HeldLimits, LimitService
from cluster.settings import Settings
from optionchain.observing import Observer, Unobserved


def open_quotas(
    settings: Settings, mongo: AsyncMongoClient[dict[str, Any]], identity: Identity, observer: Observer
) -> Quotas | None:
    """The quotas of this process, kept current with its keys; None where quotas are off.

    Args:
        settings: All settings.
        mongo: An open client.
        identity: Hears of changes.
        observer: Told of what is counted and refused.
    """
    if not settings.quota.enabled:
        return None
    repository = MongoQuotas(mongo, settings.mongo.database)
    held = HeldLimits(repository, settings.quota)
    identity.following.follow(held)
    identity.following.begin()
    counts = _counts(settings, observer)
    setting = LimitService(repository, identity.telling, settings.quota)
    return Quotas(held, counts, setting, max_tenants=settings.quota.max_tenants, observer=observer)


@asynccontextmanager
async def open_amounts(settings: Settings) -> AsyncIterator[Amounts | None]:
    """What counts amounts in a process that is there for one piece of work; None where quotas are off.

    Raises:
        Unavailable: What is set cannot be read.
    """
    if not settings.quota.enabled:
        yield None
        return
    mongo, observer = open_mongo(settings.mongo), Unobserved()
    held = HeldLimits(MongoQuotas(mongo, settings.mongo.database), settings.quota)
    amounts = Amounts(held, _counts(settings, observer), observer)
    try:
        await held.read()
        yield amounts
    finally:
        await amounts.close()
        await mongo.close()


def _counts(settings: Settings, observer: Observer) -> RedisQuotas:
    return RedisQuotas(
        open_redis(settings.redis),
        prefix=settings.redis.prefix,
        timeout_seconds=settings.redis.timeout_seconds,
        observer=observer,
    )
