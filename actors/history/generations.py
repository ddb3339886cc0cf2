"""Names for all that was computed of an asset, which nobody could list: new data, a new name."""

from __future__ import annotations

import uuid

from actors.history.cache_keys import generation_key
from optionchain.ports import CacheService

# Longer than anything computed is kept.
GENERATION_SECONDS = 7 * 86_400.0


class Generations:
    """The generation of each asset, in the cache that what was computed is in.

    Args:
        cache: That cache.
    """

    def __init__(self, cache: CacheService) -> None:
        self._cache = cache

    async def of(self, asset: str) -> tuple[str, str | None]:
        """The generation of an asset, and the one before where only a doubt ended it."""
        known = await self._cache.get(generation_key(asset))
        generation, _, before = known.value.decode().partition(" ") if known else ("", "", "")
        if not generation:
            generation = await self._begin(asset)
        return generation, before or None

    async def end(self, asset: str) -> None:
        """The data of an asset are other ones now."""
        await self._cache.delete(generation_key(asset))

    async def doubt(self, asset: str) -> None:
        """The data of an asset may be other ones: what is known of the old ones is for when no others are to be had."""
        generation, before = await self.of(asset)
        await self._begin(asset, before or generation)

    async def _begin(self, asset: str, before: str = "") -> str:
        generation = uuid.uuid4().hex
        await self._cache.delete(generation_key(asset))
        await self._cache.set(generation_key(asset), f"{generation} {before}".encode(), GENERATION_SECONDS)
        return generation
