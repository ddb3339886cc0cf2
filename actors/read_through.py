"""Reads and writes through the cache: one load for all who wait, and the old value while the source is down."""

from __future__ import annotations

import asyncio
import struct
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

from optionchain.errors import Unavailable
from optionchain.ports import Breaker, Cached, CacheEntry, CacheService

T = TypeVar("T")
_FRESH_UNTIL = struct.Struct("<d")
Load = Callable[[], Awaitable[CacheEntry]]


class ReadThrough:
    """Values of a slow source, kept in a cache.

    Of a value with versions the newest counts, whoever has read or written which one when.

    Args:
        cache: Where they are kept.
        breaker: In front of the source.
        stale_seconds: How much longer than fresh a value is kept, for when the source does not answer.
        clock: Unix time in seconds.
    """

    def __init__(
        self,
        cache: CacheService,
        breaker: Breaker,
        *,
        stale_seconds: float,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._cache = cache
        self._breaker = breaker
        self._stale_seconds = stale_seconds
        self._clock = clock
        self._loads: dict[str, asyncio.Task[bytes]] = {}

    async def get(self, key: str, load: Load, fresh_seconds: float) -> Cached:
        """The value of a key: fresh from the cache, else loaded, else stale.

        Raises:
            Unavailable: The source does not answer, and the cache has nothing.
        """
        entry = await self._cache.get(key)
        if entry is not None and self._is_fresh(entry):
            return Cached(_value(entry))
        try:
            return Cached(await self._load_once(key, load, fresh_seconds))
        except Unavailable:
            if entry is None:
                raise
            return Cached(_value(entry), is_stale=True)

    async def known(self, key: str) -> Cached | None:
        """What the cache has of a key, as stale; None where it has nothing."""
        entry = await self._cache.get(key)
        return None if entry is None else Cached(_value(entry), is_stale=True)

    async def change(self, operation: Callable[[], Awaitable[T]], *keys: str) -> T:
        """Change the source, and forget what the change makes old; at once refused while the source is down."""
        changed = await self._applied(operation, keys)
        for key in keys:
            await self.forget(key)
        return changed

    async def write(self, key: str, store: Load, fresh_seconds: float, *others: str) -> bytes:
        """Store a value in the source, leave it in the cache for the next reader, and return it.

        Args:
            key: Where the cache has it.
            store: Returns what is stored then.
            fresh_seconds: For how long it is fresh.
            others: What the change makes old.
        """
        stored = await self._applied(store, (key, *others))
        await self.forget(key, version=stored.version)
        await self._keep(key, stored, fresh_seconds)
        for other in others:
            await self.forget(other)
        return stored.value

    async def forget(self, key: str, *, version: int = 0) -> None:
        """Load it anew the next time, in every process; where there are versions, unless it is this one or newer."""
        # A load under way may have read what is now old: its waiters get it, the next reader does not.
        self._loads.pop(key, None)
        await self._cache.delete(key, version=version)

    async def outdate(self, key: str, *, version: int = 0) -> None:
        """As `forget`; but until a load succeeds the old value is given, as a stale one."""
        entry = await self._cache.get(key)
        if entry is not None and 0 < version <= entry.version:
            return
        await self.forget(key, version=version)
        if entry is not None and self._stale_seconds > 0.0:
            old = _FRESH_UNTIL.pack(0.0) + _value(entry)
            await self._cache.set(key, old, self._stale_seconds, version=max(entry.version, version))

    async def _applied(self, operation: Callable[[], Awaitable[T]], keys: Iterable[str]) -> T:
        """What the operation returns; where it fails, the keys are outdated."""
        try:
            return await self._breaker.call(operation)
        except BaseException:
            # It may have been applied all the same; but while the source is down an old value is better than none.
            for key in keys:
                await self.outdate(key)
            raise

    async def _load_once(self, key: str, load: Load, fresh_seconds: float) -> bytes:
        task = self._loads.get(key)
        if task is None:
            task = self._loads[key] = asyncio.create_task(self._load(key, load, fresh_seconds))
        # A waiter who gives up must not end the load of the others.
        return await asyncio.shield(task)

    async def _load(self, key: str, load: Load, fresh_seconds: float) -> bytes:
        task = asyncio.current_task()
        try:
            loaded = await self._breaker.call(load)
            if self._loads.get(key) is task:
                await self._keep(key, loaded, fresh_seconds)
            return loaded.value
        finally:
            if self._loads.get(key) is task:
                del self._loads[key]

    async def _keep(self, key: str, loaded: CacheEntry, fresh_seconds: float) -> None:
        value = _FRESH_UNTIL.pack(self._clock() + fresh_seconds) + loaded.value
        await self._cache.set(key, value, fresh_seconds + self._stale_seconds, version=loaded.version)

    def _is_fresh(self, entry: CacheEntry) -> bool:
        (fresh_until,) = _FRESH_UNTIL.unpack_from(entry.value)
        return bool(self._clock() < fresh_until)


def _value(entry: CacheEntry) -> bytes:
    return entry.value[_FRESH_UNTIL.size :]
