"""OHLCV files: which column is what, and frames as price series."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from adapters.history_files.dates import detect_format, instants
from adapters.history_files.tables import Table
from optionchain.errors import InvalidInput
from optionchain.price_series import COLUMNS, PRICE_FIELDS, PriceSeries, bar_checks
from optionchain.time_frame import TimeFrame

NAMES: Mapping[str, tuple[str, ...]] = {
    "date": ("date", "datetime", "timestamp", "time", "day", "quote_date", "gmt time", "local time"),
    "time": ("time", "hour"),
    "open": ("open", "o", "open price"),
    "high": ("high", "h", "high price"),
    "low": ("low", "l", "low price"),
    "close": ("close", "c", "close price", "close/last", "last", "price"),
    "volume": ("volume", "vol", "v", "tick_volume", "tickvol"),
}
# Without a header, by the number of columns.
POSITIONS: Mapping[int, tuple[str, ...]] = {
    5: ("date", "open", "high", "low", "close"),
    6: ("date", "open", "high", "low", "close", "volume"),
    7: ("date", "time", "open", "high", "low", "close", "volume"),
}


@dataclass(frozen=True, slots=True)
class BarMapping:
    """Which column of a file is what, and how it writes instants."""

    columns: Mapping[str, str]
    date_format: str


def detect_bars(table: Table, *, month_first: bool = False) -> BarMapping:
    """Find the columns of an OHLCV file.

    Raises:
        InvalidInput: One is missing, or dates are written in no known way.
    """
    columns = _by_name(table.columns) if table.has_header else _by_position(table.columns)
    missing = [name for name in ("date", *PRICE_FIELDS) if name not in columns]
    if missing:
        raise InvalidInput(
            "file", f"has no column for {', '.join(missing)}; it has {', '.join(table.columns)}"
        )
    sample = table.sample().select(_instant_text(columns).alias("text"))["text"]
    return BarMapping(columns, detect_format(sample, month_first=month_first))


def bars_of(
    frame: pl.DataFrame, mapping: BarMapping, *, asset: str, timeframe: TimeFrame, timezone: str
) -> tuple[PriceSeries | None, pl.DataFrame]:
    """The good rows as bars, and the others as ``row, reason``; of rows of one instant the last counts.

    Args:
        frame: As `Table.frames` gives it.
        mapping: Of its file.
        asset: Whose bars they are.
        timeframe: What a bar spans.
        timezone: Of the instants, unless they are counted from 1970.
    """
    numbers = [_number(frame, mapping.columns.get(name)).alias(name) for name in COLUMNS]
    instant = instants(_instant_text(mapping.columns), mapping.date_format, timezone).alias("time")
    values = frame.select("row", instant, *numbers)
    columns = {name: values[name].to_numpy() for name in COLUMNS}
    reasons = np.full(len(values), "", dtype=object)
    for name, (bad, reason) in reversed(bar_checks(columns).items()):  # the first that is broken is named
        reasons[bad] = f"{name}: {reason}"
    reasons[values["time"].is_null().to_numpy()] = f"date: is not {mapping.date_format}"
    is_good = reasons == ""
    rejects = pl.DataFrame({"row": values["row"].filter(~is_good), "reason": reasons[~is_good].astype(str)})
    good = values.filter(is_good)
    if good.is_empty():
        return None, rejects
    if not good["time"].is_sorted() or good["time"].n_unique() < len(good):
        good = good.unique("time", keep="last").sort("time")
    series = PriceSeries(
        asset=asset,
        timeframe=timeframe,
        times=good["time"].to_numpy().astype("datetime64[s]"),
        **{name: good[name].to_numpy() for name in COLUMNS},
    )
    return series, rejects


def _number(frame: pl.DataFrame, column: str | None) -> pl.Expr:
    if column is None:
        return pl.lit(None, pl.Float64)
    cells = pl.col(column)
    if frame.schema[column] == pl.String:
        cells = cells.str.strip_chars()
    return cells.cast(pl.Float64, strict=False)


def _instant_text(columns: Mapping[str, str]) -> pl.Expr:
    date = pl.col(columns["date"]).cast(pl.String).str.strip_chars()
    if "time" not in columns:
        return date
    return pl.concat_str(date, pl.col(columns["time"]).cast(pl.String).str.strip_chars(), separator=" ")


def _by_name(names: tuple[str, ...]) -> dict[str, str]:
    known = {name.strip(' "<>[]').lower(): name for name in names}
    columns: dict[str, str] = {}
    for field, aliases in NAMES.items():
        taken = set(columns.values())
        found = next(
            (known[alias] for alias in aliases if alias in known and known[alias] not in taken), None
        )
        if found is not None:
            columns[field] = found
    return columns


def _by_position(names: tuple[str, ...]) -> dict[str, str]:
    fields = POSITIONS.get(len(names), ())
    return dict(zip(fields, names, strict=False))
