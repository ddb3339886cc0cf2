"""History as JSON: what the routes of `/api/v1/historical` answer and accept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import Any

import numpy as np
import orjson

from optionchain.errors import InvalidInput
from optionchain.history.bars import COLUMNS, PriceSeries
from optionchain.history.chains import QUOTE_FIELDS, DateRange, HistoricalChain, Quotes, floats
from optionchain.history.results import AssetSummary, VolatilityPoint
from optionchain.wire.instants import instant_from_wire, instant_to_wire

# What the body calls the columns of a chain.
_WIRE_NAMES = {
    "underlying_price": "underlying.price",
    "expirations": "chains.expiration",
    "strikes": "chains.contracts.strike",
}


def chain_json(chain: HistoricalChain) -> bytes:
    """``{asset, date, quote_time, underlying{symbol, price}, chains: [{expiration, days_to_expiration, contracts}]}``.

    A number that the source did not give is null.
    """
    chains = [
        {
            "expiration": expiration.isoformat(),
            "days_to_expiration": (expiration - chain.day).days,
            "contracts": _contracts(chain, rows),
        }
        for expiration, rows in chain.by_expiration()
    ]
    return orjson.dumps(
        {
            "asset": chain.asset,
            "date": chain.day.isoformat(),
            "quote_time": instant_to_wire(chain.quote_time),
            "underlying": {"symbol": chain.asset, "price": chain.underlying_price},
            "chains": chains,
        }
    )


def chain_from_wire(asset: str, day: date, body: Mapping[str, Any]) -> HistoricalChain:
    """Read what `chain_json` wrote; `quote_time` and every number of a quote may be absent or null.

    Raises:
        InvalidInput: Something is missing, or out of range.
    """
    underlying = _object(body.get("underlying"), "underlying")
    quote_time = body.get("quote_time")
    rows = list(_rows(body.get("chains")))
    if not rows:
        raise InvalidInput("chains", "must have a contract")
    instant = datetime.combine(day, time(), UTC)
    if quote_time is not None:
        instant = instant_from_wire("quote_time", quote_time)
    strikes = floats("chains.contracts.strike", [contract.get("strike") for _, contract in rows])
    calls, puts = _side(rows, "call"), _side(rows, "put")
    try:
        return HistoricalChain(
            asset=asset,
            day=day,
            quote_time=instant,
            underlying_price=underlying.get("price"),  # type: ignore[arg-type]  # the chain checks it
            expirations=np.array([expiration for expiration, _ in rows], "datetime64[D]"),
            strikes=strikes,
            calls=calls,
            puts=puts,
        )
    except InvalidInput as error:
        raise InvalidInput(_WIRE_NAMES.get(error.field, error.field), error.reason) from None


def summary_object(summary: AssetSummary) -> dict[str, Any]:
    """``{asset, from, to, chains{from, to, days} | null, prices{Day{from, to}}}``."""
    chains = _range(summary.chains) | {"days": summary.chain_days} if summary.chains else None
    return {
        "asset": summary.asset,
        **_range(summary.days),
        "chains": chains,
        "prices": {timeframe: _range(days) for timeframe, days in summary.prices.items()},
    }


def summaries_json(summaries: Iterable[AssetSummary]) -> bytes:
    """``{data: [summary]}``."""
    return orjson.dumps({"data": [summary_object(summary) for summary in summaries]})


def price_rows_json(series: PriceSeries) -> bytes:
    """``{time, open, high, low, close, volume}`` of each bar, separated by commas and without brackets."""
    if not len(series):
        return b""
    times = np.char.add(np.datetime_as_string(series.times, unit="s"), "Z").tolist()
    columns = [getattr(series, name).tolist() for name in COLUMNS]
    names = ("time", *COLUMNS)
    # orjson writes NaN as null.
    return orjson.dumps([dict(zip(names, row, strict=True)) for row in zip(times, *columns, strict=True)])[
        1:-1
    ]


def volatility_json(points: Iterable[VolatilityPoint]) -> bytes:
    """``{data: [{date, expiration, days_to_expiration, atm_volatility, put_volatility, call_volatility, skew}]}``."""
    rows = [
        {
            "date": point.day.isoformat(),
            "expiration": point.expiration.isoformat(),
            "days_to_expiration": point.days_to_expiration,
            "atm_volatility": point.atm_volatility,
            "put_volatility": point.put_volatility,
            "call_volatility": point.call_volatility,
            "skew": point.skew,
        }
        for point in points
    ]
    return orjson.dumps({"data": rows})


def realised_volatility_json(asset: str, period: DateRange, volatility: float | None) -> bytes:
    """``{asset, from, to, volatility}``; null where there are fewer than two returns."""
    return orjson.dumps({"asset": asset, **_range(period), "volatility": volatility})


def day_from_wire(field: str, text: object) -> date:
    """Read ``2024-01-02``.

    Raises:
        InvalidInput: It is no date.
    """
    try:
        if isinstance(text, str) and len(text) == len("2024-01-02"):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise InvalidInput(field, "must be a date such as 2024-01-02")


def _contracts(chain: HistoricalChain, rows: slice) -> list[dict[str, Any]]:
    calls, puts = _quote_rows(chain.calls.take(rows)), _quote_rows(chain.puts.take(rows))
    return [
        {"strike": strike, "call": call, "put": put}
        for strike, call, put in zip(chain.strikes[rows].tolist(), calls, puts, strict=True)
    ]


def _quote_rows(side: Quotes) -> list[dict[str, float]]:
    columns = [getattr(side, name).tolist() for name in QUOTE_FIELDS]
    return [dict(zip(QUOTE_FIELDS, row, strict=True)) for row in zip(*columns, strict=True)]


def _rows(chains: object) -> Iterable[tuple[date, Mapping[str, Any]]]:
    for index, chain in enumerate(_list(chains, "chains")):
        place = f"chains[{index}]"
        content = _object(chain, place)
        expiration = day_from_wire(f"{place}.expiration", content.get("expiration"))
        for number, contract in enumerate(_list(content.get("contracts"), f"{place}.contracts")):
            yield expiration, _object(contract, f"{place}.contracts[{number}]")


def _side(rows: Sequence[tuple[date, Mapping[str, Any]]], side: str) -> Quotes:
    field = f"chains.contracts.{side}"
    sides = [_object(contract.get(side) or {}, field) for _, contract in rows]
    try:
        return Quotes(**{name: floats(name, [quote.get(name) for quote in sides]) for name in QUOTE_FIELDS})
    except InvalidInput as error:
        raise error.under(field) from None


def _object(value: object, field: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise InvalidInput(field, "must be an object")
    return value


def _list(value: object, field: str) -> list[Any]:
    if not isinstance(value, list):
        raise InvalidInput(field, "must be a list")
    return value


def _range(days: DateRange) -> dict[str, Any]:
    return {"from": days.first.isoformat(), "to": days.last.isoformat()}
