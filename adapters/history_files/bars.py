"""OHLCV files: which column is what, and frames as price series."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import polars as pl

from adapters.history_files.bar_columns import bar_columns
from adapters.history_files.dates import days, detect_formats, instant_texts, instants
from adapters.history_files.numbers import detect_decimal, number_texts, numbers, scaled
from adapters.history_files.presets import Preset
from adapters.history_files.tables import Table
from optionchain.arrays import Floats
from optionchain.errors import InvalidInput
from optionchain.history.bars import COLUMNS, PRICE_FIELDS, STORED_TIME_FRAMES, PriceSeries, bar_checks
from optionchain.time_frame import TimeFrame

# Of a calendar unit, whose months and clock changes differ.
ABOUT_THE_SAME = 0.9
# Instants that were written twice, as of a file that was joined of two.
FEW_DOUBLES, FEW_OF_ALL = 5, 0.2
# Whole numbers above are more likely of 1e-9 than of 1.
FIXED_POINT = 1e9
# What stands for no price where prices are whole numbers.
UNDEFINED = 2**63 - 1
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
    price_scale: float = 1.0


def detect_bars(
    table: Table,
    sample: pl.DataFrame,
    *,
    timeframe: TimeFrame,
    timezone: str = "UTC",
    month_first: bool | None = None,
    decimal: str | None = None,
    given: Mapping[str, str] = NOTHING_GIVEN,
    preset: Preset | None = None,
    price_scale: float | None = None,
    names: Iterable[str] = (),
) -> BarMapping:
    """Find the columns of an OHLCV file.

    Args:
        table: The file.
        sample: Some of its rows.
        timeframe: What a bar spans.
        timezone: Of local times.
        month_first: The order of days and months; None finds out.
        decimal: The mark before a fraction; None finds out.
        given: Columns by field, of which the names tell nothing; an empty one says that there is none.
        preset: Of its vendor, if that is known.
        price_scale: The factor of prices; None finds out.
        names: Of the asset, as the user and the file have it.

    Raises:
        InvalidInput: A column is missing, dates are written in no known way, bars span less than is said or are of
            several assets, or nothing tells the unit of prices.
    """
    columns = bar_columns(table, sample, given, preset, names)
    texts = _instant_texts(sample, columns)
    form = detect_formats({"date": texts}, month_first=month_first, usual=False)["date"]
    if decimal is None:
        cells = number_texts(sample[columns[name]] for name in COLUMNS if name in columns)
        decimal = detect_decimal(cells, delimiter=table.delimiter)
    times = instants(texts, form, "UTC")
    _check_assets(times, number_texts([sample[columns["close"]]]))
    times = times.drop_nulls()
    _check_spacing(times, timeframe)
    is_descending = len(times) > 1 and times[0] > times[-1]
    if price_scale is None:
        price_scale = _price_scale([sample[columns[name]] for name in PRICE_FIELDS], preset)
    return BarMapping(columns, form, timeframe, timezone, decimal, is_descending, price_scale)


@dataclass(frozen=True, slots=True)
class BarRows:
    """What the rows of a frame are.

    Attributes:
        bars: The good ones; None where there are none.
        rejects: The others, as ``row, reason``.
        repaired: Numbers that stood for nothing, by field.
    """

    bars: PriceSeries | None
    rejects: pl.DataFrame
    repaired: Counter[str]


def bars_of(frame: pl.DataFrame, mapping: BarMapping, *, asset: str) -> BarRows:
    """The good rows as bars, and the others with the reason.

    Args:
        frame: As `Table.frames` gives it.
        mapping: Of its file.
        asset: Whose bars they are.
    """
    times = _times(frame, mapping)
    read = {name: numbers(frame[column], mapping.decimal) for name, column in _numeric(mapping)}
    nothing = np.full(len(frame), np.nan)
    columns = {
        name: read[name][0].fill_null(np.nan).to_numpy() if name in read else nothing for name in COLUMNS
    }
    repaired = _repair(columns)
    columns |= {name: scaled(columns[name], mapping.price_scale) for name in PRICE_FIELDS}
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
        return BarRows(None, rejects, repaired)
    instants_ = times.to_numpy()[is_good].astype("datetime64[s]")
    order = np.argsort(instants_, kind="stable")
    series = PriceSeries(
        asset=asset,
        timeframe=mapping.timeframe,
        times=instants_[order],
        **{name: column[is_good][order] for name, column in columns.items()},
    )
    return BarRows(series, rejects, repaired)


def _times(frame: pl.DataFrame, mapping: BarMapping) -> pl.Series:
    texts = _instant_texts(frame, mapping.columns)
    if mapping.timeframe.name in A_DAY_OR_LONGER:
        return days(texts, mapping.date_format, mapping.timezone)
    return instants(texts, mapping.date_format, mapping.timezone, is_descending=mapping.is_descending)


def _repair(columns: dict[str, Floats]) -> Counter[str]:
    """Make what stands for nothing nothing; how many those were, by field."""
    repaired = Counter[str]()
    for name, placeholder in (("volume", -1.0), *((name, float(UNDEFINED)) for name in PRICE_FIELDS)):
        is_nothing = columns[name] == placeholder
        if count := int(is_nothing.sum()):
            columns[name] = np.where(is_nothing, np.nan, columns[name])
            repaired[name] = count
    return repaired


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


def _check_assets(times: pl.Series, closes: pl.Series) -> None:
    """Refuse a file in which many instants have several prices: they are of several assets, though none is named."""
    rows = pl.DataFrame({"time": times, "close": closes}).drop_nulls().unique()
    prices = rows.group_by("time").len()["len"]
    several = int((prices > 1).sum())
    is_all = several == len(prices) > 1
    if is_all or (several >= FEW_DOUBLES and several > len(prices) * FEW_OF_ALL):
        reason = f"{several} of {len(prices)} instants have several prices, as of several assets: give a file of each"
        raise InvalidInput("file", reason)


def _price_scale(cells: Sequence[pl.Series], preset: Preset | None) -> float:
    """The factor of prices: whole numbers may be fixed-point.

    Raises:
        InvalidInput: They are, or the prices are extraordinary.
    """
    texts = number_texts(cells).drop_nulls()
    texts = texts.filter(texts != str(UNDEFINED))
    if not len(texts) or not texts.str.contains(r"^[+-]?\d+$").all():
        return 1.0
    if preset is not None and preset.fixed_point is not None:
        return preset.fixed_point
    if np.median(texts.cast(pl.Float64).to_numpy()) >= FIXED_POINT:
        reason = f"prices such as {texts[0]} may be whole numbers of 1e-9: give 1e-9, or 1 if that is what they are"
        raise InvalidInput("price-scale", reason)
    return 1.0
