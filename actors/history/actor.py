"""The Ray actor that serves history to every replica and sweep: it owns the connections, the cache and the breaker."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial

import orjson

from actors.background import Background
from actors.gate import Gate
from actors.history.cache_keys import (
    ASSETS,
    bars_key,
    chain_key,
    keys_of_chain,
    keys_of_prices,
    range_key,
    realised_volatility_key,
    volatility_key,
)
from actors.history.generations import Generations
from actors.history.most_used import MostUsed
from actors.history.pages import PricePage, first_bars, page_bytes
from actors.history.recorded_days import recorded_days
from actors.history.replayed_prices import drawn_closes
from actors.read_through import Load, ReadThrough
from actors.settings import HistorySettings
from actors.shared import SharedActor
from optionchain.errors import NotFound, OptionChainError, Unavailable
from optionchain.history.bars import PriceSeries
from optionchain.history.chains import DateRange, HistoricalChain, asset_name, plain_day
from optionchain.history.results import SimulationResult
from optionchain.history.wire import (
    chain_json,
    realised_volatility_json,
    summaries_json,
    summary_object,
    volatility_json,
)
from optionchain.observing import Observer, Unobserved, attempted
from optionchain.ports import Breaker, Cached, CacheEntry, CacheService, HistoricalDataRepository
from optionchain.time_frame import TimeFrame
from optionchain.wire.results import results_json


@dataclass(frozen=True, slots=True)
class HistorySources:
    """What the actor opens: the store, the cache in front of it, and the breaker between them."""

    repository: HistoricalDataRepository
    cache: CacheService
    breaker: Breaker


class HistoryActor(SharedActor):
    """Serves history. Undecorated: `cluster` makes it a Ray actor, tests call it as it is.

    The constructor touches no network: a store that is down must not stop the actor for good.

    Args:
        open_sources: Opens store and cache; clients do not travel between processes.
        settings: Bounds and rhythms.
        open_observer: Opens the observer of this process.
    """

    def __init__(
        self,
        open_sources: Callable[[], HistorySources],
        settings: HistorySettings,
        open_observer: Callable[[], Observer] = Unobserved,
    ) -> None:
        super().__init__("history", open_observer())
        sources = open_sources()
        self._settings = settings
        self._repository = sources.repository
        self._breaker = sources.breaker
        self._reads = ReadThrough(sources.cache, sources.breaker, stale_seconds=settings.stale_seconds)
        self._analytics = ReadThrough(
            sources.cache, sources.breaker, stale_seconds=settings.analytics_stale_seconds
        )
        self._generations = Generations(sources.cache)
        self._gate = Gate("history", max_running=settings.max_running, max_waiting=settings.max_waiting)
        self._most_used = MostUsed(
            sources.cache, days=settings.warm_days, seconds=settings.stale_seconds or 1.0
        )
        self._housekeeping = Background(self._keep_house)

    async def chain(self, asset: str, day: date) -> Cached:
        """The chain of a day as JSON.

        Raises:
            NotFound: None is stored.
        """
        key = chain_key(asset_name(asset), plain_day(day, "date"))

        async def load() -> CacheEntry:
            chain = await self._repository.get_historical_chain(asset, day)
            return CacheEntry(chain_json(chain), chain.revision)

        found = await self._read(key, load, self._settings.chain_seconds)
        self._most_used.count(asset, day)
        return found

    async def save_chain(self, chain: HistoricalChain) -> None:
        """Store a chain in place of what was stored of that day."""
        key, *others = keys_of_chain(chain.asset, chain.day)

        async def store() -> CacheEntry:
            revision = await self._repository.save_historical_chain(chain)
            return CacheEntry(chain_json(chain), revision)

        async with self._changing(chain.asset):
            await self._reads.write(key, store, self._settings.chain_seconds, *others)

    async def save_prices(self, series: PriceSeries) -> None:
        """Store bars among those that are stored."""
        keys = keys_of_prices(series.asset)
        async with self._changing(series.asset):
            await self._reads.change(lambda: self._repository.save_time_series(series), *keys)

    async def store_result(self, result: SimulationResult) -> None:
        """Keep the result of a simulation."""
        async with self._entered():
            await self._breaker.call(lambda: self._repository.store_simulation_result(result))

    async def results(self, session_id: str, owner: str) -> bytes:
        """The steps that a session of an owner was served and that were kept, as JSON.

        Raises:
            NotFound: None were.
        """
        async with self._entered():
            found = await self._breaker.call(lambda: self._repository.results_of_session(session_id, owner))
        if not found:
            raise NotFound("result of a session", session_id)
        return results_json(found)

    async def assets(self) -> Cached:
        """What is stored, as JSON."""

        async def load() -> CacheEntry:
            return CacheEntry(summaries_json(await self._repository.list_available_assets()))

        return await self._read(ASSETS, load, self._settings.listing_seconds)

    async def asset_range(self, asset: str) -> Cached:
        """What is stored of an asset, as JSON.

        Raises:
            NotFound: Nothing is.
        """

        async def load() -> CacheEntry:
            return CacheEntry(orjson.dumps(summary_object(await self._repository.get_asset(asset))))

        return await self._read(range_key(asset_name(asset)), load, self._settings.listing_seconds)

    async def volatility(self, asset: str, period: DateRange) -> Cached:
        """The smile of each day and expiration of a period, as JSON."""

        async def load() -> CacheEntry:
            return CacheEntry(volatility_json(await self._repository.query_volatility(asset, period)))

        return await self._computed(asset, partial(volatility_key, asset, period), load)

    async def realised_volatility(self, asset: str, period: DateRange) -> Cached:
        """The annualised volatility of the daily closes of a period, as JSON.

        Raises:
            NotFound: No prices of a day or less are stored.
        """

        async def load() -> CacheEntry:
            volatility = await self._repository.query_realised_volatility(asset, period)
            return CacheEntry(realised_volatility_json(asset, period, volatility))

        return await self._computed(asset, partial(realised_volatility_key, asset, period), load)

    async def price_page(
        self, asset: str, period: DateRange, timeframe: TimeFrame, begin: datetime | None = None
    ) -> PricePage:
        """The next bars of a period, from an instant on.

        Args:
            asset: Its name.
            period: Of the bars.
            timeframe: Theirs.
            begin: What the page before said; None for the first.

        Raises:
            NotFound: No such prices are stored.
        """
        rest = period if begin is None else DateRange(begin.date(), period.last)

        async def load() -> CacheEntry:
            most = self._settings.page_bars
            async with contextlib.aclosing(
                self._repository.query_time_series(asset, rest, timeframe)
            ) as bars:
                parts = await first_bars(bars, after=begin, count=most)
            return CacheEntry(page_bytes(parts, is_last=sum(map(len, parts)) < most))

        return PricePage.of(
            await self._computed(asset, partial(bars_key, asset, rest, timeframe.name, begin), load)
        )

    async def closes(self, asset: str, timeframe: TimeFrame, steps: int, seed: int) -> tuple[float, ...]:
        """The prices that a historical model replays: where they begin is drawn from the seed.

        Raises:
            InvalidInput: There are too few; the reason says what is there.
        """
        draw = partial(
            drawn_closes,
            self._repository,
            asset,
            timeframe,
            steps=steps,
            seed=seed,
            max_bars=self._settings.max_window_bars,
        )
        async with self._entered():
            return await self._breaker.call(draw)

    async def recording(self, asset: str, period: DateRange) -> str:
        """The chains of a period for a simulation that shows them, packed.

        Raises:
            InvalidInput: There are none, or too many; the reason says what is there.
        """
        async with self._entered():
            return await self._breaker.call(partial(recorded_days, self._repository, asset, period))

    async def warm(self) -> int:
        """Load the days that were used most before; returns how many there are."""
        remembered = await self._most_used.remembered()
        for asset, day in remembered:
            with contextlib.suppress(OptionChainError):
                await self.chain(asset, day)
        return len(remembered)

    async def status(self) -> str:
        """Answers when the actor runs."""
        self._housekeeping.begin()
        return "up"

    async def close(self) -> None:
        """End what runs beside the calls; store and cache belong to who opened them."""
        await self._housekeeping.end()

    @asynccontextmanager
    async def _entered(self) -> AsyncIterator[None]:
        """Be one of those that are served. Each begins what runs beside: Ray starts the actor again without a word."""
        self._housekeeping.begin()
        async with self._gate.entered():
            yield

    async def _read(self, key: str, load: Load, fresh_seconds: float) -> Cached:
        async with self._entered():
            return await self._reads.get(key, load, fresh_seconds)

    async def _computed(self, asset: str, key: Callable[[str], str], load: Load) -> Cached:
        """What is of one generation of an asset."""
        generation, before = await self._generations.of(asset_name(asset))
        async with self._entered():
            try:
                return await self._analytics.get(key(generation), load, self._settings.chain_seconds)
            except Unavailable:
                old = await self._analytics.known(key(before)) if before else None
                if old is None:
                    raise
                return old

    @asynccontextmanager
    async def _changing(self, asset: str) -> AsyncIterator[None]:
        """Be served as one who changes the data of an asset."""
        async with self._entered():
            try:
                yield
            except BaseException:
                await self._generations.doubt(asset)
                raise
            await self._generations.end(asset)

    async def _keep_house(self) -> None:
        await attempted(self._observer, "history.warm", self.warm)
        while True:
            await asyncio.sleep(self._settings.housekeeping_seconds)
            await attempted(self._observer, "history.drop_abandoned", self._drop_abandoned)
            await attempted(self._observer, "history.remember", self._most_used.remember)

    async def _drop_abandoned(self) -> None:
        await self._breaker.call(lambda: self._repository.drop_abandoned(datetime.now(UTC)))
