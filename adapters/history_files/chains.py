"""Chain files: frames as historical chains."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

import numpy as np
import polars as pl

from adapters.history_files.chain_columns import option_types
from adapters.history_files.chain_mapping import DATES, NUMBERS, ChainMapping
from adapters.history_files.chain_names import SIDES
from adapters.history_files.contracts import IN_DOLLARS, contract_terms
from adapters.history_files.dates import days, has_clock, instant_texts, instants
from adapters.history_files.numbers import numbers, scaled
from adapters.history_files.placeholders import without_placeholders
from optionchain.errors import InvalidInput
from optionchain.expirations.local_time import load_zone
from optionchain.history.chains import QUOTE_FIELDS, SIGNED_FIELDS, HistoricalChain, Quotes

# The end of a trading day, where the file has no time.
CLOSE = time(16)
CONTRACT = ("day", "expiration", "strike")
OLDEST_CLOSE_DAYS = 4
NO_CLOSES: Mapping[date, float] = {}


@dataclass(frozen=True, slots=True)
class ChainRows:
    """What the rows of a frame are.

    Attributes:
        chains: One a day.
        rejects: The rows that are no contracts, as ``row, reason``.
        repaired: Numbers that stood for nothing, by field.
        superseded: Rows of which a later one quotes the same contract.
    """

    chains: list[HistoricalChain]
    rejects: pl.DataFrame
    repaired: Counter[str]
    superseded: int = 0


def chains_of(
    frame: pl.DataFrame,
    mapping: ChainMapping,
    *,
    asset: str,
    closes: Mapping[date, float] = NO_CLOSES,
    priced_day: date | None = None,
) -> ChainRows:
    """The good rows as chains, by day, and the others with the reason.

    Args:
        frame: As `Table.frames` gives it.
        mapping: Of its file.
        asset: Whose chains they are.
        closes: The underlying's prices by day, where the mapping takes them.
        priced_day: The day of the one price that a user gave; None is the first of the frame.
    """
    values, repaired = _values(frame, mapping)
    judged = values.with_columns(_reason(mapping).alias("reason"))
    judged, superseded = _without_doubles(judged, mapping)
    rejects = [judged.filter(pl.col("reason").is_not_null()).select("row", "reason")]
    chains: list[HistoricalChain] = []
    good = judged.filter(pl.col("reason").is_null())
    for (day,), rows in good.partition_by("day", as_dict=True, maintain_order=True).items():
        try:
            priced_day = priced_day or day
            price = _underlying_price(rows, day, mapping, closes, priced_day)
            chains.append(_chain(rows, day, mapping, asset, price))
        except InvalidInput as error:
            rejects.append(rows.select("row", pl.lit(str(error)).alias("reason")))
    return ChainRows(chains, pl.concat(rejects), repaired, superseded)


def _values(frame: pl.DataFrame, mapping: ChainMapping) -> tuple[pl.DataFrame, Counter[str]]:
    """The cells of a frame as what they mean; ``unreadable`` names the first that should be a number and is none."""
    terms = contract_terms(frame[mapping.columns["contract"]]) if "contract" in mapping.columns else None
    columns, unreadable = [], pl.repeat(None, len(frame), dtype=pl.String, eager=True)
    for field in (*NUMBERS, *mapping.quotes):
        column = pl.repeat(None, len(frame), dtype=pl.Float64, eager=True)
        if field in mapping.columns:
            column, is_none = numbers(frame[mapping.columns[field]], mapping.decimal)
            if is_none.any():
                unreadable = unreadable.set(is_none & unreadable.is_null(), field)
        elif field == "strike" and terms is not None:
            column = terms[field]
        columns.append(column.alias(field))
    values, repaired = without_placeholders(pl.DataFrame(columns), mapping.quotes)
    values = values.with_columns(_scaled(values, mapping))
    dates = [_days(frame, mapping, name, terms).alias(name) for name in DATES]
    read = pl.DataFrame(
        [
            frame["row"],
            *dates,
            *_instants(frame, mapping),
            *_sides(frame, mapping, terms),
            unreadable.alias("unreadable"),
        ]
    )
    return read.hstack(_in_currency(values, mapping, terms)), repaired


def _scaled(values: pl.DataFrame, mapping: ChainMapping) -> list[pl.Series]:
    """The fields that are written in other units than ours, in ours."""
    fields = []
    for field in mapping.columns.keys() & set(values.columns):
        quote = field.removeprefix("call_").removeprefix("put_")
        scale = mapping.scale.get(field, mapping.scale.get(quote, 1.0))
        shift = mapping.preset.shift.get(field, mapping.preset.shift.get(quote, 0.0))
        if (scale, shift) != (1.0, 0.0):
            fields.append(pl.Series(field, scaled(values[field].to_numpy(), scale) + shift).fill_nan(None))
    return fields


def _in_currency(values: pl.DataFrame, mapping: ChainMapping, terms: pl.DataFrame | None) -> pl.DataFrame:
    """Prices in units of the underlying as prices in currency."""
    if not mapping.in_underlying:
        return values
    in_coin = (
        pl.lit(True) if terms is None else ~terms["root"].str.contains(IN_DOLLARS).fill_null(value=False)
    )
    given = pl.lit(mapping.underlying_price, pl.Float64)
    price = pl.when(in_coin).then(pl.coalesce("underlying_price", given)).otherwise(1.0)
    return values.with_columns(pl.col(field) * price for field in mapping.in_underlying)


def _days(frame: pl.DataFrame, mapping: ChainMapping, name: str, terms: pl.DataFrame | None) -> pl.Series:
    column = mapping.columns.get(DATES[name])
    if column is not None:
        texts, form = instant_texts(frame[column]), mapping.date_formats[name]
        return days(texts, form, mapping.timezone, is_expiration=name == "expiration").dt.date()
    if name == "expiration" and terms is not None:
        return terms["expiration"]
    given = mapping.day if name == "day" else mapping.expiration
    return pl.repeat(given, len(frame), dtype=pl.Date, eager=True)


def _instants(frame: pl.DataFrame, mapping: ChainMapping) -> list[pl.Series]:
    """When each row was quoted, where that is said."""
    form = mapping.date_formats.get("day", "")
    if not has_clock(form):
        return []
    return [instants(instant_texts(frame[mapping.columns["date"]]), form, mapping.timezone).alias("instant")]


def _sides(frame: pl.DataFrame, mapping: ChainMapping, terms: pl.DataFrame | None) -> list[pl.Series]:
    if mapping.is_wide:
        return []
    if "option_type" in mapping.columns:
        return [option_types(frame[mapping.columns["option_type"]]).alias("option_type")]
    return [terms["side"].alias("option_type")] if terms is not None else []


def _without_doubles(judged: pl.DataFrame, mapping: ChainMapping) -> tuple[pl.DataFrame, int]:
    """Of the rows of one contract the last counts: the others are rejected, or of quotes through a day passed over."""
    key = CONTRACT if mapping.is_wide else (*CONTRACT, "option_type")
    rows = len(judged)
    if "instant" in judged.columns:
        is_fine = pl.col("reason").is_null()
        latest = pl.col("instant").filter(is_fine).max().over(key)
        judged = judged.filter(~(is_fine & (pl.col("instant") < latest).fill_null(value=False)))
    is_double = pl.col("reason").is_null() & ~pl.struct(*key, "reason").is_last_distinct()
    if mapping.preset.is_ticks:
        kept = judged.filter(~is_double)
        return kept, rows - len(kept)
    reason = pl.when(is_double).then(pl.lit("a later row has the same contract")).otherwise("reason")
    return judged.with_columns(reason.alias("reason")), rows - len(judged)


def _reason(mapping: ChainMapping) -> pl.Expr:
    """Why a row is no contract; null where it is one."""
    every = mapping.quotes
    unsigned = [
        name for name in every if name.removeprefix("call_").removeprefix("put_") not in SIGNED_FIELDS
    ]
    rules: list[tuple[pl.Expr, str | pl.Expr]] = [
        (pl.col("day").is_null(), "the day is missing or no date"),
        (pl.col("expiration").is_null(), "the expiration is missing or no date"),
        (pl.col("expiration") < pl.col("day"), "the expiration is before the day"),
        (pl.col("unreadable").is_not_null(), pl.col("unreadable") + " is no number"),
        (~(pl.col("strike") > 0).fill_null(value=False), "the strike is missing or not above 0"),
        (pl.any_horizontal(pl.col(unsigned) < 0), "a quote is negative"),
        (pl.any_horizontal(pl.col(every).is_infinite()), "a quote is infinite"),
    ]
    if not mapping.is_wide:
        rules.append((pl.col("option_type").is_null(), "the option type is neither call nor put"))
    reason = pl.lit(None, pl.String)
    for is_broken, text in reversed(rules):
        reason = pl.when(is_broken).then(pl.lit(text) if isinstance(text, str) else text).otherwise(reason)
    return reason


def _chain(
    rows: pl.DataFrame, day: date, mapping: ChainMapping, asset: str, underlying_price: float
) -> HistoricalChain:
    contracts = rows.select("expiration", "strike").unique().sort("expiration", "strike")
    if mapping.is_wide:
        sides = [_side(contracts, rows, f"{side}_") for side in SIDES]
    else:
        sides = [_side(contracts, rows.filter(pl.col("option_type") == letter), "") for letter in "cp"]
    return HistoricalChain(
        asset=asset,
        day=day,
        quote_time=datetime.combine(day, CLOSE, load_zone(mapping.timezone)),
        underlying_price=underlying_price,
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


def _underlying_price(
    rows: pl.DataFrame, day: date, mapping: ChainMapping, closes: Mapping[date, float], priced_day: date
) -> float:
    middle = (pl.col("underlying_bid") + pl.col("underlying_ask")) / 2
    candidates: Sequence[pl.Expr] = (pl.col("underlying_price"), middle)
    for candidate in candidates:
        found = rows.select(candidate.filter(candidate > 0).median())[0, 0]
        if found is not None:
            return float(found)
    if mapping.takes_closes:
        # What is collected at a weekend, or on a holiday behind one, is of the last close.
        ages = (closes.get(day - timedelta(days=age)) for age in range(OLDEST_CLOSE_DAYS + 1))
        if (close := next((close for close in ages if close is not None), None)) is not None:
            return close
        raise InvalidInput("underlying-price", f"no daily close of {day} is stored")
    if mapping.underlying_price is None:
        raise InvalidInput("underlying-price", "no row of the day has one above 0")
    if not mapping.says_price and day != priced_day:
        reason = (
            f"what was given is that of {priced_day}: give `closes`, for the daily closes that are stored"
        )
        raise InvalidInput("underlying-price", reason)
    return mapping.underlying_price
