"""The cache: Redis, with a bounded part of it in this process, and a message to all when something is forgotten.

The local tier is trusted only while this process hears the messages of the others. Keys:
``<prefix>:cache:<key>``, and the channel ``<prefix>:cache-forget``.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import Callable
from typing import TypeVar

from cachetools import TLRUCache
from pydantic import BaseModel, ConfigDict, Field
from redis.asyncio import RedisCluster

from adapters.circuit_breaker import CircuitBreaker
from adapters.redis_connection import RedisClient, redis_errors
from optionchain.errors import Unavailable

# What is set together must not end together.
JITTER = 0.1
RECONNECT_SECONDS = 0.5
LISTEN_SECONDS = 1.0
CLOSE_SECONDS = 0.1

T = TypeVar("T")


class CacheSettings(BaseModel):
    """How much is cached."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    local_megabytes: int = Field(64, ge=1, description="Bound of the part that one process holds")


class RedisCacheService:
    """The `CacheService` on Redis.

    Args:
        client: An open client; closed by `close`.
        prefix: Prefix of every key.
        local_bytes: Bound of what this process holds.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        client: RedisClient,
        *,
        prefix: str = "ocs",
        local_bytes: int = 64 << 20,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._prefix = f"{prefix}:cache:"
        self._channel = f"{prefix}:cache-forget"
        self._clock = clock
        self._local: TLRUCache[str, tuple[bytes, float]] = TLRUCache(
            local_bytes,
            lambda _key, entry, _now: entry[1],
            timer=clock,
            getsizeof=lambda entry: len(entry[0]) + 200,
        )
        self._listener: asyncio.Task[None] | None = None
        self._is_listening = False
        self._messages = 0
        self._breaker = CircuitBreaker("the cache")

    async def get(self, key: str) -> bytes | None:
        self._listen()
        local = self._local.get(key) if self._is_listening else None
        if local is not None:
            return local[0]
        messages = self._messages
        try:
            value, milliseconds = await self._breaker.call(lambda: self._read(key))
        except Unavailable:
            return None
        # A message in the meantime may have been about this value.
        if value is not None and milliseconds > 0 and messages == self._messages:
            self._keep(key, value, milliseconds / 1000)
        return value

    async def set(self, key: str, value: bytes, ttl_seconds: float) -> None:
        lifetime = ttl_seconds * random.uniform(1.0 - JITTER, 1.0)
        self._keep(key, value, lifetime)
        with contextlib.suppress(Unavailable):
            await self._breaker.call(lambda: self._write(key, value, max(int(lifetime * 1000), 1)))

    async def delete(self, key: str) -> None:
        self._local.pop(key, None)
        with contextlib.suppress(Unavailable):
            await self._breaker.call(lambda: self._forget(key))

    async def exists(self, key: str) -> bool:
        if self._is_listening and key in self._local:
            return True
        try:
            return await self._breaker.call(lambda: self._has(key))
        except Unavailable:
            return False

    async def close(self) -> None:
        """Release the connections."""
        if self._listener is not None:
            # The driver swallows a cancellation that comes while it connects.
            while not self._listener.done():
                self._listener.cancel()
                await asyncio.wait([self._listener], timeout=CLOSE_SECONDS)
        await self._client.aclose()

    def _listen(self) -> None:
        """Hear what others forget, from now on; until then the local tier is not used.

        Redis Cluster has no client for it yet: there, every read goes to Redis.
        """
        if self._listener is None and not isinstance(self._client, RedisCluster):
            self._listener = asyncio.create_task(self._hear_again_and_again(self._client.pubsub))

    async def _hear_again_and_again(self, open_subscription: Callable[[], object]) -> None:
        while True:
            with contextlib.suppress(Unavailable), redis_errors():
                await self._hear(open_subscription())
            await asyncio.sleep(RECONNECT_SECONDS)

    async def _hear(self, subscription: object) -> None:
        async with subscription as channel:  # type: ignore[attr-defined]  # redis-py's PubSub has no types here
            await channel.subscribe(self._channel)
            # What was said while nobody listened is not known.
            self._local.clear()
            self._is_listening = True
            try:
                while True:
                    message = await channel.get_message(
                        ignore_subscribe_messages=True, timeout=LISTEN_SECONDS
                    )
                    if message is not None:
                        self._messages += 1
                        self._local.pop(message["data"].decode(), None)
            finally:
                self._is_listening = False

    def _keep(self, key: str, value: bytes, seconds: float) -> None:
        with contextlib.suppress(ValueError):  # larger than the whole tier
            self._local[key] = (value, self._clock() + seconds)

    async def _read(self, key: str) -> tuple[bytes | None, int]:
        pipeline = self._client.pipeline(transaction=False)
        pipeline.execute_command("GET", self._prefix + key)
        pipeline.execute_command("PTTL", self._prefix + key)
        with redis_errors():
            value, milliseconds = await pipeline.execute()
        return value, milliseconds

    async def _write(self, key: str, value: bytes, milliseconds: int) -> None:
        with redis_errors():
            await self._client.execute_command("SET", self._prefix + key, value, "PX", milliseconds)

    async def _forget(self, key: str) -> None:
        with redis_errors():
            await self._client.execute_command("DEL", self._prefix + key)
            await self._client.execute_command("PUBLISH", self._channel, key)

    async def _has(self, key: str) -> bool:
        with redis_errors():
            return bool(await self._client.execute_command("EXISTS", self._prefix + key))
