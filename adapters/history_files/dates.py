"""Dates and times as files write them."""

from __future__ import annotations

import polars as pl

from optionchain.errors import InvalidInput

DAYS = ("%Y-%m-%d", "%Y%m%d", "%Y/%m/%d", "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%d-%m-%Y", "%Y.%m.%d")
TIMES = ("", " %H:%M:%S", " %H:%M", "T%H:%M:%S", " %H%M%S", " %H:%M:%S%.f", "T%H:%M:%S%.f")
EPOCH = "seconds since 1970"


def detect_format(samples: pl.Series, *, month_first: bool = False) -> str:
    """The format in which most samples are instants; where days and months could be swapped, the day is first.

    Args:
        samples: Texts.
        month_first: Prefer the month first.

    Raises:
        InvalidInput: It is none that is known.
    """
    texts = samples.drop_nulls().str.strip_chars()
    formats = [day + time for day in DAYS for time in TIMES]
    if month_first:
        formats.sort(key=lambda one: not one.startswith("%m"))
    best, score = "", 0
    for one in formats:
        found = int(texts.str.to_datetime(one, strict=False, exact=True).is_not_null().sum())
        if found > score:
            best, score = one, found
    if texts.len() and int(texts.str.contains(r"^\d{9,10}$").sum()) > score:
        return EPOCH
    if not best:
        example = texts[0] if texts.len() else ""
        raise InvalidInput(
            "file", f"{example!r} is no date that is known: ISO, YYYYMMDD, DD/MM/YYYY, DD.MM.YYYY"
        )
    return best


def instants(texts: pl.Expr, form: str, timezone: str) -> pl.Expr:
    """Whole seconds UTC of local times in a timezone; null where a text is none.

    A time that the clocks skip is null, of one that they repeat the earlier counts.
    """
    if form == EPOCH:
        return texts.cast(pl.Int64, strict=False).mul(1_000_000).cast(pl.Datetime("us"))
    local = texts.str.strip_chars().str.to_datetime(form, strict=False, exact=True, time_unit="us")
    if timezone == "UTC":
        return local
    zoned = local.dt.replace_time_zone(timezone, ambiguous="earliest", non_existent="null")
    return zoned.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
