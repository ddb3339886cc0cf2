"""The ports of history, configuration and cache: what the application needs of them, in its own words."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol, TypeVar

from optionchain.configuration import Configuration, ConfigurationSummary
from optionchain.history import DateRange, HistoricalChain
from optionchain.history_results import AssetSummary, SimulationResult, VolatilityPoint
from optionchain.price_series import PriceSeries
from optionchain.time_frame import TimeFrame

T = TypeVar("T")


class HistoricalDataRepository(Protocol):
    """Chains and prices of the past. Every method raises `Unavailable` when the store does not answer."""

    async def get_historical_chain(self, asset: str, day: date) -> HistoricalChain:
        """The chain of an asset on a day, as last saved.

        Raises:
            NotFound: None was saved.
        """
        ...

    async def save_historical_chain(self, chain: HistoricalChain) -> None:
        """Store a chain in place of what was stored of that asset and day; readers see one or the other.

        Saved again, nothing doubles. When two write the same day at once, the last one counts.
        """
        ...

    async def merge_historical_chain(self, chain: HistoricalChain) -> int:
        """Add the contracts of a chain to those that are stored of that asset and day; of the same, the newer count.

        When two write the same day at once, the contracts of both are stored.

        Returns:
            How many calls and puts of `chain` were stored already.

        Raises:
            Conflict: Others kept changing the same day; nothing was stored.
        """
        ...

    async def list_available_assets(self) -> Sequence[AssetSummary]:
        """What is stored, by asset in order of name."""
        ...

    async def get_asset(self, asset: str) -> AssetSummary:
        """What is stored of an asset.

        Raises:
            NotFound: Nothing is.
        """
        ...

    async def get_date_range_for_asset(self, asset: str) -> DateRange:
        """From the first day of which anything of the asset is stored to the last.

        Raises:
            NotFound: Nothing is stored of it.
        """
        ...

    def query_time_series(
        self, asset: str, period: DateRange, timeframe: TimeFrame
    ) -> AsyncGenerator[PriceSeries, None]:
        """Stream the bars that begin within a period, in order, in parts of bounded size.

        They are made of the coarsest stored time frame that is not coarser than the wanted one.

        Raises:
            NotFound: No prices of the asset are stored at this or a finer time frame.
        """
        ...

    async def save_time_series(self, series: PriceSeries) -> None:
        """Store bars among those that are stored; one of the same instant is replaced.

        Raises:
            Conflict: Others kept changing the same bars; a part may have been stored, and repeating is safe.
        """
        ...

    async def query_volatility(
        self, asset: str, period: DateRange, *, wing: float = 0.05
    ) -> Sequence[VolatilityPoint]:
        """The smile of each day and expiration in a period, computed by the store.

        Args:
            asset: Its name.
            period: At most ten years.
            wing: How far the wings of the skew are from the underlying's price, as a part of it, in (0, 1).
        """
        ...

    async def query_realised_volatility(
        self, asset: str, period: DateRange, *, periods_per_year: float = 252.0
    ) -> float | None:
        """Annualised sample standard deviation of the daily log returns in a period, computed by the store.

        Args:
            asset: Its name.
            period: Of the daily closes (UTC).
            periods_per_year: Trading days in a year.

        Returns:
            None where there are fewer than two returns.
        """
        ...

    async def store_simulation_result(self, result: SimulationResult) -> None:
        """Keep a result for good. Storing the same again is no error.

        Raises:
            Conflict: Another result has this id.
        """
        ...

    async def get_simulation_result(self, result_id: str) -> SimulationResult:
        """A result that was stored.

        Raises:
            NotFound: None has this id.
        """
        ...

    async def drop_abandoned(self, now: datetime) -> int:
        """Drop what writers that died left behind and nobody sees; returns how many documents that were."""
        ...


class ConfigRepository(Protocol):
    """Named configurations. Every method raises `Unavailable` when the store does not answer."""

    async def get_config(self, name: str, version: int | None = None) -> Configuration:
        """A version of a configuration; None is the latest.

        Raises:
            NotFound: There is none.
        """
        ...

    async def save_config(
        self,
        name: str,
        values: Mapping[str, Any],
        *,
        expected_version: int,
        saved_by: str,
        saved_at: datetime,
    ) -> Configuration:
        """Store the version after `expected_version` (0: the first) and return it.

        Raises:
            Conflict: The latest version is another one. Of two writers with the same expectation one wins.
            InvalidInput: The name, a key or the size is not allowed.
        """
        ...

    async def list_configurations(self) -> Sequence[ConfigurationSummary]:
        """The latest version of each configuration, in order of name."""
        ...

    async def get_config_history(self, name: str, *, limit: int = 100) -> Sequence[Configuration]:
        """The versions of a configuration, the latest first.

        Raises:
            NotFound: There is none.
        """
        ...

    def changes(self) -> AsyncGenerator[str | None, None]:
        """The names of configurations as they change, whoever changes them; without end.

        None comes first, once no further change can be missed.

        Raises:
            Unavailable: The store cannot tell; ask it from time to time instead.
        """
        ...


@dataclass(frozen=True, slots=True)
class Cached:
    """A value of a cache.

    Attributes:
        value: What was set.
        is_stale: It is older than it should be, and given because its source does not answer.
    """

    value: bytes
    is_stale: bool = False


class CacheService(Protocol):
    """Bytes with a time to live. A cache that does not answer is an empty one: no method raises for that."""

    async def get(self, key: str) -> bytes | None:
        """The value, or None where there is none or its time is over."""
        ...

    async def set(self, key: str, value: bytes, ttl_seconds: float) -> None:
        """Keep a value for about `ttl_seconds`: a little less, so that what was set together ends apart."""
        ...

    async def delete(self, key: str) -> None:
        """Forget a value, in every process."""
        ...

    async def exists(self, key: str) -> bool:
        """Whether `get` would find a value."""
        ...


class Breaker(Protocol):
    """Stands in front of a dependency, and refuses calls at once while it is known to be down."""

    async def call(self, operation: Callable[[], Awaitable[T]]) -> T:
        """Run an operation and return its result.

        Raises:
            Unavailable: What the operation raised; or at once, and then it was not run.
        """
        ...
