"""The shared actors as the routes and sweeps see them: the same methods, over Ray."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from actors.history.pages import PricePage
from actors.shared_actor import SharedActor
from optionchain.history.bars import PriceSeries
from optionchain.history.chains import DateRange, HistoricalChain
from optionchain.history.results import SimulationResult
from optionchain.ports import Cached
from optionchain.time_frame import TimeFrame


class RayHistory:
    """`HistoryActor` over Ray.

    Args:
        actor: The way to it.
    """

    def __init__(self, actor: SharedActor) -> None:
        self._actor = actor

    async def chain(self, asset: str, day: date) -> Cached:
        chain: Cached = await self._actor.call("chain", asset, day)
        return chain

    async def save_chain(self, chain: HistoricalChain) -> None:
        await self._actor.call("save_chain", chain)

    async def save_prices(self, series: PriceSeries) -> None:
        await self._actor.call("save_prices", series)

    async def store_result(self, result: SimulationResult) -> None:
        await self._actor.call("store_result", result)

    async def assets(self) -> Cached:
        assets: Cached = await self._actor.call("assets")
        return assets

    async def asset_range(self, asset: str) -> Cached:
        summary: Cached = await self._actor.call("asset_range", asset)
        return summary

    async def volatility(self, asset: str, period: DateRange) -> Cached:
        points: Cached = await self._actor.call("volatility", asset, period)
        return points

    async def realised_volatility(self, asset: str, period: DateRange) -> Cached:
        answer: Cached = await self._actor.call("realised_volatility", asset, period)
        return answer

    async def price_page(
        self, asset: str, period: DateRange, timeframe: TimeFrame, begin: datetime | None = None
    ) -> PricePage:
        page: PricePage = await self._actor.call("price_page", asset, period, timeframe, begin)
        return page

    async def closes(self, asset: str, timeframe: TimeFrame, steps: int, seed: int) -> tuple[float, ...]:
        closes: tuple[float, ...] = await self._actor.call("closes", asset, timeframe, steps, seed)
        return closes


class RayConfigurations:
    """`ConfigActor` over Ray.

    Args:
        actor: The way to it.
    """

    def __init__(self, actor: SharedActor) -> None:
        self._actor = actor

    async def get(self, name: str, version: int | None = None) -> Cached:
        configuration: Cached = await self._actor.call("get", name, version)
        return configuration

    async def save(self, name: str, values: Mapping[str, Any], expected_version: int, saved_by: str) -> bytes:
        # Sent again after it was applied, it would be refused as a conflict with itself.
        saved: bytes = await self._actor.call(
            "save", name, values, expected_version, saved_by, is_repeatable=False
        )
        return saved

    async def names(self) -> bytes:
        names: bytes = await self._actor.call("names")
        return names

    async def history(self, name: str, limit: int = 100) -> bytes:
        versions: bytes = await self._actor.call("history", name, limit)
        return versions
