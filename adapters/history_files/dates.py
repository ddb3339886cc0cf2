"""Dates and times as files write them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import NamedTuple

import polars as pl

from optionchain.errors import InvalidInput
from optionchain.history.chains import FIRST_DAY, LAST_DAY

ISO = (
    *(
        "%Y-%m-%d",
        "%Y%m%d",
        "%Y/%m/%d",
        "%Y.%m.%d",
        "%d-%b-%Y",
        "%d %b %Y",
        "%b %d, %Y",
        "%b %d %Y",
        "%d-%b-%y",
    ),
    *("%d%b%Y", "%d%b%y", "%a %b %d %Y", "%d %b %y", "%b %d, %y", "%a, %b %d, %Y"),
    *("%B %d, %Y", "%B %d %Y", "%d %B %Y", "%d-%B-%Y", "%A, %B %d, %Y"),
)
DAY_FIRST = ("%d/%m/%Y", "%d.%m.%Y", "%d-%m-%Y", "%d/%m/%y", "%d.%m.%y")
MONTH_FIRST = ("%m/%d/%Y", "%m-%d-%Y", "%m/%d/%y")
CLOCKS = ("%H:%M:%S", "%H:%M", "%H%M%S", "%H:%M:%S%.f", "%I:%M:%S %p", "%I:%M %p")
OFFSET = "%z"
TIMES = (
    "",
    *(f" {clock}" for clock in CLOCKS),
    *(f"T{clock}{offset}" for clock in CLOCKS[:4] for offset in ("", OFFSET)),
    *(f" {clock}{OFFSET}" for clock in CLOCKS[:4]),
)
# By their digits: the next power of ten is the year 2286.
EPOCHS = {
    "seconds since 1970": (r"^\d{9,10}(\.\d*)?$", 1),
    "milliseconds since 1970": (r"^\d{12,13}$", 1_000),
    "microseconds since 1970": (r"^\d{15,16}$", 1_000_000),
    "nanoseconds since 1970": (r"^\d{18,19}$", 1_000_000_000),
}
# The same of whole days, of which a fraction is a clock: R's and that of spreadsheets, which meet in 2052 and 1982.
DAY_COUNTS = {
    "days since 1970": (r"^[12]\d{4}(\.\d*)?$", datetime(1970, 1, 1)),
    "days since 1899-12-30": (r"^[3-6]\d{4}(\.\d*)?$", datetime(1899, 12, 30)),
}
FIRST, LAST = (datetime.combine(day, time()) for day in (FIRST_DAY, LAST_DAY))
_ZULU = r"(?i)\s*(z|utc|gmt)$"
_SPACED_OFFSET = r"\s+([+-]\d{2}:?\d{2})$"
_ANY_OFFSET = r"(?i)\s*(z|utc|gmt|[+-]\d{2}:?\d{2})$"


def detect_formats(
    columns: Mapping[str, pl.Series], *, month_first: bool | None, usual: bool
) -> dict[str, str]:
    """The format in which most samples of each column are instants; all columns have days and months in one order.

    Args:
        columns: Texts by name.
        month_first: The order, where days and months could be swapped. None: that in which more samples are dates,
            else of chains in which fewer are on weekends and more expirations on Fridays, else in which they are
            closer together.
        usual: Whether the month is first where nothing tells, as in chains.

    Raises:
        InvalidInput: A column is none that is known.
    """
    texts = {name: column.drop_nulls().str.strip_chars() for name, column in columns.items()}
    orders = (month_first,) if month_first is not None else (usual, not usual)
    found = [
        {name: _best(column, is_month_first=order) for name, column in texts.items()} for order in orders
    ]
    best = max(found, key=_goodness_of_chains if usual else _goodness)
    for name, reading in best.items():
        if not reading.form:
            example = texts[name][0] if len(texts[name]) else ""
            raise InvalidInput(
                "file",
                f"{example!r} is no date that is known: ISO, YYYYMMDD, DD/MM/YYYY, DD.MM.YYYY, since 1970",
            )
    return {name: reading.form for name, reading in best.items()}


def instants(cells: pl.Series, form: str, timezone: str, *, is_descending: bool = False) -> pl.Series:
    """Whole seconds UTC of what a column says; null where it says nothing.

    A time that the clocks skip is null. One that they repeat is the earlier at its first appearance, and the later
    at another.

    Args:
        cells: As `instant_texts` gives them.
        form: As `detect_formats` found.
        timezone: Of local times; those with an offset and those since 1970 have their own.
        is_descending: Whether the latest come first.
    """
    if form in EPOCHS:
        return _since_1970(cells, form)
    parsed = _parsed(cells, form)
    if OFFSET in form or timezone == "UTC":
        return parsed
    return _utc(parsed, timezone, is_descending=is_descending)


def days(cells: pl.Series, form: str, timezone: str, *, is_expiration: bool = False) -> pl.Series:
    """The midnights, as if in UTC, of the days that a column says; null where it says nothing.

    A date that is written is the day, in every timezone, and so is a midnight of UTC, or of the offset that is written
    with it: ``2024-01-02T00:00:00Z`` is the 2nd. Any other instant of UTC is on the day of the timezone.

    Args:
        cells: As `instant_texts` gives them.
        form: As `detect_formats` found.
        timezone: Of the days of instants.
        is_expiration: Exchanges let contracts expire at some hour of the day: only what begins or ends a day of the
            timezone is counted in it, and everything else in the day that is written.
    """
    if form not in EPOCHS and OFFSET not in form:
        return _midnight(_parsed(cells, form))
    if form in EPOCHS:
        utc = written = _since_1970(cells, form)
    else:
        utc = _parsed(cells, form)
        written = _parsed(cells.str.replace(_ANY_OFFSET, ""), form.replace(OFFSET, ""))
    local = _local(utc, timezone)
    begins = local == _midnight(local)
    is_written = (written == _midnight(written)) | ((written != utc) & ~begins)
    if is_expiration:
        is_written |= ~(begins | (local.dt.hour() == 23))
    is_utc = (utc == _midnight(utc)) & (written != _midnight(written))
    day = local.zip_with(~is_written.fill_null(value=False), written)
    return _midnight(day.zip_with(~is_utc.fill_null(value=False), utc))


def has_clock(form: str) -> bool:
    """Whether dates of this format say when on the day."""
    return form in EPOCHS or form in DAY_COUNTS or "%H" in form or "%I" in form


def instant_texts(cells: pl.Series) -> pl.Series:
    """A column as text, also when it has a type of its own."""
    match cells.dtype:
        case pl.Date():
            return cells.dt.strftime("%Y-%m-%d")
        case pl.Datetime(time_zone=None):
            return cells.dt.strftime("%Y-%m-%d %H:%M:%S")
        case pl.Float64() | pl.Float32():  # since 1970, where some are missing
            return cells.cast(pl.Int64, strict=False).cast(pl.String)
        case pl.Datetime():
            return cells.dt.strftime("%Y-%m-%d %H:%M:%S%z")
        case _:
            # Whole numbers that were numbers with missing ones between them when they were written: 20260116.0.
            return cells.cast(pl.String).str.strip_chars().str.replace(r"^(\d{6,19})\.0+$", "$1")


class _Reading(NamedTuple):
    """How a column of dates may be read.

    Attributes:
        form: The format; empty where there is none.
        fits: How many samples are dates then.
        span: How far they are apart.
        weekends, fridays: How many are on such days.
    """

    form: str
    fits: int
    span: timedelta
    weekends: int = 0
    fridays: int = 0


def _goodness(found: Mapping[str, _Reading]) -> tuple[int, timedelta]:
    readings = found.values()
    return sum(each.fits for each in readings), -sum((each.span for each in readings), timedelta())


def _goodness_of_chains(found: Mapping[str, _Reading]) -> tuple[int, int, int, timedelta]:
    """Options are hardly quoted on weekends, and expire on Fridays more often than on any other day."""
    fits, closeness = _goodness(found)
    fridays = found["expiration"].fridays if "expiration" in found else 0
    return fits, -sum(each.weekends for each in found.values()), fridays, closeness


def _best(texts: pl.Series, *, is_month_first: bool) -> _Reading:
    """The format that fits most."""
    for name, (digits, _) in (*EPOCHS.items(), *DAY_COUNTS.items()):
        if len(texts) and 2 * int(texts.str.contains(digits).sum()) > len(texts):
            return _Reading(name, len(texts), timedelta())
    best = _Reading("", 0, timedelta())
    for form in (day + clock for day in (*ISO, *_ordered(is_month_first)) for clock in TIMES):
        parsed = _parsed(texts, form).drop_nulls()
        if len(parsed) > best.fits:
            first, last = parsed.sort()[[0, -1]].to_list()
            weekdays = parsed.dt.weekday()
            best = _Reading(
                form, len(parsed), last - first, int((weekdays > 5).sum()), int((weekdays == 5).sum())
            )
            if len(parsed) == len(texts):
                break  # no other fits more
    return best


def _ordered(is_month_first: bool) -> tuple[str, ...]:
    return MONTH_FIRST if is_month_first else DAY_FIRST


def _parsed(texts: pl.Series, form: str) -> pl.Series:
    if form in DAY_COUNTS:
        return _counted(texts, DAY_COUNTS[form][1])
    if OFFSET in form:
        texts = texts.str.replace(_ZULU, "+00:00").str.replace(_SPACED_OFFSET, "$1")
    parsed = texts.str.to_datetime(form, strict=False, exact=True, time_unit="us")
    if OFFSET in form:
        parsed = parsed.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
    # `%Y` takes the 24 of 1/2/24 for the year 24.
    return _possible(parsed)


def _possible(times: pl.Series) -> pl.Series:
    """The times that history can hold, and null for the others."""
    return times.set(~times.is_between(FIRST, LAST, closed="left"), None)


def _since_1970(cells: pl.Series, form: str) -> pl.Series:
    seconds = cells.cast(pl.Float64, strict=False) / EPOCHS[form][1]
    return _possible((seconds * 1e6).cast(pl.Int64, strict=False).cast(pl.Datetime("us")))


def _counted(cells: pl.Series, first: datetime) -> pl.Series:
    """Days since some first one, to the second."""
    seconds = (cells.cast(pl.Float64, strict=False) * 86_400.0).round()
    return _possible(((seconds * 1e6).cast(pl.Int64, strict=False)).cast(pl.Duration("us")) + first)


def _local(utc: pl.Series, timezone: str) -> pl.Series:
    return utc.dt.replace_time_zone("UTC").dt.convert_time_zone(timezone).dt.replace_time_zone(None)


def _midnight(times: pl.Series) -> pl.Series:
    return times.dt.truncate("1d")


def _utc(local: pl.Series, timezone: str, *, is_descending: bool) -> pl.Series:
    def zoned(ambiguous: str | pl.Series) -> pl.Series:
        aware = local.dt.replace_time_zone(timezone, ambiguous=ambiguous, non_existent="null")  # type: ignore[arg-type]
        return aware.dt.convert_time_zone("UTC").dt.replace_time_zone(None)

    earlier, later = zoned("earliest"), zoned("latest")
    if not (earlier != later).any():
        return earlier
    # A doubled row follows itself at once; a repeated hour follows an hour.
    appearance = pl.DataFrame({"local": local}).select(
        (pl.int_range(pl.len()).over("local") > 0)
        & (pl.col("local") != pl.col("local").shift()).fill_null(value=True)
    )
    is_second = appearance.to_series() != is_descending
    return earlier.zip_with(~is_second, later)
