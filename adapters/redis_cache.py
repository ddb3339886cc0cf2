"""The cache: Redis, with a part of it in this process, and a message to all when something is forgotten.

Both tiers are bounded: sessions live in the same Redis, and must not find it full. The local tier is trusted only while
this process hears the messages of the others. Keys: ``{<prefix>:cache}:<key>``, ``{<prefix>:cache}-ends``,
``{<prefix>:cache}-sizes``, and the channel ``<prefix>:cache-forget``.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from cachetools import TLRUCache
from redis.asyncio import RedisCluster

from adapters.circuit_breaker import CircuitBreaker
from adapters.redis_connection import RedisClient, open_redis, redis_call, redis_errors
from adapters.settings import RedisSettings
from optionchain.errors import Unavailable
from optionchain.observing import Observer, Unobserved, attempted
from optionchain.patience import SILENT_CACHE_SECONDS

# What is set together must not end together.
JITTER = 0.1
LISTEN_SECONDS = 1.0
CLOSE_SECONDS = 0.1
CACHE = "the cache"

T = TypeVar("T")

# Keys: the value, the end of each value, the size of each value and of all. What ends first makes room.
_DROP = """
local function drop(key)
  redis.call('DEL', key)
  redis.call('ZREM', KEYS[2], key)
  -- Not by a minus sign: Redis 7.0 does not take -0 for an integer.
  redis.call('HINCRBY', KEYS[3], 'all', 0 - (redis.call('HGET', KEYS[3], key) or 0))
  redis.call('HDEL', KEYS[3], key)
end
drop(KEYS[1])
"""
_KEEP = (
    _DROP
    + """
local value, milliseconds, bound = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local size = #value + tonumber(ARGV[4])
if size > bound then return end
local now = redis.call('TIME')
redis.call('SET', KEYS[1], value, 'PX', milliseconds)
redis.call('ZADD', KEYS[2], now[1] * 1000 + now[2] / 1000 + milliseconds, KEYS[1])
redis.call('HSET', KEYS[3], KEYS[1], size)
local all = redis.call('HINCRBY', KEYS[3], 'all', size)
while all > bound do
  local first = redis.call('ZRANGE', KEYS[2], 0, 0)[1]
  if not first then redis.call('DEL', KEYS[3]) return end
  drop(first)
  all = tonumber(redis.call('HGET', KEYS[3], 'all'))
end
"""
)
# What an entry takes beside its value, about.
OVERHEAD_BYTES = 200


def open_snapshot_cache(
    redis: RedisSettings, *, total_bytes: int, prefix: str | None = None
) -> RedisCacheService:
    """What session actors have rendered, with a bound of its own; they hold theirs in memory by themselves.

    Here, so that the process of an actor imports no more than it needs.
    """
    return RedisCacheService(
        open_redis(redis),
        prefix=f"{prefix or redis.prefix}:snapshots",
        timeout_seconds=redis.timeout_seconds,
        local_bytes=0,
        redis_bytes=total_bytes,
    )


class RedisCacheService:
    """The `CacheService` on Redis.

    Args:
        client: An open client; closed by `close`.
        prefix: Prefix of every key.
        timeout_seconds: Patience with one call.
        local_bytes: Bound of what this process holds.
        redis_bytes: Bound of what Redis holds of the cache.
        observer: Told what is found where, and what becomes of the messages.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        client: RedisClient,
        *,
        prefix: str = "ocs",
        timeout_seconds: float = 2.0,
        local_bytes: int = 64 << 20,
        redis_bytes: int = 256 << 20,
        observer: Observer | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        # The braces keep all of it in one slot of Redis Cluster.
        self._place = f"{{{prefix}:cache}}"
        self._redis_bytes = redis_bytes
        self._call = partial(redis_call, CACHE, timeout_seconds)
        self._channel = f"{prefix}:cache-forget"
        self._clock = clock
        self._local: TLRUCache[str, tuple[bytes, float]] = TLRUCache(
            local_bytes,
            lambda _key, entry, _now: entry[1],
            timer=clock,
            getsizeof=lambda entry: len(entry[0]) + OVERHEAD_BYTES,
        )
        self._listener: asyncio.Task[None] | None = None
        self._is_listening = False
        self._messages = 0
        self._observer = observer or Unobserved()
        self._breaker = CircuitBreaker(CACHE, observer=self._observer)

    async def get(self, key: str) -> bytes | None:
        self._listen()
        local = self._local.get(key) if self._is_listening else None
        if local is not None:
            self._observer.counted("cache.hits", tier="process", kind=_kind(key))
            return local[0]
        messages = self._messages
        try:
            value, milliseconds = await self._breaker.call(lambda: self._read(key))
        except Unavailable:
            return None
        if value is None:
            self._observer.counted("cache.misses", kind=_kind(key))
        else:
            self._observer.counted("cache.hits", tier="redis", kind=_kind(key))
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
            # Until Python 3.12, `asyncio.wait_for`, with which the driver connects, swallows a cancellation that comes
            # together with what it waits for.
            while not self._listener.done():
                self._listener.cancel()
                await asyncio.wait([self._listener], timeout=CLOSE_SECONDS)
        await self._client.aclose()

    def _listen(self) -> None:
        """Hear what others forget, from now on; until then the local tier is not used.

        Redis Cluster has no client for it yet: there, every read goes to Redis. So it does where nothing is held here.
        """
        if self._local.maxsize > 0 and self._listener is None and not isinstance(self._client, RedisCluster):
            self._listener = asyncio.create_task(self._hear_again_and_again(self._client.pubsub))

    async def _hear_again_and_again(self, open_subscription: Callable[[], object]) -> None:
        while True:
            await attempted(self._observer, "cache.listen", lambda: self._hear(open_subscription))
            await asyncio.sleep(SILENT_CACHE_SECONDS)

    async def _hear(self, open_subscription: Callable[[], object]) -> None:
        with redis_errors(CACHE):
            await self._hear_messages(open_subscription())

    async def _hear_messages(self, subscription: object) -> None:
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
        pipeline.execute_command("GET", self._key(key))
        pipeline.execute_command("PTTL", self._key(key))
        async with self._call():
            value, milliseconds = await pipeline.execute()
        return value, milliseconds

    async def _write(self, key: str, value: bytes, milliseconds: int) -> None:
        async with self._call():
            arguments = (value, milliseconds, self._redis_bytes, OVERHEAD_BYTES)
            await self._client.execute_command("EVAL", _KEEP, 3, *self._keys(key), *arguments)

    async def _forget(self, key: str) -> None:
        async with self._call():
            await self._client.execute_command("EVAL", _DROP, 3, *self._keys(key))
            await self._client.execute_command("PUBLISH", self._channel, key)

    async def _has(self, key: str) -> bool:
        async with self._call():
            return bool(await self._client.execute_command("EXISTS", self._key(key)))

    def _key(self, key: str) -> str:
        return f"{self._place}:{key}"

    def _keys(self, key: str) -> tuple[str, str, str]:
        return self._key(key), f"{self._place}-ends", f"{self._place}-sizes"


def _kind(key: str) -> str:
    """What a key is about: ``chain`` of ``history:chain:SPX:2024-01-02``, ``config`` of ``config:simulator``."""
    whose, _, what = key.partition(":")
    return what.partition(":")[0] if whose == "history" else whose
