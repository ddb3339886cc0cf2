"""How a file would be imported: its shape, its columns, and which of its rows; found out before anything is stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import polars as pl

from adapters.history_files.bars import BarMapping, detect_bars
from adapters.history_files.chain_shapes import OPTION_TERMS, SHAPES, detect_shape, plain_name
from adapters.history_files.chains import ChainMapping, detect_chains
from adapters.history_files.numbers import DECIMALS
from adapters.history_files.tables import Table, open_table
from optionchain.errors import InvalidInput
from optionchain.history.chains import asset_name
from optionchain.time_frame import TimeFrame

FORMATS = ("auto", "ohlcv", *SHAPES)
# Columns that tell whose a row is, where a file has those of many.
SYMBOLS = ("underlying_symbol", "symbol", "ticker", "name")
NOTHING_GIVEN: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """What would be imported, and how; made by `plan_import`."""

    table: Table
    asset: str
    mapping: BarMapping | ChainMapping
    only: Mapping[str, str]

    @property
    def rejects_path(self) -> Path:
        return self.table.path.with_name(self.table.path.name + ".rejects.csv")

    @property
    def progress_path(self) -> Path:
        return self.table.path.with_name(self.table.path.name + ".import.json")

    def describe(self) -> dict[str, str]:
        """What was detected, to be shown."""
        mapping, table = self.mapping, self.table
        shown = {"file": str(table.path), "asset": self.asset}
        if not table.is_parquet:
            header = f"line {table.lines_before}" if table.has_header else "no"
            shown |= {"delimiter": repr(table.delimiter), "header": header}
        shown |= {"decimal mark": mapping.decimal, "timezone": mapping.timezone}
        if self.only:
            shown["only rows with"] = ", ".join(f"{column} {value}" for column, value in self.only.items())
        if isinstance(mapping, BarMapping):
            shown |= {"format": "ohlcv", "time frame": mapping.timeframe.name, "dates": mapping.date_format}
            return shown | {f"  {name}": column for name, column in mapping.columns.items()}
        shown |= {"format": mapping.shape.name, **{f"{k} format": v for k, v in mapping.date_formats.items()}}
        columns = {name: mapping.columns.get(column) for name, column in mapping.shape.columns.items()}
        return shown | {f"  {name}": column for name, column in columns.items() if column}


def plan_import(
    path: Path,
    *,
    asset: str,
    form: str = "auto",
    timeframe: TimeFrame = TimeFrame.DAY,
    timezone: str = "UTC",
    month_first: bool | None = None,
    decimal: str | None = None,
    day: date | None = None,
    underlying_price: float | None = None,
    columns: Mapping[str, str] = NOTHING_GIVEN,
    only: Mapping[str, str] = NOTHING_GIVEN,
) -> ImportPlan:
    """Find out how a file is to be read; nothing is stored.

    Args:
        path: CSV or Parquet.
        asset: Whose prices or chains they are.
        form: One of `FORMATS`.
        timeframe: What a bar spans.
        timezone: Of the instants and of the close, an IANA name.
        month_first: Of dates that could be either, read the month first, or the day; None finds out.
        decimal: The mark before a fraction, `.` or `,`; None finds out.
        day: The day of a chain, where the file does not say it.
        underlying_price: The same.
        columns: Of bars, the columns by field, where their names tell nothing.
        only: Take only the rows that have this value in this column. Of a file of many assets, those of `asset` are
            taken where a column names it.

    Raises:
        InvalidInput: The file is unreadable, or of no shape that is known.
    """
    asset_name(asset)
    if form not in FORMATS:
        raise InvalidInput("format", f"must be one of {', '.join(FORMATS)}")
    try:
        ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise InvalidInput("timezone", "must be an IANA name such as America/New_York") from error
    if decimal not in (None, *DECIMALS):
        raise InvalidInput("decimal", f"must be one of {', '.join(DECIMALS)}")
    table = open_table(path)
    shape = detect_shape(table.columns) if form == "auto" else SHAPES.get(form)
    rows = _wanted(table, asset, only)
    first = table.sample()
    sample = taken(first, rows)
    sample = first if sample.is_empty() else sample
    how: dict[str, Any] = {"timezone": timezone, "month_first": month_first, "decimal": decimal}
    mapping: BarMapping | ChainMapping
    if shape is not None:
        mapping = detect_chains(table, sample, shape, day=day, underlying_price=underlying_price, **how)
    elif form == "auto" and (terms := OPTION_TERMS & {plain_name(name) for name in table.columns}):
        raise InvalidInput(
            "format", f"the file has {', '.join(sorted(terms))}, and is of no shape that is known"
        )
    else:
        mapping = detect_bars(table, sample, timeframe=timeframe, given=columns, **how)
    return ImportPlan(table, asset, mapping, rows)


def _wanted(table: Table, asset: str, only: Mapping[str, str]) -> Mapping[str, str]:
    """The rows to take: those asked for, else those of the asset where a file says whose they are."""
    plain = {plain_name(name): name for name in table.columns}
    for column in only:
        if column not in table.columns:
            raise InvalidInput("only", f"the file has no column {column}; it has {', '.join(table.columns)}")
    symbol_column = next((plain[name] for name in SYMBOLS if name in plain), None)
    if symbol_column is None or symbol_column in only:
        return only
    found = _cells(table.sample(), symbol_column).drop_nulls().unique(maintain_order=True).to_list()
    same = [symbol for symbol in found if symbol.lstrip("^$").upper() == asset.upper()]
    for one in (found, same):
        if len(one) == 1:
            return {**only, symbol_column: one[0]}
    if not found:
        return only
    example = f"--only {symbol_column}={found[0]}"
    raise InvalidInput("only", f"the file has rows of {', '.join(found[:10])}: say which, as in {example}")


def taken(frame: pl.DataFrame, only: Mapping[str, str]) -> pl.DataFrame:
    """The rows that have these values."""
    for column, value in only.items():
        frame = frame.filter(_cells(frame, column) == value)
    return frame


def _cells(frame: pl.DataFrame, column: str) -> pl.Series:
    return frame[column].cast(pl.String).str.strip_chars()
