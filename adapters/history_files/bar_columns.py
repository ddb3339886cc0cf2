"""Which column of a table is which field of a bar: by common names, by position, or as the user says."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import numpy as np
import polars as pl

from adapters.history_files.numbers import numbers
from adapters.history_files.presets import Preset, bare_names
from adapters.history_files.tables import Table
from optionchain.errors import InvalidInput
from optionchain.history.bars import PRICE_FIELDS

NAMES: Mapping[str, tuple[str, ...]] = {
    "date": (
        *("date", "datetime", "timestamp", "time", "day", "quotedate", "tradedate", "tradingdate", "gmttime"),
        *("localtime", "opentime", "unix", "epoch", "traddt", "tsevent", "windowstart", "windowstartns"),
        "t",
    ),
    "time": ("time", "hour"),
    "open": ("open", "o", "openprice", "opnpric"),
    "high": ("high", "h", "highprice", "hghpric"),
    "low": ("low", "l", "lowprice", "lwpric"),
    "close": (
        *("close", "c", "closeprice", "closelast", "settle", "settlement", "settlementprice", "settleprice", "last"),
        *("price", "clspric"),
    ),
    "volume": (
        *("volume", "vol", "v", "tickvolume", "tickvol", "volumefrom", "basevolume", "sharestraded", "noofshares"),
        *("ttltradgvol", "totaltradedquantity", "tradedquantity", "quantity"),
    ),
}  # fmt: skip
# Without a header, by the number of columns.
_KLINE_REST = tuple(f"of Binance {number}" for number in range(7, 13))
POSITIONS: Mapping[int, tuple[str, ...]] = {
    5: ("date", "open", "high", "low", "close"),
    6: ("date", "open", "high", "low", "close", "volume"),
    7: ("date", "time", "open", "high", "low", "close", "volume"),
    12: ("date", "open", "high", "low", "close", "volume", *_KLINE_REST),
}
# The same where the first column is since 1970, which has the time: a count of trades, or a mean price, is behind.
SINCE_1970_POSITIONS: Mapping[int, tuple[str, ...]] = {
    **POSITIONS,
    7: (*POSITIONS[6], "trades"),
    8: (*POSITIONS[5], "mean", "volume", "trades"),
}
SINCE_1970 = r"^\d{9,19}(\.\d*)?$"
# Exchanges put the prices of a candle in orders of their own: Bitfinex, Coinbase.
ORDERS = (PRICE_FIELDS, ("open", "close", "high", "low"), ("low", "high", "open", "close"))
MOSTLY = 0.9
# Volumes in these are turnovers, beside those in units.
MONEY = frozenset(
    (
        "usd",
        "usdt",
        "usdc",
        "eur",
        "gbp",
        "jpy",
        "busd",
        "fdusd",
        "tusd",
        "dai",
        "krw",
        "inr",
        "quote",
        "currency",
        "to",
    )
)
_UNIT_OF_VOLUME = re.compile(r"^vol(?:ume)?([a-z]{2,8})(?:#\d+)?$")


def bar_columns(
    table: Table, sample: pl.DataFrame, given: Mapping[str, str], preset: Preset | None, names: Iterable[str]
) -> dict[str, str]:
    """The columns of a file of bars, by field.

    Args:
        table: The file.
        sample: Some of its rows.
        given: Columns by field, as the user says; an empty name says that there is none.
        preset: Of its vendor, if that is known.
        names: Of the asset, as the user and the file have it: they tell in which of several units a volume is.

    Raises:
        InvalidInput: One is missing or unknown, or of several volumes nothing tells which is in units.
    """
    checked = _checked(given, table.columns)
    _check_once(table.columns, checked)
    found = _by_name(table.columns) if table.has_header else _by_position(table.columns, sample)
    if preset is not None:
        known = preset.found(bare_names(table.columns))
        found |= {field: column for field, column in known.items() if field in NAMES}
    columns = {field: column for field, column in found.items() if column not in checked.values()} | checked
    if "volume" not in columns and table.has_header and (volume := _volume(table.columns, names)):
        columns["volume"] = volume
    columns = {field: column for field, column in columns.items() if column}
    missing = [name for name in ("date", *PRICE_FIELDS) if name not in columns]
    if missing:
        known_ = ", ".join(f"{field}={column}" for field, column in columns.items()) or "none"
        reason = (
            f"has no column for {', '.join(missing)}: give --column {missing[0]}=NAME; "
            f"recognised: {known_}; its columns: {', '.join(table.columns)}"
        )
        raise InvalidInput("file", reason)
    return columns


def _check_once(names: tuple[str, ...], given: Mapping[str, str]) -> None:
    """Refuse a file that has the prices of a second asset beside the first, under the same names."""
    twice = [name for name in bare_names(names) if name.endswith("#2")]
    prices = [field for field in PRICE_FIELDS if any(f"{alias}#2" in twice for alias in NAMES[field])]
    if len(prices) == len(PRICE_FIELDS) and not given.keys() >= {*PRICE_FIELDS}:
        reason = (
            "has every price twice, as of two assets: give --column open=NAME and all others of the one, of "
            f"{', '.join(names)}"
        )
        raise InvalidInput("file", reason)


def _by_name(names: tuple[str, ...]) -> dict[str, str]:
    known = bare_names(names)
    columns: dict[str, str] = {}
    for field, aliases in NAMES.items():
        taken = set(columns.values())
        found = next(
            (known[alias] for alias in aliases if alias in known and known[alias] not in taken), None
        )
        if found is not None:
            columns[field] = found
    return columns


def _by_position(names: tuple[str, ...], sample: pl.DataFrame) -> dict[str, str]:
    first = sample[names[0]].cast(pl.String).str.strip_chars()
    is_since_1970 = bool(first.str.contains(SINCE_1970).all())
    fields = (SINCE_1970_POSITIONS if is_since_1970 else POSITIONS).get(len(names), ())
    columns = dict(zip(fields, names, strict=False))
    return _in_order(columns, sample) if is_since_1970 and fields else columns


def are_bars_by_position(names: tuple[str, ...], sample: pl.DataFrame) -> bool:
    """Whether a table without a header has numbers where bars have prices."""
    columns = _by_position(names, sample)
    return bool(columns) and not any(numbers(sample[columns[field]], ".")[1].any() for field in PRICE_FIELDS)


def _in_order(columns: dict[str, str], sample: pl.DataFrame) -> dict[str, str]:
    """The same columns with the prices in the first order in which the highs are the highest."""
    places = [columns[field] for field in PRICE_FIELDS]
    for order in ORDERS:
        tried = columns | dict(zip(order, places, strict=True))
        prices = {field: numbers(sample[tried[field]], ".")[0].to_numpy() for field in PRICE_FIELDS}
        ends = prices["open"], prices["close"]
        is_bar = (prices["high"] >= np.fmax(*ends)) & (prices["low"] <= np.fmin(*ends))
        if is_bar.mean() >= MOSTLY:
            return tried
    return columns


def _volume(columns: tuple[str, ...], names: Iterable[str]) -> str | None:
    """Of volumes that are named by their units, the one in units of the asset; None where there is none."""
    units = {
        match[1]: column
        for name, column in bare_names(columns).items()
        if (match := _UNIT_OF_VOLUME.match(name))
    }
    of_asset = [unit for unit in units if any(name.lower().startswith(unit) for name in names)]
    candidates = of_asset or [unit for unit in units if unit not in MONEY]
    if len(candidates) == 1:
        return units[candidates[0]]
    if units:
        listed = ", ".join(units.values())
        reason = f"which of {listed} is in units of the asset? Give --column volume=NAME, or volume= for none"
        raise InvalidInput("column", reason)
    return None


def _checked(given: Mapping[str, str], names: tuple[str, ...]) -> dict[str, str]:
    for field, name in given.items():
        if field not in NAMES:
            raise InvalidInput("column", f"{field} is no field of a bar; these are: {', '.join(NAMES)}")
        if name and name not in names:
            raise InvalidInput("column", f"the file has no column {name}; it has {', '.join(names)}")
    return dict(given)
