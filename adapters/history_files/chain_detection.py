"""What a file of chains says by itself, and what it lacks: how its dates and numbers are written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

import polars as pl

from adapters.history_files.chain_mapping import DATES, NUMBERS, ChainMapping, is_wide
from adapters.history_files.chain_units import SaidUnits, units_of
from adapters.history_files.dates import days, detect_formats, instant_texts
from adapters.history_files.numbers import detect_decimal, number_texts
from adapters.history_files.presets import Preset
from adapters.history_files.tables import Table
from optionchain.errors import InvalidInput
from optionchain.history.chains import QUOTE_FIELDS

NOTHING_SAID = SaidUnits()


def detect_chains(
    table: Table,
    sample: pl.DataFrame,
    preset: Preset,
    columns: Mapping[str, str],
    *,
    day: date | None = None,
    expiration: date | None = None,
    underlying_price: float | None = None,
    takes_closes: bool = False,
    units: SaidUnits = NOTHING_SAID,
    timezone: str = "UTC",
    month_first: bool | None = None,
    decimal: str | None = None,
) -> ChainMapping:
    """Find out how the dates and numbers of a file are written, and whether anything is missing.

    Raises:
        InvalidInput: The file and the options together do not say all that is needed.
    """
    _check_complete(table, preset, columns, day=day, expiration=expiration)
    if expiration is not None and "contract" in columns:
        raise InvalidInput("expiration", "the symbols of the contracts say it: leave it out")
    for field, said in (("date", day), ("expiration", expiration)):
        if said is not None and field in columns:
            _check_said(sample[columns[field]], field, said, timezone=timezone, month_first=month_first)
            columns = {name: column for name, column in columns.items() if name != field}
    dates = {name: instant_texts(sample[columns[field]]) for name, field in DATES.items() if field in columns}
    # Those who sell these shapes are American.
    formats = detect_formats(dates, month_first=month_first, usual=True) if dates else {}
    if decimal is None:
        cells = number_texts(sample[columns[field]] for field in _numeric(columns))
        decimal = detect_decimal(cells, delimiter=table.delimiter)
    mapping = ChainMapping(
        preset=preset,
        columns=columns,
        date_formats=formats,
        scale=preset.scale,
        day=day,
        expiration=expiration,
        underlying_price=underlying_price,
        takes_closes=takes_closes,
        timezone=timezone,
        decimal=decimal,
    )
    if not mapping.says_price and underlying_price is None and not takes_closes:
        reason = (
            f"a {preset.name} file does not say it: give it, or closes for the daily closes that are stored"
        )
        raise InvalidInput("underlying-price", reason)
    _check_values(mapping, sample)
    scale, in_underlying = units_of(mapping, sample, units)
    return replace(mapping, scale=scale, in_underlying=in_underlying)


def _check_said(cells: pl.Series, field: str, said: date, *, timezone: str, month_first: bool | None) -> None:
    """Refuse a date which the user says for all rows, where a column says another."""
    texts = instant_texts(cells)
    try:
        form = detect_formats({field: texts}, month_first=month_first, usual=True)[field]
    except InvalidInput:  # a clock, or whatever else
        return
    found = days(texts, form, timezone, is_expiration=field == "expiration").dt.date().drop_nulls()
    if len(others := found.filter(found != said)):
        reason = (
            f"the file says {others[0]} in its column {cells.name}: leave it out, or give --column {field}="
        )
        raise InvalidInput(field, reason)


def _numeric(columns: Mapping[str, str]) -> list[str]:
    """The fields that are numbers."""
    quotes = {side + name for side in ("", "call_", "put_") for name in QUOTE_FIELDS}
    return [field for field in columns if field in NUMBERS or field in quotes]


def _check_complete(
    table: Table, preset: Preset, columns: Mapping[str, str], *, day: date | None, expiration: date | None
) -> None:
    """Refuse a file that does not say, with the options, what makes a contract and its quote."""
    has_terms = "contract" in columns
    missing = [
        field
        for field, is_said in (
            ("expiration", has_terms or expiration is not None),
            ("strike", has_terms),
            ("option_type", has_terms or is_wide(columns)),
        )
        if field not in columns and not is_said
    ]
    if not is_wide(columns) and not any(field in columns for field in QUOTE_FIELDS):
        missing.append("bid")
    if missing:
        known = ", ".join(f"{field}={column}" for field, column in columns.items()) or "no column"
        options = " or --expiration" if missing == ["expiration"] else ""
        reason = (
            f"read as {preset.name}, it has {known}, and is of no shape that is known without {', '.join(missing)}: "
            f"give --column {missing[0]}=NAME{options}; its columns are {', '.join(table.columns)}"
        )
        raise InvalidInput("file", reason)
    if "date" not in columns and day is None:
        raise InvalidInput("date", f"a {preset.name} file does not say its day: give it")


def _check_values(mapping: ChainMapping, sample: pl.DataFrame) -> None:
    for field, allowed in mapping.preset.values.items():
        others = sample[mapping.columns[field]].cast(pl.String).drop_nulls().unique().sort()
        if found := [value for value in others if value not in allowed]:
            reason = (
                f"{mapping.preset.name} is read where {field} is {' or '.join(allowed)}, and the file has "
                f"{', '.join(found[:5])}: --format chain takes prices and volatilities as they are"
            )
            raise InvalidInput("format", reason)
