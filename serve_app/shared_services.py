"""What the routes ask of the shared actors."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Protocol

from actors.history_actor import PricePage
from optionchain.history import DateRange, HistoricalChain
from optionchain.history_ports import Cached
from optionchain.time_frame import TimeFrame


class HistoryService(Protocol):
    """The methods of `actors.history_actor.HistoryActor` that the routes use; over Ray or not."""

    async def chain(self, asset: str, day: date) -> Cached: ...
    async def save_chain(self, chain: HistoricalChain) -> None: ...
    async def assets(self) -> Cached: ...
    async def asset_range(self, asset: str) -> Cached: ...
    async def volatility(self, asset: str, period: DateRange) -> Cached: ...
    async def closes(self, asset: str, timeframe: TimeFrame, steps: int, seed: int) -> tuple[float, ...]: ...
    async def price_page(
        self, asset: str, period: DateRange, timeframe: TimeFrame, begin: datetime | None = None
    ) -> PricePage: ...


class ConfigService(Protocol):
    """The methods of `actors.config_actor.ConfigActor`; over Ray or not."""

    async def get(self, name: str, version: int | None = None) -> Cached: ...
    async def save(
        self, name: str, values: Mapping[str, Any], expected_version: int, saved_by: str
    ) -> bytes: ...
    async def names(self) -> bytes: ...
    async def history(self, name: str, limit: int = 100) -> bytes: ...
