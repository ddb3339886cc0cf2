"""End-of-day chain files: frames as historical chains."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

from adapters.history_files.chain_shapes import ChainShape, plain_name
from adapters.history_files.dates import detect_format
from adapters.history_files.tables import Table
from optionchain.errors import InvalidInput
from optionchain.history import QUOTE_FIELDS, SIGNED_FIELDS, HistoricalChain, Quotes

OCC = r"^.{1,6}?(\d{6})([CP])\d{8}$"
# The end of a trading day, where the file has no time.
CLOSE = time(16)
CONTRACT = ("day", "expiration", "strike")


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


def detect_chains(
    table: Table, shape: ChainShape, *, day: date | None, underlying_price: float | None, timezone: str
) -> ChainMapping:
    """Find out how the dates of a file are written, and whether anything is missing.

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
    sample = table.sample()
    formats = {
        field: detect_format(sample[columns[shape.columns[field]]].cast(pl.String))
        for field in ("day", "expiration")
        if shape.columns.get(field) in columns
    }
    return ChainMapping(shape, columns, formats, day, underlying_price, timezone)


def chains_of(
    frame: pl.DataFrame, mapping: ChainMapping, *, asset: str
) -> tuple[list[HistoricalChain], pl.DataFrame]:
    """The good rows as chains, by day, and the others as ``row, reason``."""
    values = frame.select("row", *_expressions(mapping))
    key = CONTRACT if mapping.shape.is_wide else (*CONTRACT, "option_type")
    judged = values.with_columns(_reason(mapping.shape).alias("reason"))
    same = (*key, "reason")
    is_double = pl.col("reason").is_null() & (pl.int_range(pl.len()).over(*same) < pl.len().over(*same) - 1)
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


def _expressions(mapping: ChainMapping) -> list[pl.Expr]:
    shape, columns = mapping.shape, mapping.columns

    def number(field: str) -> pl.Expr:
        name = columns.get(shape.columns.get(field, ""))
        if name is None:
            return pl.lit(None, pl.Float64).alias(field)
        text = pl.col(name)
        return (
            text.cast(pl.String).str.strip_chars().cast(pl.Float64, strict=False).fill_nan(None).alias(field)
        )

    sides = ("call_", "put_") if shape.is_wide else ("",)
    quotes = [number(side + name) for side in sides for name in QUOTE_FIELDS]
    underlying = [number(name) for name in ("underlying_price", "underlying_bid", "underlying_ask")]
    terms = [_day(mapping, "day"), _day(mapping, "expiration"), number("strike")]
    option_type = [] if shape.is_wide else [_option_type(mapping)]
    return [*terms, *option_type, *underlying, *quotes]


def _day(mapping: ChainMapping, field: str) -> pl.Expr:
    column = mapping.columns.get(mapping.shape.columns.get(field, ""))
    if column is not None:
        text = pl.col(column).cast(pl.String).str.strip_chars()
        return text.str.to_datetime(mapping.date_formats[field], strict=False).dt.date().alias(field)
    if field == "expiration":
        digits = _contract_symbol(mapping).str.extract(OCC, 1)
        return (pl.lit("20") + digits).str.to_date("%Y%m%d", strict=False).alias(field)
    return pl.lit(mapping.day, pl.Date).alias(field)


def _option_type(mapping: ChainMapping) -> pl.Expr:
    column = mapping.columns.get(mapping.shape.columns.get("option_type", ""))
    text = pl.col(column).str.strip_chars() if column else _contract_symbol(mapping).str.extract(OCC, 2)
    letter = text.str.to_lowercase().str.slice(0, 1)
    return pl.when(letter.is_in(["c", "p"])).then(letter).alias("option_type")


def _contract_symbol(mapping: ChainMapping) -> pl.Expr:
    return pl.col(mapping.columns[mapping.shape.columns["contract_symbol"]])


def _reason(shape: ChainShape) -> pl.Expr:
    """Why a row is no contract; null where it is one."""
    sides = ("call_", "put_") if shape.is_wide else ("",)
    unsigned = [side + name for side in sides for name in QUOTE_FIELDS if name not in SIGNED_FIELDS]
    every = [side + name for side in sides for name in QUOTE_FIELDS]
    rules = [
        (pl.col("day").is_null(), "the day is missing or no date"),
        (pl.col("expiration").is_null(), "the expiration is missing or no date"),
        (pl.col("expiration") < pl.col("day"), "the expiration is before the day"),
        (~(pl.col("strike") > 0).fill_null(value=False), "the strike is missing or not above 0"),
        (pl.any_horizontal(pl.col(unsigned) < 0), "a quote is negative"),
        (pl.any_horizontal(pl.col(every).is_infinite()), "a quote is infinite"),
    ]
    if not shape.is_wide:
        rules.append((pl.col("option_type").is_null(), "the option type is neither call nor put"))
    reason = pl.lit(None, pl.String)
    for is_broken, text in reversed(rules):
        reason = pl.when(is_broken).then(pl.lit(text)).otherwise(reason)
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
