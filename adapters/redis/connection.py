"""How we reach Redis: one settings group, one way to open it, one place where its errors become ours."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any
from urllib.parse import urlsplit

from redis.asyncio import Redis, RedisCluster
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.connection import SSLConnection, parse_url
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError, ResponseError

from adapters.redis.sentinels import Address, primary_of
from adapters.settings import RedisSettings
from optionchain.errors import NoRoom, Unavailable
from optionchain.patience import BROKEN_CONNECTION

RedisClient = Redis | RedisCluster
REDIS_PORT, SENTINEL_PORT = 6379, 26379
# What Redis says when its log cannot be written, its memory is full, or it has fewer replicas than it needs.
SIGNS_OF_NO_ROOM = (
    "MISCONF",
    "Errors writing to the AOF",
    "NOREPLICAS",
    "Not enough good replicas",
    "'maxmemory'",
)


def open_redis(settings: RedisSettings) -> RedisClient:
    """Open a client; it connects with its first command.

    Raises:
        ValueError: The settings have no URL.
    """
    if settings.url is None:
        raise ValueError("OCS_REDIS_URL is not set")
    url = settings.url.get_secret_value()
    # A server that hangs has had the caller's patience already: only broken connections are tried again.
    backoff = ExponentialBackoff(cap=BROKEN_CONNECTION.longest_seconds, base=BROKEN_CONNECTION.first_seconds)
    common: dict[str, Any] = {
        "socket_timeout": settings.timeout_seconds,
        "socket_connect_timeout": settings.timeout_seconds,
        "max_connections": settings.max_connections,
        "retry": Retry(backoff, settings.retries, (RedisConnectionError,)),
    }
    if settings.mode == "sentinel":
        secret = settings.sentinel_password
        return primary_of(
            settings.sentinel_service,
            _addresses(url, SENTINEL_PORT),
            sentinel_password=secret.get_secret_value() if secret else None,
            **common,
            **_connection_options(url),
        )
    if settings.mode == "cluster":
        del common["retry"]
        nodes = [ClusterNode(host, port) for host, port in _addresses(url, REDIS_PORT)]
        return RedisCluster(startup_nodes=nodes, **common, **_connection_options(url))
    client: Redis = Redis.from_url(url, **common)
    return client


async def nodes_of(client: RedisClient, keys: Sequence[str]) -> list[dict[str, Any]]:
    """Where a pipeline sends the commands on these keys, once each, as arguments of further ones that go there too."""
    if not isinstance(client, RedisCluster):
        return [{}] if keys else []
    await client.initialize()
    nodes = {node.name: node for key in keys if (node := client.get_node_from_key(key))}
    return [{"target_nodes": node} for _, node in sorted(nodes.items())]


@contextmanager
def redis_errors(whose: str) -> Iterator[None]:
    """Turn the driver's errors into ours.

    Args:
        whose: Who asked Redis, in the words of a caller: ``the session store``.
    """
    try:
        yield
    except (RedisError, OSError, TimeoutError) as error:
        raise (NoRoom if _is_full(error) else Unavailable)(whose) from error


@asynccontextmanager
async def redis_call(whose: str, patience_seconds: float) -> AsyncIterator[None]:
    """Bound a call as a whole: finding the server, connecting, what is repeated. Else as `redis_errors`.

    The driver's own bounds are of each part, and there are many while a server is being replaced.
    """
    with redis_errors(whose):
        async with asyncio.timeout(patience_seconds):
            yield


def _is_full(error: Exception) -> bool:
    """Whether Redis runs, and takes no writes."""
    return isinstance(error, ResponseError) and any(sign in str(error) for sign in SIGNS_OF_NO_ROOM)


def _addresses(url: str, default_port: int) -> list[Address]:
    """The hosts of a URL, which are separated by commas."""
    parts = urlsplit(url)
    hosts = parts.netloc.rpartition("@")[2].split(",")
    each = [urlsplit(f"//{host}") for host in hosts]
    return [(one.hostname or "localhost", one.port or default_port) for one in each]


def _connection_options(url: str) -> dict[str, Any]:
    """What a URL says beside the hosts: credentials, database, TLS."""
    parts = urlsplit(url)
    user, at, hosts = parts.netloc.rpartition("@")
    first = parts._replace(netloc=f"{user}{at}{hosts.partition(',')[0]}").geturl()
    options = dict(parse_url(first))
    if options.pop("connection_class", None) is SSLConnection:
        options["ssl"] = True
    return {name: value for name, value in options.items() if name not in ("host", "port")}
