"""History as MongoDB documents: what a chain of a day and a stretch of prices look like when stored."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, TypeAlias

import numpy as np

from optionchain.arrays import Floats
from optionchain.errors import InvalidInput
from optionchain.history.bars import COLUMNS, STORED_TIME_FRAMES, PriceSeries
from optionchain.history.chains import QUOTE_FIELDS, DateRange, HistoricalChain, Quotes
from optionchain.history.results import AssetSummary, SimulationResult, VolatilityPoint
from optionchain.time_frame import TimeFrame

Document: TypeAlias = dict[str, Any]

CHAIN_IDENTITY = ("asset", "date")
PRICE_IDENTITY = ("asset", "timeframe", "chunk")
# What one document of prices spans, as a numpy unit: at most 3,600 bars on a regular grid.
CHUNK_UNITS = {"Second": "h", "Minute": "D", "Hour": "M"}
COARSE_CHUNK_UNIT = "Y"
MAX_BARS_PER_CHUNK = 20_000  # 4 MB is the bound of a time-series measurement; a bar takes about 80 bytes


def midnight(day: date) -> datetime:
    """The first instant of a day, UTC: MongoDB has no dates."""
    return datetime.combine(day, time(), UTC)


def chain_documents(chain: HistoricalChain) -> tuple[list[Document], list[Document], Document]:
    """A document for each expiration, its key, and the summary for the head."""
    documents, keys = [], []
    for expiration, rows in chain.by_expiration():
        documents.append(
            {
                "time": chain.quote_time,
                "underlying_price": chain.underlying_price,
                "strikes": chain.strikes[rows].tolist(),
                "call": _quotes_document(chain.calls.take(rows)),
                "put": _quotes_document(chain.puts.take(rows)),
            }
        )
        keys.append({"expiration": midnight(expiration)})
    summary = {"documents": len(documents), "contracts": int(chain.strikes.size)}
    return documents, keys, summary


def chain_of(head: Document, documents: Sequence[Document]) -> HistoricalChain:
    """The chain that `chain_documents` stored."""
    sizes = [len(document["strikes"]) for document in documents]
    expirations = np.array([document["key"]["expiration"].date() for document in documents], "datetime64[D]")
    return HistoricalChain(
        asset=head["asset"],
        day=head["date"].date(),
        quote_time=documents[0]["time"],
        underlying_price=documents[0]["underlying_price"],
        expirations=np.repeat(expirations, sizes),
        strikes=np.concatenate([document["strikes"] for document in documents]),
        calls=_quotes(documents, "call", sizes),
        puts=_quotes(documents, "put", sizes),
        revision=revision_of(head),
    )


def revision_of(head: Document) -> int:
    """How often the set of a head was replaced; 0 where nobody has counted yet."""
    return int(head.get("number", 0))


def chunks(series: PriceSeries) -> Iterator[tuple[Document, PriceSeries]]:
    """The series in the stretches that are stored together, each with its identity."""
    units = series.times.astype(f"datetime64[{_chunk_unit(series.timeframe)}]")
    starts, where = np.unique(units, return_index=True)
    ends = [*where[1:].tolist(), len(series)]
    shared = {"asset": series.asset, "timeframe": series.timeframe.name}
    for start, begin, end in zip(starts.astype("datetime64[s]").tolist(), where.tolist(), ends, strict=True):
        yield {**shared, "chunk": start.replace(tzinfo=UTC)}, series.take(slice(begin, end))


def chunk_bounds(period: DateRange, timeframe: TimeFrame) -> Document:
    """The stretches that may have bars of a period, as a condition on `chunk`."""
    first = np.datetime64(period.first).astype(f"datetime64[{_chunk_unit(timeframe)}]")
    start: datetime = first.astype("datetime64[s]").item()
    return {"$gte": start.replace(tzinfo=UTC), "$lt": midnight(period.last + timedelta(days=1))}


def price_document(identity: Document, bars: PriceSeries) -> tuple[Document, Document]:
    """The document of one stretch, and the summary for its head.

    Raises:
        InvalidInput: It has too many bars.
    """
    if len(bars) > MAX_BARS_PER_CHUNK:
        reason = f"more than {MAX_BARS_PER_CHUNK} bars from {identity['chunk']:%Y-%m-%d %H:%M} on: choose a finer one"
        raise InvalidInput("timeframe", reason)
    start = np.datetime64(identity["chunk"].replace(tzinfo=None), "s")
    columns = {
        name: getattr(bars, name).tolist() for name in COLUMNS if not np.all(np.isnan(getattr(bars, name)))
    }
    offsets = (bars.times - start).astype(np.int64).tolist()
    days = bars.days
    summary = {"documents": 1, "bars": len(bars), "first": midnight(days.first), "last": midnight(days.last)}
    return {"time": identity["chunk"], "seconds": offsets, **columns}, summary


def prices_of(documents: Sequence[Document]) -> PriceSeries:
    """The bars of some stretches, in their order."""
    key = documents[0]["key"]
    times = [
        np.datetime64(document["time"].replace(tzinfo=None), "s")
        + np.array(document["seconds"], "timedelta64[s]")
        for document in documents
    ]
    sizes = [len(document["seconds"]) for document in documents]
    columns = {name: _concatenated([document.get(name) for document in documents], sizes) for name in COLUMNS}
    return PriceSeries(
        asset=key["asset"], timeframe=TimeFrame(key["timeframe"]), times=np.concatenate(times), **columns
    )


def result_document(result: SimulationResult) -> Document:
    """The document of a simulation's result."""
    document = {field.name: getattr(result, field.name) for field in fields(result) if field.name != "id"}
    columns = {"prices": list(result.prices), "volatilities": list(result.volatilities)}
    return {"_id": result.id, **document, **columns}


def result_of(document: Document) -> SimulationResult:
    """The result that `result_document` stored."""
    content = {name: document[name] for name in ("asset", "parameters", "stored_by", "stored_at")}
    columns = {name: tuple(document[name]) for name in ("prices", "volatilities")}
    return SimulationResult(**content | columns | {"id": document["_id"]})


def summaries_of(chains: Sequence[Document], prices: Sequence[Document]) -> list[AssetSummary]:
    """What is stored of each asset, of the rows of `chain_days` and `price_days`."""
    days = {row["_id"]: (_range(row), row["count"]) for row in chains}
    series: dict[str, dict[str, DateRange]] = {}
    for row in sorted(prices, key=lambda row: STORED_TIME_FRAMES.index(row["_id"]["timeframe"])):
        series.setdefault(row["_id"]["asset"], {})[row["_id"]["timeframe"]] = _range(row)
    return [
        AssetSummary(
            asset=asset,
            chains=days.get(asset, (None, 0))[0],
            chain_days=days.get(asset, (None, 0))[1],
            prices=series.get(asset, {}),
        )
        for asset in sorted(days.keys() | series.keys())
    ]


def volatility_point_of(row: Document) -> VolatilityPoint:
    """A row of `volatility_points`."""
    return VolatilityPoint(
        day=row["_id"]["date"].date(),
        expiration=row["_id"]["expiration"].date(),
        atm_volatility=row["atm"]["volatility"],
        put_volatility=row["put"]["volatility"],
        call_volatility=row["call"]["volatility"],
    )


def _range(row: Document) -> DateRange:
    return DateRange(row["first"].date(), row["last"].date())


def _chunk_unit(timeframe: TimeFrame) -> str:
    return CHUNK_UNITS.get(timeframe.name, COARSE_CHUNK_UNIT)


def _quotes_document(side: Quotes) -> Document:
    """The columns that say anything."""
    columns = ((name, getattr(side, name)) for name in QUOTE_FIELDS)
    return {name: column.tolist() for name, column in columns if not np.all(np.isnan(column))}


def _quotes(documents: Sequence[Document], side: str, sizes: Sequence[int]) -> Quotes:
    return Quotes(
        **{
            name: _concatenated([document[side].get(name) for document in documents], sizes)
            for name in QUOTE_FIELDS
        }
    )


def _concatenated(columns: Sequence[list[float] | None], sizes: Sequence[int]) -> Floats:
    parts = [
        np.full(size, np.nan) if column is None else np.array(column, np.float64)
        for column, size in zip(columns, sizes, strict=True)
    ]
    return np.concatenate(parts)
