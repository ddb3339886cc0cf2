"""What would be stored, in memory."""

from __future__ import annotations

from optionchain.errors import NotFound
from optionchain.ports import CacheEntry


class Kept:
    """The part of a repository that an import uses."""

    def __init__(self):
        self.parts, self.chains = [], {}

    async def save_time_series(self, series):
        self.parts.append(series)

    async def query_time_series(self, asset, period, timeframe):
        for part in self.parts:
            yield part

    async def save_historical_chain(self, chain):
        self.chains[chain.day] = chain

    async def merge_historical_chain(self, chain):
        older = self.chains.get(chain.day)
        self.chains[chain.day] = older.merged(chain) if older else chain
        return older.shared_contracts(chain) if older else 0

    async def chain_revisions(self, asset, days):
        return {}

    async def chain_days(self, asset, period):
        days = [day for day, chain in sorted(self.chains.items()) if chain.asset == asset and day in period]
        return {day: self.chains[day].strikes.size for day in days}

    async def get_historical_chain(self, asset, day):
        if day not in self.chains:
            raise NotFound("chain", asset)
        return self.chains[day]


class KeptCache:
    """A cache in a dictionary, where nothing becomes old by itself."""

    def __init__(self):
        self.values, self.kept_seconds = {}, {}

    async def get(self, key):
        return self.values.get(key)

    async def set(self, key, value, ttl_seconds, *, version=0):
        if key not in self.values or version >= self.values[key].version:
            self.values[key], self.kept_seconds[key] = CacheEntry(value, version), ttl_seconds

    async def delete(self, key, *, version=0):
        if key in self.values and (version == 0 or self.values[key].version < version):
            del self.values[key]

    async def exists(self, key):
        return key in self.values
