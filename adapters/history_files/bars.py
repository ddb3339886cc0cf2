"""OHLCV files: which column is what, and frames as price series."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import polars as pl

from adapters.history_files.dates import detect_formats, instant_texts, instants
from adapters.history_files.numbers import detect_decimal, numbers
from adapters.history_files.tables import Table
from optionchain.arrays import Floats
from optionchain.errors import InvalidInput
from optionchain.history.bars import COLUMNS, PRICE_FIELDS, STORED_TIME_FRAMES, PriceSeries, bar_checks
from optionchain.time_frame import TimeFrame

NAMES: Mapping[str, tuple[str, ...]] = {
    "date": (
        "date",
        "datetime",
        "timestamp",
        "time",
        "day",
        "quote_date",
        "gmt time",
        "local time",
        "open time",
    ),
    "time": ("time", "hour"),
    "open": ("open", "o", "open price"),
    "high": ("high", "h", "high price"),
    "low": ("low", "l", "low price"),
    "close": ("close", "c", "close price", "close/last", "last", "price"),
    "volume": ("volume", "vol", "vol.", "v", "tick_volume", "tickvol"),
}
_KLINE_REST = tuple(f"of Binance {number}" for number in range(7, 13))
# Without a header, by the number of columns.
POSITIONS: Mapping[int, tuple[str, ...]] = {
    5: ("date", "open", "high", "low", "close"),
    6: ("date", "open", "high", "low", "close", "volume"),
    7: ("date", "time", "open", "high", "low", "close", "volume"),
    12: ("date", "open", "high", "low", "close", "volume", *_KLINE_REST),
}
# Of a calendar unit, whose months and clock changes differ.
ABOUT_THE_SAME = 0.9
# What two roundings of one price differ by: a high just under its close is at it.
ROUNDING = 1e-9
NOTHING_GIVEN: Mapping[str, str] = {}
A_DAY_OR_LONGER = STORED_TIME_FRAMES[STORED_TIME_FRAMES.index("Day") :]


@dataclass(frozen=True, slots=True)
class BarMapping:
    """Which column of a file is what, and how it writes instants and numbers."""

    columns: Mapping[str, str]
    date_format: str
    timeframe: TimeFrame
    timezone: str = "UTC"
    decimal: str = "."
    is_descending: bool = False


def detect_bars(
    table: Table,
    sample: pl.DataFrame,
    *,
    timeframe: TimeFrame,
    timezone: str = "UTC",
    month_first: bool | None = None,
    decimal: str | None = None,
    given: Mapping[str, str] = NOTHING_GIVEN,
) -> BarMapping:
    """Find the columns of an OHLCV file.

    Args:
        table: The file.
        sample: Some of its rows.
        timeframe: What a bar spans.
        timezone: Of local times.
        month_first: The order of days and months; None finds out.
        decimal: The mark before a fraction; None finds out.
        given: Columns by field, of which the names tell nothing.

    Raises:
        InvalidInput: One is missing, dates are written in no known way, or bars span less than is said.
    """
    columns = _by_name(table.columns) if table.has_header else _by_position(table.columns)
    columns |= _checked(given, table.columns)
    missing = [name for name in ("date", *PRICE_FIELDS) if name not in columns]
    if missing:
        found = f"has no column for {', '.join(missing)}; it has {', '.join(table.columns)}"
        raise InvalidInput("file", f"{found}: give --column {missing[0]}=NAME")
    texts = _instant_texts(sample, columns)
    form = detect_formats({"date": texts}, month_first=month_first, usual=False)["date"]
    if decimal is None:
        cells = pl.concat([instant_texts(sample[columns[name]]) for name in COLUMNS if name in columns])
        decimal = detect_decimal(cells, delimiter=table.delimiter)
    times = instants(texts, form, "UTC").drop_nulls()
    _check_spacing(times, timeframe)
    is_descending = len(times) > 1 and times[0] > times[-1]
    return BarMapping(columns, form, timeframe, timezone, decimal, is_descending)


def bars_of(
    frame: pl.DataFrame, mapping: BarMapping, *, asset: str
) -> tuple[PriceSeries | None, pl.DataFrame]:
    """The good rows as bars, and the others as ``row, reason``.

    Args:
        frame: As `Table.frames` gives it.
        mapping: Of its file.
        asset: Whose bars they are.
    """
    times = instants(
        _instant_texts(frame, mapping.columns),
        mapping.date_format,
        mapping.timezone,
        keeps_date=mapping.timeframe.name in A_DAY_OR_LONGER,
        is_descending=mapping.is_descending,
    )
    read = {name: numbers(frame[column], mapping.decimal) for name, column in _numeric(mapping)}
    nothing = np.full(len(frame), np.nan)
    columns = {
        name: read[name][0].fill_null(np.nan).to_numpy() if name in read else nothing for name in COLUMNS
    }
    columns |= _without_rounding(columns)
    reasons = np.full(len(frame), "", dtype=object)
    # The first that is broken is named.
    reasons[_is_repeated(times)] = "date: a later row has the same"
    for name, (bad, reason) in reversed(bar_checks(columns).items()):
        reasons[bad] = f"{name}: {reason}"
    for name, (_, unreadable) in reversed(read.items()):
        reasons[unreadable.to_numpy()] = f"{name}: is no number"
    reasons[times.is_null().to_numpy()] = f"date: is not {mapping.date_format}{_clock(mapping)}"
    is_good = reasons == ""
    rejects = pl.DataFrame({"row": frame["row"].filter(~is_good), "reason": reasons[~is_good].astype(str)})
    if not is_good.any():
        return None, rejects
    instants_ = times.to_numpy()[is_good].astype("datetime64[s]")
    order = np.argsort(instants_, kind="stable")
    series = PriceSeries(
        asset=asset,
        timeframe=mapping.timeframe,
        times=instants_[order],
        **{name: column[is_good][order] for name, column in columns.items()},
    )
    return series, rejects


def _numeric(mapping: BarMapping) -> list[tuple[str, str]]:
    return [(name, mapping.columns[name]) for name in COLUMNS if name in mapping.columns]


def _clock(mapping: BarMapping) -> str:
    return "" if mapping.timezone == "UTC" else f", or the clocks of {mapping.timezone} skip it"


def _is_repeated(times: pl.Series) -> np.ndarray:
    """Whether a later row has the same instant."""
    if times.n_unique() == len(times):
        return np.zeros(len(times), bool)
    return (times.is_not_null() & ~times.is_last_distinct()).to_numpy()


def _without_rounding(columns: Mapping[str, Floats]) -> dict[str, Floats]:
    """Highs and lows that miss open and close by no more than a rounding."""
    ends = columns["open"], columns["close"]
    highs, lows, highest, lowest = columns["high"], columns["low"], np.fmax(*ends), np.fmin(*ends)
    return {
        "high": np.where((highs < highest) & (highs >= highest * (1 - ROUNDING)), highest, highs),
        "low": np.where((lows > lowest) & (lows <= lowest * (1 + ROUNDING)), lowest, lows),
    }


def _check_spacing(times: pl.Series, timeframe: TimeFrame) -> None:
    """Refuse bars that span less than is said, whose closes would be taken for those of longer ones."""
    usual = times.unique().sort().diff().median()
    if not isinstance(usual, timedelta) or usual >= timeframe.interval * ABOUT_THE_SAME:
        return
    fitting = [name for name in STORED_TIME_FRAMES if TimeFrame(name).interval * ABOUT_THE_SAME <= usual]
    name = fitting[-1] if fitting else STORED_TIME_FRAMES[0]
    raise InvalidInput(
        "timeframe", f"the bars of the file are {usual} apart, less than a {timeframe.name}: give {name}"
    )


def _instant_texts(frame: pl.DataFrame, columns: Mapping[str, str]) -> pl.Series:
    date = instant_texts(frame[columns["date"]])
    return date + " " + instant_texts(frame[columns["time"]]) if "time" in columns else date


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


def _checked(given: Mapping[str, str], names: tuple[str, ...]) -> Mapping[str, str]:
    for field, name in given.items():
        if field not in NAMES:
            raise InvalidInput("column", f"{field} must be one of {', '.join(NAMES)}")
        if name not in names:
            raise InvalidInput("column", f"the file has no column {name}; it has {', '.join(names)}")
    return given


def _by_position(names: tuple[str, ...]) -> dict[str, str]:
    fields = POSITIONS.get(len(names), ())
    return dict(zip(fields, names, strict=False))
