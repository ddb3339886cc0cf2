"""How we reach Redis: one settings group, one way to open it, one place where its errors become ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from redis.asyncio import Redis, RedisCluster, Sentinel
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

from adapters.settings import RedisSettings
from optionchain.errors import Unavailable
from optionchain.patience import BROKEN_CONNECTION

RedisClient = Redis | RedisCluster


def open_redis(settings: RedisSettings) -> RedisClient:
    """Open a client; it connects with its first command.

    Raises:
        ValueError: The settings have no URL.
    """
    if settings.url is None:
        raise ValueError("OCS_REDIS_URL is not set")
    url = settings.url.get_secret_value()
    common: dict[str, Any] = {
        "socket_timeout": settings.timeout_seconds,
        "socket_connect_timeout": settings.timeout_seconds,
        "max_connections": settings.max_connections,
    }
    # A server that hangs has had the caller's patience already: only broken connections are tried again.
    backoff = ExponentialBackoff(cap=BROKEN_CONNECTION.longest_seconds, base=BROKEN_CONNECTION.first_seconds)
    retry = Retry(backoff, settings.retries, (RedisConnectionError,))
    if settings.mode == "cluster":
        return RedisCluster.from_url(url, **common)
    if settings.mode == "sentinel":
        node = Redis.from_url(url).connection_pool.connection_kwargs
        secrets = {key: node[key] for key in ("username", "password", "db") if key in node}
        sentinel = Sentinel(  # type: ignore[no-untyped-call]
            [(node["host"], node.get("port", 26379))], **common
        )
        primary: Redis = sentinel.master_for(settings.sentinel_service, retry=retry, **common, **secrets)
        return primary
    client: Redis = Redis.from_url(url, retry=retry, **common)
    return client


@contextmanager
def redis_errors(whose: str) -> Iterator[None]:
    """Turn the driver's errors into ours.

    Args:
        whose: Who asked Redis, in the words of a caller: ``the session store``.
    """
    try:
        yield
    except (RedisError, OSError, TimeoutError) as error:
        raise Unavailable(whose) from error
