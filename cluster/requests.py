"""Opens what is kept in Redis about requests: first answers to keyed ones, how many each caller may make, and what
signs in once."""

from __future__ import annotations

from adapters.redis.allowances import RedisAllowances
from adapters.redis.connection import open_redis
from adapters.redis.idempotency import RedisAnswers
from adapters.redis.one_time import RedisOneTime
from adapters.settings import RateSettings
from cluster.identity.sign_in_codes import SignInCodes
from cluster.settings import Settings
from optionchain.observing import Observer


def open_answers(settings: Settings) -> RedisAnswers:
    """The first answers to keyed requests, as this process reaches them."""
    return RedisAnswers(
        open_redis(settings.redis),
        prefix=settings.redis.prefix,
        timeout_seconds=settings.redis.timeout_seconds,
        ttl_seconds=settings.http.idempotency_seconds,
        max_bytes=settings.http.idempotency_max_bytes,
        total_bytes=settings.http.idempotency_megabytes << 20,
    )


def open_sign_in_codes(settings: Settings) -> SignInCodes:
    """The codes that sign in once, as this process reaches them."""
    timeout = settings.redis.timeout_seconds
    store = RedisOneTime(open_redis(settings.redis), prefix=settings.redis.prefix, timeout_seconds=timeout)
    return SignInCodes(store, settings.auth.code_seconds)


def open_allowances(settings: Settings, observer: Observer | None = None) -> RedisAllowances | None:
    """How many requests each caller may make; None where there is no limit."""
    return _allowances(settings, settings.rate, settings.redis.prefix, observer)


def open_strangers(settings: Settings, observer: Observer | None = None) -> RedisAllowances | None:
    """The same for addresses without a key that works; None where none is asked for, or there is no limit."""
    if not settings.auth.enabled:
        return None
    return _allowances(settings, settings.rate.of_strangers, f"{settings.redis.prefix}:strangers", observer)


def _allowances(
    settings: Settings, rate: RateSettings, prefix: str, observer: Observer | None
) -> RedisAllowances | None:
    if not rate.per_minute:
        return None
    return RedisAllowances(
        open_redis(settings.redis),
        rate,
        prefix=prefix,
        timeout_seconds=settings.redis.timeout_seconds,
        observer=observer,
    )
