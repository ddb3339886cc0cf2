"""Opens the quotas of a process."""

from __future__ import annotations

from typing import Any

from pymongo import AsyncMongoClient

from adapters.mongo_quotas import MongoQuotas
from adapters.redis_connection import open_redis
from adapters.redis_quotas import RedisQuotas
from cluster.identity.opening import Identity
from cluster.quotas.keeping import Quotas
from cluster.quotas.limits import HeldLimits, LimitService
from cluster.settings import Settings
from optionchain.observing import Observer


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
    counts = RedisQuotas(
        open_redis(settings.redis),
        prefix=settings.redis.prefix,
        timeout_seconds=settings.redis.timeout_seconds,
        observer=observer,
    )
    setting = LimitService(repository, identity.telling, settings.quota)
    return Quotas(held, counts, setting, max_tenants=settings.quota.max_tenants, observer=observer)
