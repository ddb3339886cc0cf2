"""How we reach Redis: one settings group, one way to open it, one place where its errors become ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr
from redis.asyncio import Redis, RedisCluster, Sentinel
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

from optionchain.errors import Unavailable
from optionchain.patience import BROKEN_CONNECTION

RedisClient = Redis | RedisCluster


class RedisSettings(BaseModel):
    """Where Redis (or Valkey) is, and how patient we are with it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: SecretStr | None = Field(
        None, description="`redis://` or `rediss://` URL; empty starts a private server"
    )
    mode: Literal["standalone", "cluster", "sentinel"] = Field(
        "standalone", description="What the URL leads to; with `sentinel`, to one of the sentinels"
    )
    sentinel_service: str = Field("optionchain", description="Name of the primary that the sentinels watch")
    prefix: str = Field("ocs", pattern=r"^[A-Za-z0-9_.-]{1,32}$", description="Prefix of every key")
    timeout_seconds: float = Field(
        2.0, gt=0, le=60, description="Patience with one command or connection attempt"
    )
    retries: int = Field(1, ge=0, le=10, description="Repetitions of a command whose connection broke")
    max_connections: int = Field(64, ge=1, le=10_000, description="Connections of one process")
    wait_replicas: int = Field(
        0, ge=0, le=9, description="Replicas that must have a checkpoint before a reply"
    )
    fsync: Literal["everysec", "always"] = Field(
        "always",
        description="Private server only: `always` loses nothing acknowledged; `everysec` may, when killed or cut off",
    )


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
