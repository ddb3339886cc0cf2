"""The cache: Redis, with a part of it in this process, and a message to all when something is forgotten.

Both tiers are bounded: sessions live in the same Redis, and must not find it full. The local tier is trusted only while
this process hears the messages of the others. Keys: ``{<prefix>:cache}:<key>``, ``{<prefix>:cache}-ends``,
``{<prefix>:cache}-sizes``, and the channel ``{<prefix>:cache}-forget``: the braces keep all of it in one slot of Redis
Cluster, where who listens is connected to the node that has the values.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

from cachetools import LRUCache, TLRUCache

from adapters.circuit_breaker import CircuitBreaker
from adapters.redis.cache_scripts import FORGET, KEEP, cache_keys, cache_place
from adapters.redis.connection import RedisClient, open_redis, redis_call
from adapters.redis.notices import messages_of
from adapters.settings import RedisSettings
from optionchain.errors import Unavailable
from optionchain.observing import Observer, Unobserved, attempted, observed
from optionchain.patience import SILENT_CACHE_SECONDS
from optionchain.ports import CacheEntry

# What is set together must not end together.
JITTER = 0.1
CLOSE_SECONDS = 0.1
# Longer than a load can take that read what is old now.
KEEP_OUT_MILLISECONDS = 60_000
# Keys that are still to be forgotten, while Redis does not answer; of more, those of longest ago are believed again.
MOST_OWED = 65_536
LOCAL_OVERHEAD_BYTES = 200
CACHE = "the cache"


def open_snapshot_cache(
    redis: RedisSettings, megabytes: int, *, prefix: str | None = None
) -> RedisCacheService:
    """What session actors have rendered, with a bound of its own; they hold theirs in memory by themselves.

    Here, so that the process of an actor imports no more than it needs.
    """
    return RedisCacheService(
        open_redis(redis),
        prefix=f"{prefix or redis.prefix}:snapshots",
        timeout_seconds=redis.timeout_seconds,
        local_bytes=0,
        redis_bytes=megabytes << 20,
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
        self._place = cache_place(prefix)
        self._channel = f"{self._place}-forget"
        self._redis_bytes = redis_bytes
        self._timeout_seconds = timeout_seconds
        self._clock = clock
        self._local: TLRUCache[str, tuple[CacheEntry, float]] = TLRUCache(
            local_bytes,
            lambda _key, kept, _now: kept[1],
            timer=clock,
            getsizeof=lambda kept: len(kept[0].value) + LOCAL_OVERHEAD_BYTES,
        )
        self._owed: LRUCache[str, int] = LRUCache(MOST_OWED)
        self._listener: asyncio.Task[None] | None = None
        self._is_listening = False
        self._messages = 0
        self._observer = observer or Unobserved()
        self._breaker = CircuitBreaker(CACHE, observer=self._observer)

    async def get(self, key: str) -> CacheEntry | None:
        self._listen()
        local = self._local.get(key) if self._is_listening else None
        if local is not None:
            self._observer.counted("cache.hits", tier="process", kind=_kind(key))
            return local[0]
        messages = self._messages
        try:
            entry, milliseconds = await self._breaker.call(lambda: self._read(key))
        except Unavailable:
            return None
        if entry is None:
            self._observer.counted("cache.misses", kind=_kind(key))
            return None
        self._observer.counted("cache.hits", tier="redis", kind=_kind(key))
        # A message in the meantime may have been about this value.
        if milliseconds > 0 and messages == self._messages:
            self._keep(key, entry, milliseconds / 1000)
        return entry

    async def set(self, key: str, value: bytes, ttl_seconds: float, *, version: int = 0) -> None:
        lifetime = ttl_seconds * random.uniform(1.0 - JITTER, 1.0)
        milliseconds = max(int(lifetime * 1000), 1)
        messages = self._messages
        with contextlib.suppress(Unavailable):
            is_latest = await self._breaker.call(lambda: self._write(key, value, milliseconds, version))
            if is_latest and messages == self._messages:
                self._keep(key, CacheEntry(value, version), lifetime)

    async def delete(self, key: str, *, version: int = 0) -> None:
        local = self._local.get(key)
        if local is not None and (version == 0 or local[0].version < version):
            del self._local[key]
        # Until Redis has forgotten it, nothing that it says of this key is believed.
        self._owed[key] = version
        with contextlib.suppress(Unavailable):
            await self._breaker.call(lambda: self._forget_owed(key))

    async def exists(self, key: str) -> bool:
        return await self.get(key) is not None

    async def close(self) -> None:
        """Release the connections."""
        if self._listener is not None:
            # Until Python 3.12, `asyncio.wait_for`, with which the driver connects, swallows a cancellation that comes
            # together with what it waits for.
            while not self._listener.done():
                self._listener.cancel()
                await asyncio.wait([self._listener], timeout=CLOSE_SECONDS)
        await self._client.aclose()

    def _keep(self, key: str, entry: CacheEntry, seconds: float) -> None:
        with contextlib.suppress(ValueError):  # larger than the whole tier
            self._local[key] = (entry, self._clock() + seconds)

    async def _read(self, key: str) -> tuple[CacheEntry | None, int]:
        if key in self._owed:
            await self._forget_owed(key)
        pipeline = self._client.pipeline(transaction=False)
        pipeline.execute_command("GET", self._key(key))
        pipeline.execute_command("PTTL", self._key(key))
        async with self._call("read"):
            kept, milliseconds = await pipeline.execute()
        version, _, value = (kept or b"").partition(b" ")
        return (CacheEntry(value, int(version)) if value else None), milliseconds

    async def _write(self, key: str, value: bytes, milliseconds: int, version: int) -> bool:
        if key in self._owed:
            await self._forget_owed(key)
        return bool(await self._run("write", KEEP, key, value, milliseconds, version, self._redis_bytes))

    async def _forget_owed(self, key: str) -> None:
        version = self._owed[key]
        await self._run("forget", FORGET, key, version, KEEP_OUT_MILLISECONDS, self._channel, key)
        if self._owed.get(key) == version:
            del self._owed[key]

    @contextlib.asynccontextmanager
    async def _call(self, operation: str) -> AsyncIterator[None]:
        with observed(self._observer, "redis.call", operation=f"cache.{operation}"):
            async with redis_call(CACHE, self._timeout_seconds):
                yield

    async def _run(self, operation: str, script: str, key: str, *arguments: Any) -> Any:
        keys = cache_keys(self._place, key)
        async with self._call(operation):
            return await self._client.execute_command("EVAL", script, len(keys), *keys, *arguments)

    def _key(self, key: str) -> str:
        return cache_keys(self._place, key)[0]

    def _listen(self) -> None:
        """Hear what others forget, from now on, where anything is held here; until then that is not used."""
        if self._listener is None and self._local.maxsize > 0:
            self._listener = asyncio.create_task(self._hear_again_and_again())

    async def _hear_again_and_again(self) -> None:
        while True:
            await attempted(self._observer, "cache.listen", self._hear)
            await asyncio.sleep(SILENT_CACHE_SECONDS)

    async def _hear(self) -> None:
        said = messages_of(self._client, self._channel, whose=CACHE, timeout_seconds=self._timeout_seconds)
        try:
            async with contextlib.aclosing(said):
                async for message in said:
                    self._heard(message)
        finally:
            self._is_listening = False

    def _heard(self, message: bytes | None) -> None:
        if message is None:
            self._local.clear()
            self._is_listening = True
        else:
            self._local.pop(message.decode(), None)
        self._messages += 1


def _kind(key: str) -> str:
    """What a key is about: ``chain`` of ``history:chain:SPX:2024-01-02``, ``config`` of ``config:simulator``."""
    whose, _, what = key.partition(":")
    return what.partition(":")[0] if whose == "history" else whose
