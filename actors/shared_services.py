"""The shared actors as the routes and sweeps see them: the same methods, over Ray, on somebody's behalf."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol

from actors.history.pages import PricePage
from optionchain.context import HOUSEKEEPING, Context
from optionchain.history.bars import PriceSeries
from optionchain.history.chains import DateRange, HistoricalChain
from optionchain.history.results import SimulationResult
from optionchain.ports import Cached
from optionchain.time_frame import TimeFrame


class Callee(Protocol):
    """What can be called on somebody's behalf: a `NamedActor`, or what stands for one."""

    async def call(self, context: Context, method: str, *arguments: Any, is_repeatable: bool = True) -> Any:
        """As `NamedActor.call`."""
        ...


@dataclass(frozen=True, slots=True)
class RayHistory:
    """`HistoryActor` over Ray.

    Attributes:
        actor: The way to it.
        context: On whose behalf it is called.
    """

    actor: Callee
    context: Context = HOUSEKEEPING

    def on_behalf_of(self, context: Context) -> RayHistory:
        """The same, for a caller."""
        return RayHistory(self.actor, context)

    async def chain(self, asset: str, day: date) -> Cached:
        chain: Cached = await self.actor.call(self.context, "chain", asset, day)
        return chain

    async def save_chain(self, chain: HistoricalChain) -> None:
        await self.actor.call(self.context, "save_chain", chain)

    async def save_prices(self, series: PriceSeries) -> None:
        await self.actor.call(self.context, "save_prices", series)

    async def store_result(self, result: SimulationResult) -> None:
        await self.actor.call(self.context, "store_result", result)

    async def results(self, session_id: str, owner: str) -> bytes:
        results: bytes = await self.actor.call(self.context, "results", session_id, owner)
        return results

    async def assets(self) -> Cached:
        assets: Cached = await self.actor.call(self.context, "assets")
        return assets

    async def asset_range(self, asset: str) -> Cached:
        summary: Cached = await self.actor.call(self.context, "asset_range", asset)
        return summary

    async def volatility(self, asset: str, period: DateRange) -> Cached:
        points: Cached = await self.actor.call(self.context, "volatility", asset, period)
        return points

    async def realised_volatility(self, asset: str, period: DateRange) -> Cached:
        answer: Cached = await self.actor.call(self.context, "realised_volatility", asset, period)
        return answer

    async def price_page(
        self, asset: str, period: DateRange, timeframe: TimeFrame, begin: datetime | None = None
    ) -> PricePage:
        page: PricePage = await self.actor.call(self.context, "price_page", asset, period, timeframe, begin)
        return page

    async def closes(self, asset: str, timeframe: TimeFrame, steps: int, seed: int) -> tuple[float, ...]:
        closes: tuple[float, ...] = await self.actor.call(
            self.context, "closes", asset, timeframe, steps, seed
        )
        return closes

    async def recording(self, asset: str, period: DateRange) -> str:
        recording: str = await self.actor.call(self.context, "recording", asset, period)
        return recording

    async def warm(self) -> int:
        warmed: int = await self.actor.call(self.context, "warm")
        return warmed


@dataclass(frozen=True, slots=True)
class RayConfigurations:
    """`ConfigActor` over Ray.

    Attributes:
        actor: The way to it.
        context: On whose behalf it is called.
    """

    actor: Callee
    context: Context = HOUSEKEEPING

    def on_behalf_of(self, context: Context) -> RayConfigurations:
        """The same, for a caller."""
        return RayConfigurations(self.actor, context)

    async def get(self, name: str, version: int | None = None, with_secrets: bool = False) -> Cached:
        configuration: Cached = await self.actor.call(self.context, "get", name, version, with_secrets)
        return configuration

    async def parameter(self, name: str, key: str, with_secrets: bool = False) -> Cached:
        parameter: Cached = await self.actor.call(self.context, "parameter", name, key, with_secrets)
        return parameter

    async def save(
        self,
        name: str,
        values: Mapping[str, Any],
        expected_version: int,
        saved_by: str,
        is_secret: bool = False,
    ) -> bytes:
        # Sent again after it was applied, it would be refused as a conflict with itself.
        saved: bytes = await self.actor.call(
            self.context, "save", name, values, expected_version, saved_by, is_secret, is_repeatable=False
        )
        return saved

    async def names(self) -> bytes:
        names: bytes = await self.actor.call(self.context, "names")
        return names

    async def history(self, name: str, limit: int = 100, with_secrets: bool = False) -> bytes:
        versions: bytes = await self.actor.call(self.context, "history", name, limit, with_secrets)
        return versions
