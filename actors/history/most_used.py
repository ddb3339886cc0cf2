"""The days whose chains are asked for most: what a new actor loads before anybody asks."""

from __future__ import annotations

from collections import Counter
from datetime import date

from actors.history.cache_keys import MOST_USED
from optionchain.ports import CacheService


class MostUsed:
    """Counts uses, and keeps the most used days in the cache for whoever comes after.

    Args:
        cache: Where they are kept.
        days: How many.
        seconds: How long.
    """

    def __init__(self, cache: CacheService, *, days: int, seconds: float) -> None:
        self._cache = cache
        self._days = days
        self._seconds = seconds
        self._used: Counter[str] = Counter()

    def count(self, asset: str, day: date) -> None:
        """A chain that exists was asked for: what callers make up has no end."""
        self._used[f"{asset} {day}"] += 1

    async def remembered(self) -> list[tuple[str, date]]:
        """What was used most before."""
        known = await self._cache.get(MOST_USED)
        lines = known.value.decode().splitlines() if known else []
        pairs = [line.split(" ") for line in lines]
        return [(asset, date.fromisoformat(day)) for asset, day in pairs]

    async def remember(self) -> None:
        """Keep what is used most, and let what was used long ago count less and less."""
        most = [line for line, _ in self._used.most_common(self._days)]
        if most:
            await self._cache.set(MOST_USED, "\n".join(most).encode(), self._seconds)
        self._used = Counter({line: uses // 2 for line, uses in self._used.items() if uses > 1})
