"""History in MongoDB: chains and prices in time-series collections, contracts and bars by columns.

Collections: ``historical_chains`` (a document for each asset, day and expiration), ``historical_prices`` (one for each
asset, time frame and hour, day, month or year of bars), their ``_heads`` (see `adapters.mongo.revisions`), and
``simulation_results``.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from pymongo import AsyncMongoClient

from adapters.mongo.connection import mongo_errors
from adapters.mongo.history_analytics import chain_days, price_days, realised_volatility, volatility_points
from adapters.mongo.history_documents import (
    CHAIN_IDENTITY,
    PRICE_IDENTITY,
    Document,
    chain_documents,
    chain_of,
    chunk_bounds,
    chunks,
    midnight,
    price_document,
    prices_of,
    revision_of,
    summaries_of,
    volatility_point_of,
)
from adapters.mongo.results import MongoResults
from adapters.mongo.revisions import BATCH, Revision, RevisionedSets
from optionchain.declared.checks import finite, positive
from optionchain.errors import Conflict, InvalidInput, NotFound
from optionchain.history.bars import (
    COLUMNS,
    STORED_TIME_FRAMES,
    PriceSeries,
    resampled_stream,
    source_time_frame,
    stored_time_frame,
)
from optionchain.history.chains import DateRange, HistoricalChain, asset_name, plain_day
from optionchain.history.results import AssetSummary, SimulationResult, VolatilityPoint
from optionchain.patience import DOCUMENT_SWAP_ATTEMPTS
from optionchain.time_frame import TimeFrame

MAX_ANALYTICS_DAYS = 3653
# The time frames whose documents are within one day.
PARTS_OF_A_DAY = (TimeFrame.SECOND, TimeFrame.MINUTE)
CHAIN_FIELDS = {"underlying_price": 1, "strikes": 1, "call": 1, "put": 1}
PRICE_FIELDS = {"seconds": 1, **dict.fromkeys(COLUMNS, 1)}
NOTHING: Document = {}

# As its callers know it, in messages.
STORE = "the history store"


class MongoHistoricalRepository:
    """The `HistoricalDataRepository` on MongoDB.

    Args:
        client: An open client; closed by `close`.
        database: Name of the database.
    """

    def __init__(self, client: AsyncMongoClient[dict[str, Any]], database: str) -> None:
        self._client = client
        self._database = client[database]
        self._chains = RevisionedSets(
            self._database, "historical_chains", identity=CHAIN_IDENTITY, keys=["expiration"]
        )
        self._prices = RevisionedSets(self._database, "historical_prices", identity=PRICE_IDENTITY)
        self._results = MongoResults(self._database)
        self._preparing = asyncio.Lock()
        self._is_prepared = False

    async def get_historical_chain(self, asset: str, day: date) -> HistoricalChain:
        condition = {"asset": asset_name(asset), "date": midnight(plain_day(day, "date"))}
        with mongo_errors(STORE):
            for head, documents in await self._chains.read_some(condition, CHAIN_FIELDS):
                return chain_of(head, documents)
        raise NotFound("chain", f"{asset} {day}")

    async def save_historical_chain(self, chain: HistoricalChain) -> int:
        return await self._publish_chain(chain, lambda _: chain)

    async def merge_historical_chain(self, chain: HistoricalChain) -> int:
        shared = 0

        def merged(older: HistoricalChain | None) -> HistoricalChain:
            nonlocal shared
            shared = older.shared_contracts(chain) if older else 0
            return older.merged(chain) if older else chain

        await self._publish_chain(chain, merged, CHAIN_FIELDS)
        return shared

    async def chain_revisions(self, asset: str, days: Collection[date]) -> Mapping[date, int]:
        heads = await self._heads(asset, {"$in": [midnight(day) for day in days]})
        return {head["date"].date(): revision_of(head) for head in heads}

    async def chain_days(self, asset: str, period: DateRange) -> Mapping[date, int]:
        return {head["date"].date(): _contracts(head) for head in await self._heads(asset, _instants(period))}

    async def list_available_assets(self) -> Sequence[AssetSummary]:
        return await self._summaries({})

    async def get_date_range_for_asset(self, asset: str) -> DateRange:
        return (await self.get_asset(asset)).days

    async def get_asset(self, asset: str) -> AssetSummary:
        summaries = await self._summaries({"asset": asset_name(asset)})
        if not summaries:
            raise NotFound("asset", asset)
        return summaries[0]

    async def query_time_series(
        self, asset: str, period: DateRange, timeframe: TimeFrame
    ) -> AsyncGenerator[PriceSeries, None]:
        source = await self._source(asset, timeframe)
        stored = self._stored_prices(asset, period, source)
        parts = stored if source == timeframe else resampled_stream(stored, timeframe)
        async for part in parts:
            yield part

    async def save_time_series(self, series: PriceSeries) -> None:
        stretches = list(chunks(series))
        with mongo_errors(STORE):
            await self._prepare()
            for start in range(0, len(stretches), BATCH):
                await self._save_stretches(stretches[start : start + BATCH])

    async def query_volatility(
        self, asset: str, period: DateRange, *, wing: float = 0.05
    ) -> Sequence[VolatilityPoint]:
        finite("wing", wing, low=0.001, high=0.999)
        condition = {"asset": asset_name(asset), "date": _instants(_bounded(period))}
        with mongo_errors(STORE):
            points = await self._chains.aggregate(condition, volatility_points(wing=wing), each=_contracts)
        return [volatility_point_of(point) for point in points]

    async def query_realised_volatility(
        self, asset: str, period: DateRange, *, periods_per_year: float = 252.0
    ) -> float | None:
        positive("periods_per_year", periods_per_year, high=1e6)
        source = await self._source(asset, TimeFrame.DAY)
        condition = _stretches(asset, _bounded(period), source)
        pipeline = realised_volatility(
            _instants(period), periods_per_year=periods_per_year, is_part_of_a_day=source in PARTS_OF_A_DAY
        )
        with mongo_errors(STORE):
            answers = await self._prices.aggregate(condition, pipeline)
        return answers[0]["volatility"] if answers else None

    async def store_simulation_result(self, result: SimulationResult) -> None:
        with mongo_errors(STORE):
            await self._results.store(result)

    async def get_simulation_result(self, result_id: str) -> SimulationResult:
        with mongo_errors(STORE):
            return await self._results.get(result_id)

    async def results_of_session(self, session_id: str, stored_by: str) -> Sequence[SimulationResult]:
        with mongo_errors(STORE):
            return await self._results.of_session(session_id, stored_by)

    async def drop_abandoned(self, now: datetime) -> int:
        """Drop what writers that died left behind; returns how many documents that were."""
        with mongo_errors(STORE):
            return await self._chains.drop_abandoned(now) + await self._prices.drop_abandoned(now)

    async def ping(self) -> None:
        """Raise `Unavailable` unless the server answers."""
        with mongo_errors(STORE):
            await self._client.admin.command("ping")

    async def close(self) -> None:
        """Release the connections."""
        await self._client.close()

    async def _heads(self, asset: str, days: Document) -> list[Document]:
        fields = {"date": 1, "number": 1, "contracts": 1}
        with mongo_errors(STORE):
            found = self._chains.heads.find({"asset": asset_name(asset), "date": days}, fields)
            return await found.sort("date").to_list()

    async def _prepare(self) -> None:
        """Make collections and indexes, once in each process and before its first write."""
        async with self._preparing:
            if not self._is_prepared:
                await self._chains.prepare()
                await self._prices.prepare()
                self._is_prepared = True

    async def _publish_chain(
        self,
        chain: HistoricalChain,
        made_of: Callable[[HistoricalChain | None], HistoricalChain],
        fields: Document = NOTHING,
    ) -> int:
        """Store what is made of the chain that is stored; anew where another writer was first. Returns its revision.

        Args:
            chain: Of the day.
            made_of: What to store, given what is stored.
            fields: What is read of that; without any, `made_of` is given None.
        """
        identity = {"asset": chain.asset, "date": midnight(chain.day)}
        with mongo_errors(STORE):
            await self._prepare()
            for _ in range(DOCUMENT_SWAP_ATTEMPTS):
                stored = await self._chains.read_some(identity, fields, from_primary=True)
                head = stored[0][0] if stored else {}
                expected, number = head.get("revision"), revision_of(head) + 1
                older = chain_of(*stored[0]) if stored and fields else None
                documents, keys, summary = chain_documents(made_of(older))
                summary["number"] = number
                if not await self._chains.publish([Revision(identity, expected, documents, keys, summary)]):
                    return number
        raise Conflict("chain", f"{chain.asset} {chain.day}")

    async def _source(self, asset: str, timeframe: TimeFrame) -> TimeFrame:
        """The stored time frame to make `timeframe` of."""
        stored_time_frame(timeframe)
        with mongo_errors(STORE):
            stored = await self._prices.heads.distinct("timeframe", {"asset": asset_name(asset)})
        source = source_time_frame(timeframe, [name for name in stored if name in STORED_TIME_FRAMES])
        if source is None:
            has = f"has {', '.join(sorted(stored))} prices only" if stored else "has none"
            raise NotFound("prices", f"{asset} {timeframe.name} ({asset} {has})")
        return source

    async def _stored_prices(
        self, asset: str, period: DateRange, timeframe: TimeFrame
    ) -> AsyncGenerator[PriceSeries, None]:
        with mongo_errors(STORE):
            async for _, documents in self._prices.read(_stretches(asset, period, timeframe), PRICE_FIELDS):
                part = prices_of(documents).within(period)
                if len(part):
                    yield part

    async def _save_stretches(self, stretches: Sequence[tuple[Document, PriceSeries]]) -> None:
        """Merge stretches into what is stored, and again those where another writer was first."""
        for _ in range(DOCUMENT_SWAP_ATTEMPTS):
            stored, revisions = await self._stored_stretches([identity for identity, _ in stretches]), []
            for identity, bars in stretches:
                expected, older = stored.get(self._prices.identity_of(identity), (None, None))
                document, summary = price_document(identity, older.merged(bars) if older else bars)
                revisions.append(Revision(identity, expected, [document], [{}], summary))
            lost = await self._prices.publish(revisions)
            stretches = [s for s in stretches if self._prices.identity_of(s[0]) in lost]
            if not stretches:
                return
        raise Conflict("prices", stretches[0][0]["asset"])

    async def _stored_stretches(
        self, identities: Sequence[Document]
    ) -> dict[tuple[Any, ...], tuple[Any, PriceSeries]]:
        condition = {**identities[0], "chunk": {"$in": [identity["chunk"] for identity in identities]}}
        return {
            self._prices.identity_of(head): (head["revision"], prices_of(documents))
            for head, documents in await self._prices.read_some(condition, PRICE_FIELDS, from_primary=True)
        }

    async def _summaries(self, condition: Document) -> list[AssetSummary]:
        with mongo_errors(STORE):
            chains = await (await self._chains.heads.aggregate(chain_days(condition))).to_list()
            prices = await (await self._prices.heads.aggregate(price_days(condition))).to_list()
        return summaries_of(chains, prices)


def _instants(period: DateRange) -> Document:
    """From the first instant of a period to its last, as a condition."""
    return {"$gte": midnight(period.first), "$lt": midnight(period.last + timedelta(days=1))}


def _stretches(asset: str, period: DateRange, timeframe: TimeFrame) -> Document:
    return {
        "asset": asset_name(asset),
        "timeframe": timeframe.name,
        "chunk": chunk_bounds(period, timeframe),
    }


def _contracts(head: Document) -> int:
    contracts: int = head["contracts"]
    return contracts


def _bounded(period: DateRange) -> DateRange:
    if (period.last - period.first).days > MAX_ANALYTICS_DAYS:
        raise InvalidInput("to", f"must be at most {MAX_ANALYTICS_DAYS} days after the first day")
    return period
