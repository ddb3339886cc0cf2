"""End-of-day chain files: frames as historical chains."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

from adapters.history_files.chain_shapes import ChainShape, plain_name
from adapters.history_files.dates import detect_formats, instant_texts, instants
from adapters.history_files.numbers import detect_decimal, numbers
from adapters.history_files.tables import Table
from optionchain.errors import InvalidInput
from optionchain.history.chains import QUOTE_FIELDS, SIGNED_FIELDS, HistoricalChain, Quotes

OCC = r"^.{1,6}?(\d{6})([CP])\d{8}$"
# The end of a trading day, where the file has no time.
CLOSE = time(16)
CONTRACT = ("day", "expiration", "strike")
NUMBERS = ("strike", "underlying_price", "underlying_bid", "underlying_ask")


@dataclass(frozen=True, slots=True)
class ChainMapping:
    """How a file of chains is read.

    Attributes:
        shape: Its vendor's.
        columns: Plain name to name in the file.
        date_formats: Of the columns that are dates.
        day: The day of all rows, where the file has none.
        underlying_price: Where the file has none.
        timezone: Of the close, at 16:00.
    """

    shape: ChainShape
    columns: dict[str, str]
    date_formats: dict[str, str]
    day: date | None = None
    underlying_price: float | None = None
    timezone: str = "UTC"
    decimal: str = "."

    def column(self, field: str) -> str | None:
        """The name in the file of what holds a field; None where it has none."""
        return self.columns.get(self.shape.columns.get(field, ""))


def detect_chains(
    table: Table,
    sample: pl.DataFrame,
    shape: ChainShape,
    *,
    day: date | None,
    underlying_price: float | None,
    timezone: str,
    month_first: bool | None = None,
    decimal: str | None = None,
) -> ChainMapping:
    """Find out how the dates and numbers of a file are written, and whether anything is missing.

    Raises:
        InvalidInput: The file and the options together do not say all that is needed.
    """
    columns = {plain_name(name): name for name in table.columns}
    if missing := sorted(shape.needs - columns.keys()):
        raise InvalidInput("file", f"is not of the shape {shape.name}: it has no column {', '.join(missing)}")
    if shape.columns.get("day") not in columns and day is None:
        raise InvalidInput("date", f"a {shape.name} file does not say its day: give it")
    says_price = any(shape.columns.get(name) in columns for name in ("underlying_price", "underlying_bid"))
    if not says_price and underlying_price is None:
        raise InvalidInput("underlying-price", f"a {shape.name} file does not say it: give it")
    dates = {
        field: instant_texts(sample[columns[shape.columns[field]]])
        for field in ("day", "expiration")
        if shape.columns.get(field) in columns
    }
    # Those who sell these shapes are American.
    formats = detect_formats(dates, month_first=month_first, usual=True) if dates else {}
    if decimal is None:
        named = [
            columns[shape.columns[field]] for field in _numbers(shape) if shape.columns[field] in columns
        ]
        decimal = detect_decimal(
            pl.concat([instant_texts(sample[name]) for name in named]), delimiter=table.delimiter
        )
    return ChainMapping(shape, columns, formats, day, underlying_price, timezone, decimal)


def chains_of(
    frame: pl.DataFrame, mapping: ChainMapping, *, asset: str
) -> tuple[list[HistoricalChain], pl.DataFrame]:
    """The good rows as chains, by day, and the others as ``row, reason``."""
    values = _values(frame, mapping)
    key = CONTRACT if mapping.shape.is_wide else (*CONTRACT, "option_type")
    judged = values.with_columns(_reason(mapping.shape).alias("reason"))
    is_double = pl.col("reason").is_null() & ~pl.struct(*key, "reason").is_last_distinct()
    judged = judged.with_columns(
        pl.when(is_double)
        .then(pl.lit("a later row has the same contract"))
        .otherwise("reason")
        .alias("reason")
    )
    rejects = [judged.filter(pl.col("reason").is_not_null()).select("row", "reason")]
    chains = []
    for (day,), rows in judged.filter(pl.col("reason").is_null()).partition_by("day", as_dict=True).items():
        try:
            chains.append(_chain(rows, day, mapping, asset))
        except InvalidInput as error:
            rejects.append(rows.select("row", pl.lit(str(error)).alias("reason")))
    return chains, pl.concat(rejects)


def _numbers(shape: ChainShape) -> list[str]:
    """The fields of a shape that are numbers."""
    return [
        name
        for name in shape.columns
        if name in NUMBERS or name.removeprefix("call_").removeprefix("put_") in QUOTE_FIELDS
    ]


def _values(frame: pl.DataFrame, mapping: ChainMapping) -> pl.DataFrame:
    """The cells of a frame as what they mean; ``unreadable`` names the first that should be a number and is none."""
    shape = mapping.shape
    sides = ("call_", "put_") if shape.is_wide else ("",)
    fields = (*NUMBERS, *(side + name for side in sides for name in QUOTE_FIELDS))
    columns, unreadable = [], pl.repeat(None, len(frame), dtype=pl.String, eager=True)
    for field in fields:
        name = mapping.column(field)
        if name is None:
            columns.append(pl.repeat(None, len(frame), dtype=pl.Float64, eager=True).alias(field))
            continue
        values, is_none = numbers(frame[name], mapping.decimal)
        columns.append(values.alias(field))
        if is_none.any():
            unreadable = unreadable.set(is_none & unreadable.is_null(), field)
    terms = [_days(frame, mapping, field).alias(field) for field in ("day", "expiration")]
    option_type = [] if shape.is_wide else [_option_types(frame, mapping).alias("option_type")]
    return pl.DataFrame([frame["row"], *terms, *option_type, *columns, unreadable.alias("unreadable")])


def _days(frame: pl.DataFrame, mapping: ChainMapping, field: str) -> pl.Series:
    column = mapping.column(field)
    if column is not None:
        texts = instant_texts(frame[column])
        return instants(texts, mapping.date_formats[field], mapping.timezone, keeps_date=True).dt.date()
    if field == "expiration":
        digits = _contract_symbols(frame, mapping).str.extract(OCC, 1)
        return ("20" + digits).str.to_date("%Y%m%d", strict=False)
    return pl.repeat(mapping.day, len(frame), dtype=pl.Date, eager=True)


def _option_types(frame: pl.DataFrame, mapping: ChainMapping) -> pl.Series:
    column = mapping.column("option_type")
    texts = frame[column].cast(pl.String) if column else _contract_symbols(frame, mapping).str.extract(OCC, 2)
    letters = texts.str.strip_chars().str.to_lowercase().str.slice(0, 1)
    return letters.set(~letters.is_in(["c", "p"]), None)


def _contract_symbols(frame: pl.DataFrame, mapping: ChainMapping) -> pl.Series:
    return frame[mapping.columns[mapping.shape.columns["contract_symbol"]]]


def _reason(shape: ChainShape) -> pl.Expr:
    """Why a row is no contract; null where it is one."""
    sides = ("call_", "put_") if shape.is_wide else ("",)
    unsigned = [side + name for side in sides for name in QUOTE_FIELDS if name not in SIGNED_FIELDS]
    every = [side + name for side in sides for name in QUOTE_FIELDS]
    rules: list[tuple[pl.Expr, str | pl.Expr]] = [
        (pl.col("day").is_null(), "the day is missing or no date"),
        (pl.col("expiration").is_null(), "the expiration is missing or no date"),
        (pl.col("expiration") < pl.col("day"), "the expiration is before the day"),
        (pl.col("unreadable").is_not_null(), pl.col("unreadable") + " is no number"),
        (~(pl.col("strike") > 0).fill_null(value=False), "the strike is missing or not above 0"),
        (pl.any_horizontal(pl.col(unsigned) < 0), "a quote is negative"),
        (pl.any_horizontal(pl.col(every).is_infinite()), "a quote is infinite"),
    ]
    if not shape.is_wide:
        rules.append((pl.col("option_type").is_null(), "the option type is neither call nor put"))
    reason = pl.lit(None, pl.String)
    for is_broken, text in reversed(rules):
        reason = pl.when(is_broken).then(pl.lit(text) if isinstance(text, str) else text).otherwise(reason)
    return reason


def _chain(rows: pl.DataFrame, day: date, mapping: ChainMapping, asset: str) -> HistoricalChain:
    contracts = rows.select("expiration", "strike").unique().sort("expiration", "strike")
    if mapping.shape.is_wide:
        sides = [_side(contracts, rows, prefix) for prefix in ("call_", "put_")]
    else:
        sides = [_side(contracts, rows.filter(pl.col("option_type") == letter), "") for letter in "cp"]
    return HistoricalChain(
        asset=asset,
        day=day,
        quote_time=datetime.combine(day, CLOSE, ZoneInfo(mapping.timezone)),
        underlying_price=_underlying_price(rows, mapping),
        expirations=contracts["expiration"].to_numpy(),
        strikes=contracts["strike"].to_numpy(),
        calls=sides[0],
        puts=sides[1],
    )


def _side(contracts: pl.DataFrame, rows: pl.DataFrame, prefix: str) -> Quotes:
    quotes = rows.select(
        "expiration", "strike", *(pl.col(prefix + name).alias(name) for name in QUOTE_FIELDS)
    )
    joined = contracts.join(quotes, on=["expiration", "strike"], how="left", maintain_order="left")
    return Quotes(**{name: joined[name].fill_null(np.nan).to_numpy() for name in QUOTE_FIELDS})


def _underlying_price(rows: pl.DataFrame, mapping: ChainMapping) -> float:
    middle = (pl.col("underlying_bid") + pl.col("underlying_ask")) / 2
    candidates: Sequence[pl.Expr] = (pl.col("underlying_price"), middle)
    for candidate in candidates:
        found = rows.select(candidate.filter(candidate > 0).median())[0, 0]
        if found is not None:
            return float(found)
    if mapping.underlying_price is None:
        raise InvalidInput("underlying-price", "no row of the day has one")
    return mapping.underlying_price
