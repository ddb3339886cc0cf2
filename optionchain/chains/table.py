"""A chain as a long table, one row for each call and each put, for analysis and export."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from optionchain.arrays import Floats, Strikes
from optionchain.chains.columns import SIDES, Column, GreekSet
from optionchain.chains.contracts import COLUMNS, Contracts, of_side
from optionchain.expirations import Expiration

_INSTANT = pa.timestamp("us", tz="UTC")
_TEXT = pa.dictionary(pa.int32(), pa.string())
_NUMBER = pa.float64()
_STRIKE = Contracts.strikes
# The quotes of a side, what is common to both, the greeks: as traders read a row.
_NUMBERS = sorted(
    {column.label: column for column in COLUMNS if column is not _STRIKE}.values(),
    key=lambda column: (column.is_greek, not column.is_greek and column.side is None),
)

# What a symbol of the Options Clearing Corporation can express: its root, thousandths of a strike, its century.
_ROOT = re.compile(r"[A-Z0-9]{1,6}")
_MOST_MILLS = 99_999_999
_CENTURY = 20


def _field(name: str, kind: pa.DataType, unit: str) -> pa.Field:
    return pa.field(name, kind, metadata={"unit": unit})


def _number(column: Column) -> pa.Field:
    return _field(column.label, _NUMBER, column.unit.replace("the underlying's price", "underlying_price"))


SCHEMA = pa.schema(
    [
        _field(
            "contract_symbol",
            pa.string(),
            "OCC 21-character symbol; null where it cannot express the contract",
        ),
        _field("symbol", _TEXT, "name"),
        _field("quote_time", _INSTANT, "instant"),
        _field("expiration", _INSTANT, "instant"),
        _field("days_to_expiration", _NUMBER, "days of 24 hours"),
        _number(_STRIKE),
        _field("option_type", _TEXT, "call or put"),
        *(_number(column) for column in _NUMBERS),
        _field("underlying_price", _NUMBER, "currency"),
    ]
)
"""The columns of the table, each with its unit in the metadata."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """What names the contracts of a chain; as `optionchain.chains.chain.OptionChain` has it."""

    symbol: str
    quote_time: datetime
    underlying_price: float
    expirations: Sequence[Expiration]
    days_to_expiration: Floats
    offsets: Sequence[int]


def long_table(contracts: Contracts, listed: Listed, greeks: GreekSet = "all") -> pa.Table:
    """Return one row for each contract, by expiration and strike, the call before the put.

    Args:
        contracts: Of one chain.
        listed: What names them.
        greeks: Which greeks to compute; the columns of the others are null.

    Returns:
        A table of `SCHEMA`.
    """
    rows = 2 * contracts.strikes.size
    columns = _terms(contracts, listed)
    for column in COLUMNS:
        if column.is_shown(greeks):
            columns[column.label] = _of_both_sides(contracts, column.label)
    nothing = pa.nulls(rows, _NUMBER)
    return pa.table(
        [pa.array(columns.get(field.name, nothing), field.type, from_pandas=True) for field in SCHEMA],
        schema=SCHEMA,
    )


def contract_symbols(
    symbol: str, expirations: Sequence[Expiration], offsets: Sequence[int], strikes: Strikes
) -> list[str | None]:
    """Return the 21-character symbols of all contracts, by expiration and strike, the call before the put.

    A symbol is the root padded to six characters, the exchange's date of expiration as yymmdd, C or P, and the strike
    in thousandths with eight digits. It is None where the root is longer or has other characters than capital
    letters and digits, where the strike is not a whole number of thousandths below 100,000, and where two
    digits are not enough for the year: outside 2000 to 2099.

    Args:
        symbol: The root of expirations that have none of their own.
        expirations: In the order of the contracts.
        offsets: ``[expirations + 1]`` where each one's contracts begin.
        strikes: ``[contracts]``.

    Source:
        OCC, "Options Symbology Initiative".
    """
    mills = np.rint(strikes * 1000.0)
    expressible = (mills <= _MOST_MILLS) & (mills / 1000.0 == strikes)
    numbers = np.where(expressible, mills, 0.0).astype(np.int64).tolist()
    symbols: list[str | None] = []
    for expiration, (start, stop) in zip(expirations, pairwise(offsets), strict=True):
        root, day = expiration.root or symbol, expiration.date
        series = f"{root:6}{day:%y%m%d}"
        is_named = day.year // 100 == _CENTURY and _ROOT.fullmatch(root)
        for number in numbers[start:stop]:
            is_expressible = is_named and number
            symbols += (f"{series}C{number:08}", f"{series}P{number:08}") if is_expressible else (None, None)
    return symbols


def _terms(contracts: Contracts, listed: Listed) -> dict[str, object]:
    """The columns that say what each contract is, and when."""
    rows = 2 * contracts.strikes.size
    expirations = 2 * np.diff(listed.offsets)
    instants = pa.array([expiration.expires_at for expiration in listed.expirations], _INSTANT)
    which = np.repeat(np.arange(len(listed.expirations)), expirations)
    return {
        "contract_symbol": contract_symbols(
            listed.symbol, listed.expirations, listed.offsets, contracts.strikes
        ),
        "symbol": _category([listed.symbol], np.zeros(rows, dtype=np.int32)),
        "quote_time": pa.repeat(pa.scalar(listed.quote_time, _INSTANT), rows),
        "expiration": instants.take(pa.array(which)),
        "days_to_expiration": listed.days_to_expiration[which],
        "option_type": _category(["call", "put"], np.arange(rows, dtype=np.int32) % 2),
        "underlying_price": np.full(rows, listed.underlying_price),
    }


def _of_both_sides(contracts: Contracts, label: str) -> Floats:
    """Call, put, call, put, ...; what has no side is that of both."""
    call, put = (of_side(label, side) for side in SIDES)
    found = [column for column in dict.fromkeys((call, put)) if column is not None]
    numbers = [column.of(contracts) for column in found]
    return np.repeat(numbers[0], 2) if len(numbers) == 1 else np.column_stack(numbers).ravel()


def _category(names: list[str], which: NDArray[np.int32]) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(pa.array(which), pa.array(names))
