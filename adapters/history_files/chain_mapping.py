"""How a file of chains is read: its columns, how it writes dates and numbers, and in which units."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

import polars as pl

from adapters.history_files.chain_columns import SIDES
from adapters.history_files.dates import days, detect_formats, instant_texts
from adapters.history_files.numbers import detect_decimal, number_texts, numbers
from adapters.history_files.placeholders import without_placeholders
from adapters.history_files.presets import Preset
from adapters.history_files.tables import Table
from optionchain.errors import InvalidInput
from optionchain.history.chains import QUOTE_FIELDS

NUMBERS = ("strike", "underlying_price", "underlying_bid", "underlying_ask")
DATES = {"day": "date", "expiration": "expiration"}
# The lowest quarter of a chain is below the one in fractions, and above the other in percent.
HIGHEST_FRACTION, LOWEST_PERCENT = 2.0, 4.0
# Of the middle strike of a file, in prices of the underlying.
FARTHEST_STRIKE = 50.0
VOLATILITY_UNITS = {"fraction": 1.0, "percent": 0.01}


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainMapping:
    """How a file of chains is read.

    Attributes:
        preset: Its vendor's.
        columns: Of the file, by field.
        date_formats: Of `day` and `expiration`, where columns say them.
        scale: Factors, by field.
        day: The day of all rows, where the file has none.
        expiration: The same.
        underlying_price: Where the file has none.
        takes_closes: Where the file has no price of the underlying, it is the daily close that is stored.
        timezone: Of the close, at 16:00.
        decimal: The mark before a fraction.
    """

    preset: Preset
    columns: Mapping[str, str]
    date_formats: Mapping[str, str]
    scale: Mapping[str, float]
    day: date | None = None
    expiration: date | None = None
    underlying_price: float | None = None
    takes_closes: bool = False
    timezone: str = "UTC"
    decimal: str = "."

    @property
    def is_wide(self) -> bool:
        """Whether a row has a call and a put."""
        return _is_wide(self.columns)

    @property
    def says_price(self) -> bool:
        """Whether the file has the underlying's price."""
        return any(name in self.columns for name in ("underlying_price", "underlying_bid"))

    @property
    def quotes(self) -> tuple[str, ...]:
        """The fields of quotes that a row has."""
        sides = tuple(f"{side}_" for side in SIDES) if self.is_wide else ("",)
        return tuple(side + name for side in sides for name in QUOTE_FIELDS)


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
    volatility_unit: str | None = None,
    strike_scale: float | None = None,
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
    return replace(mapping, scale=_scales(mapping, sample, volatility_unit, strike_scale))


def _scales(
    mapping: ChainMapping, sample: pl.DataFrame, volatility_unit: str | None, strike_scale: float | None
) -> dict[str, float]:
    """The factors into our units: the user's, the preset's, or found out."""
    scales = {
        **mapping.preset.scale,
        "implied_volatility": _volatility_unit(mapping, sample, volatility_unit),
    }
    scales.setdefault("delta", _delta_unit(mapping, sample))
    if strike_scale is not None:
        scales["strike"] = strike_scale
    elif "strike" not in scales:
        _check_strikes(mapping, sample)
    return scales


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


def _is_wide(columns: Mapping[str, str]) -> bool:
    return any(field.startswith("call_") for field in columns)


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
            ("option_type", has_terms or _is_wide(columns)),
        )
        if field not in columns and not is_said
    ]
    if not _is_wide(columns) and not any(field in columns for field in QUOTE_FIELDS):
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


def _check_strikes(mapping: ChainMapping, sample: pl.DataFrame) -> None:
    """Refuse strikes in a unit that is none of the underlying's, as thousandths or fixed-point."""
    middles = {
        field: numbers(sample[mapping.columns[field]], mapping.decimal)[0].median()
        for field in ("strike", "underlying_price")
        if field in mapping.columns
    }
    strike, price = middles.get("strike"), middles.get("underlying_price", mapping.underlying_price)
    if not isinstance(strike, float) or not isinstance(price, float) or strike <= 0 or price <= 0:
        return
    if not 1 / FARTHEST_STRIKE < strike / price < FARTHEST_STRIKE:
        reason = (
            f"strikes such as {strike:g} beside an underlying at {price:g} are in another unit: give their factor, "
            "0.001 for thousandths, or 1 if that is what they are"
        )
        raise InvalidInput("strike-scale", reason)


def _volatility_unit(mapping: ChainMapping, sample: pl.DataFrame, said: str | None) -> float:
    """The factor that makes implied volatilities fractions.

    Raises:
        InvalidInput: They could be in either unit.
    """
    if said is not None:
        return VOLATILITY_UNITS[said]
    if "implied_volatility" in mapping.preset.scale:
        return mapping.preset.scale["implied_volatility"]
    quarter = _quoted(mapping, sample, "implied_volatility").quantile(0.25)
    if quarter is None or quarter <= HIGHEST_FRACTION:
        return VOLATILITY_UNITS["fraction"]
    if quarter >= LOWEST_PERCENT:
        return VOLATILITY_UNITS["percent"]
    reason = f"implied volatilities such as {quarter:g} are {quarter:g} % or {quarter:.0%}: say percent or fraction"
    raise InvalidInput("volatility-unit", reason)


def _delta_unit(mapping: ChainMapping, sample: pl.DataFrame) -> float:
    """The factor that makes deltas fractions: none is above 1, and in percent most are."""
    middle = _quoted(mapping, sample, "delta").abs().median()
    return VOLATILITY_UNITS["percent"] if isinstance(middle, float) and middle > 1.0 else 1.0


def _quoted(mapping: ChainMapping, sample: pl.DataFrame, quote: str) -> pl.Series:
    """The numbers of a quote in a sample, of calls and puts."""
    fields = [field for field in mapping.quotes if field.endswith(quote) and field in mapping.columns]
    read = {field: numbers(sample[mapping.columns[field]], mapping.decimal)[0] for field in fields}
    quoted = without_placeholders(pl.DataFrame(read), fields)[0]
    return pl.concat([pl.Series([], dtype=pl.Float64), *(quoted[field].alias("") for field in fields)])
