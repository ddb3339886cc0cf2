"""Reads through the cache: one load for all who wait, and the old value while the source is down."""

from __future__ import annotations

import asyncio
import struct
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from optionchain.errors import Unavailable
from optionchain.ports import Breaker, Cached, CacheService

T = TypeVar("T")
_FRESH_UNTIL = struct.Struct("<d")


class ReadThrough:
    """Values of a slow source, kept in a cache.

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

    async def get(self, key: str, load: Callable[[], Awaitable[bytes]], fresh_seconds: float) -> Cached:
        """The value of a key: fresh from the cache, else loaded, else stale.

        Raises:
            Unavailable: The source does not answer, and the cache has nothing.
        """
        entry = await self._cache.get(key)
        if entry is not None and self._is_fresh(entry):
            return Cached(entry[_FRESH_UNTIL.size :])
        try:
            return Cached(await self._load_once(key, load, fresh_seconds))
        except Unavailable:
            if entry is None:
                raise
            return Cached(entry[_FRESH_UNTIL.size :], is_stale=True)

    async def known(self, key: str) -> Cached | None:
        """What the cache has of a key, as stale; None where it has nothing."""
        entry = await self._cache.get(key)
        return None if entry is None else Cached(entry[_FRESH_UNTIL.size :], is_stale=True)

    async def change(self, operation: Callable[[], Awaitable[T]], *keys: str) -> T:
        """Change the source, and forget what the change makes old; at once refused while the source is down."""
        try:
            changed = await self._breaker.call(operation)
        except BaseException:
            # It may have been applied all the same; but while the source is down an old value is better than none.
            for key in keys:
                await self.outdate(key)
            raise
        for key in keys:
            await self.forget(key)
        return changed

    async def forget(self, key: str) -> None:
        """Load it anew the next time, in every process."""
        # A load under way may have read what is now old: its waiters get it, the next reader does not.
        self._loads.pop(key, None)
        await self._cache.delete(key)

    async def outdate(self, key: str) -> None:
        """Load it anew the next time; until that succeeds the old value is given, as a stale one."""
        entry = await self._cache.get(key)
        await self.forget(key)
        if entry is not None and self._stale_seconds > 0.0:
            old = _FRESH_UNTIL.pack(0.0) + entry[_FRESH_UNTIL.size :]
            await self._cache.set(key, old, self._stale_seconds)

    async def _load_once(self, key: str, load: Callable[[], Awaitable[bytes]], fresh_seconds: float) -> bytes:
        task = self._loads.get(key)
        if task is None:
            task = self._loads[key] = asyncio.create_task(self._load(key, load, fresh_seconds))
        # A waiter who gives up must not end the load of the others.
        return await asyncio.shield(task)

    async def _load(self, key: str, load: Callable[[], Awaitable[bytes]], fresh_seconds: float) -> bytes:
        task = asyncio.current_task()
        try:
            value = await self._breaker.call(load)
            if self._loads.get(key) is task:
                entry = _FRESH_UNTIL.pack(self._clock() + fresh_seconds) + value
                await self._cache.set(key, entry, fresh_seconds + self._stale_seconds)
            return value
        finally:
            if self._loads.get(key) is task:
                del self._loads[key]

    def _is_fresh(self, entry: bytes) -> bool:
        (fresh_until,) = _FRESH_UNTIL.unpack_from(entry)
        return bool(self._clock() < fresh_until)
