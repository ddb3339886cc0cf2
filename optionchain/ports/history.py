"""Chains and prices of the past."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Protocol

from optionchain.history.bars import PriceSeries
from optionchain.history.chains import DateRange, HistoricalChain
from optionchain.history.results import AssetSummary, SimulationResult, VolatilityPoint
from optionchain.time_frame import TimeFrame


class HistoricalDataRepository(Protocol):
    """Chains and prices of the past. Every method raises `Unavailable` when the store does not answer."""

    async def get_historical_chain(self, asset: str, day: date) -> HistoricalChain:
        """The chain of an asset on a day, as last saved.

        Raises:
            NotFound: None was saved.
        """
        ...

    async def save_historical_chain(self, chain: HistoricalChain) -> int:
        """Store a chain in place of what was stored of that asset and day; readers see one or the other.

        Saved again, nothing doubles. When two write the same day at once, the last one counts.

        Returns:
            Its revision: every write of a day has a greater one than the write before.
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

    async def chain_revisions(self, asset: str, days: Collection[date]) -> Mapping[date, int]:
        """The revisions of the chains of some days; of days without a chain there is none."""
        ...

    async def chain_days(self, asset: str, period: DateRange) -> Mapping[date, int]:
        """The days of a period that have a chain, ascending, and how many strikes each has over all expirations."""
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
        """Keep a result for good. One that goes on from what is stored takes its place; its beginning changes nothing.

        Raises:
            Conflict: Another result has this id.
        """
        ...

    async def results_of_session(self, session_id: str, stored_by: str) -> Sequence[SimulationResult]:
        """The results of a session that are its owner's, in order of id; each change of its parameters began one."""
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
