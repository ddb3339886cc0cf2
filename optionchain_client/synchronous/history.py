# Made from asynchronous/history.py by make_synchronous.py: edit that.
"""The chains and prices of the past that the service keeps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from optionchain_client.checks import refuse_not_finite
from optionchain_client.frames import Columns, Rows
from optionchain_client.parameters import Instant
from optionchain_client.requests import ApiRequest, as_day, reading, segment
from optionchain_client.synchronous.transport import Transport
from optionchain_client.views import (
    AssetView,
    Bar,
    HistoricalChain,
    HistoricalExpiration,
    HistoricalUnderlying,
    RealisedVolatility,
    Result,
    SavedChain,
    VolatilityRow,
)

HISTORICAL = "/api/v1/historical"
BARS: Columns = {
    "time": "instant",
    "open": "number",
    "high": "number",
    "low": "number",
    "close": "number",
    "volume": "number",
}
SMILES: Columns = {
    "date": "day",
    "expiration": "day",
    "days_to_expiration": "count",
    "atm_volatility": "number",
    "put_volatility": "number",
    "call_volatility": "number",
    "skew": "number",
}


class History:
    """History. A day is a `date`, or a text such as ``2024-01-02``; periods include both their ends."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def results(self, session_id: str) -> list[Result]:
        """The steps that a session or simulation of yours was served, also when it is gone, where they are kept.

        Raises:
            NotFound: None were kept.
        """
        answer = self._transport.send(reading(f"/api/v1/results/{segment(session_id)}"))
        results: list[Result] = answer["data"]
        return results

    def assets(self) -> list[AssetView]:
        """What is stored, by asset."""
        answer = self._transport.send(reading(f"{HISTORICAL}/assets"))
        assets: list[AssetView] = answer["data"]
        return assets

    def asset(self, asset: str) -> AssetView:
        """What is stored of an asset.

        Raises:
            NotFound: Nothing is.
        """
        view: AssetView = self._transport.send(self._of(asset, "range"))
        return view

    def prices(
        self,
        asset: str,
        first: str | date | None = None,
        last: str | date | None = None,
        *,
        timeframe: str = "Day",
    ) -> Rows[Bar]:
        """The bars of a period, in order; a time frame that is not stored is made of a finer one.

        Args:
            asset: Its name.
            first: The first day; None means the first there is.
            last: The last day; None means the last there is.
            timeframe: Such as `Minute`, `Hour`, `Day` or `Week`.

        Raises:
            NotFound: There are no prices of it.
        """
        answer = self._transport.send(self._of(asset, "prices", first, last, timeframe=timeframe))
        return Rows((_bar(row) for row in answer["data"]), BARS)

    def volatility(self, asset: str, first: str | date, last: str | date) -> Rows[VolatilityRow]:
        """The smile of each day and expiration; the rows of one day are its term structure.

        Args:
            asset: Its name.
            first: The first day.
            last: The last day, at most ten years later.
        """
        answer = self._transport.send(self._of(asset, "volatility", first, last))
        return Rows((_smile(row) for row in answer["data"]), SMILES)

    def realised_volatility(self, asset: str, first: str | date, last: str | date) -> RealisedVolatility:
        """The annualised volatility of the daily closes of a period of at most ten years.

        Raises:
            NotFound: There are no prices of it.
        """
        view: RealisedVolatility = self._transport.send(self._of(asset, "realised-volatility", first, last))
        return view

    def chain(self, asset: str, day: str | date) -> HistoricalChain:
        """The chain of a day.

        Raises:
            NotFound: There is none.
        """
        view: HistoricalChain = self._transport.send(self._of(asset, segment(day)))
        return view

    def save_chain(
        self,
        asset: str,
        day: str | date,
        *,
        underlying: HistoricalUnderlying,
        chains: Sequence[HistoricalExpiration],
        quote_time: Instant | None = None,
    ) -> SavedChain:
        """Store the chain of a day, in the form in which `chain` gives it; what was stored of that day is replaced.

        Args:
            asset: Its name.
            day: It.
            underlying: With its `price`.
            chains: One an expiration, with its `contracts`.
            quote_time: When it was quoted; None means midnight UTC of the day.

        Raises:
            Forbidden: The key is not an administrator's.
            ValueError: A number is NaN or infinite; None says that nobody knows it.
        """
        body: dict[str, Any] = {"underlying": underlying, "chains": chains, "quote_time": quote_time}
        refuse_not_finite("", body)
        path = self._of(asset, segment(day)).path
        saved: SavedChain = self._transport.send(ApiRequest(method="PUT", path=path, body=body))
        return saved

    def _of(
        self,
        asset: str,
        what: str,
        first: str | date | None = None,
        last: str | date | None = None,
        **query: str,
    ) -> ApiRequest:
        period = {name: as_day(end) for name, end in (("from", first), ("to", last)) if end is not None}
        return reading(f"{HISTORICAL}/{segment(asset)}/{what}", **period, **query)


def _bar(row: Mapping[str, Any]) -> Bar:
    return Bar(**{**row, "time": datetime.fromisoformat(row["time"])})  # type: ignore[typeddict-item]


def _smile(row: Mapping[str, Any]) -> VolatilityRow:
    days = {name: date.fromisoformat(row[name]) for name in ("date", "expiration")}
    return VolatilityRow(**{**row, **days})  # type: ignore[typeddict-item]
