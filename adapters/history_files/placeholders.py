"""Numbers that stand for "no data", which some vendors write where others leave a cell empty."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import polars as pl

from optionchain.history.chains import SIGNED_FIELDS

_MISSING = (-99.99, -999.0, -999.99, -9999.0, -9999.99)
# Interactive Brokers: -1 where there is no price or size, -2 where a greek could not be computed.
_UNSIGNED = (-1.0, -99.0, *_MISSING)
_SIGNED = {
    "delta": (-2.0, *_MISSING),
    "gamma": (-2.0, *_MISSING),
    "vega": (-2.0, *_MISSING),
    "theta": _MISSING,
}
# The largest double, Interactive Brokers' other way to say so.
_UNSET = 1e300
# The largest whole number, Databento's.
_UNDEFINED = float(2**63 - 1)
# What Yahoo begins its search for a volatility with, and gives where it found none.
_UNSOLVED_VOLATILITY, _ROUNDING = 1e-5, 1e-9


def without_placeholders(values: pl.DataFrame, fields: Sequence[str]) -> tuple[pl.DataFrame, Counter[str]]:
    """Quotes as the file has them, null where a number stands for nothing; and how many those were, by field.

    Args:
        values: Numbers, by field.
        fields: Those that are quotes; ``call_bid`` and ``put_bid`` are bids.
    """
    is_nothing = values.select(_is_nothing(field).alias(field) for field in fields)
    repaired = Counter[str]()
    for field in fields:
        if count := int(is_nothing[field].sum()):
            repaired[_quote(field)] += count
            values = values.with_columns(values[field].set(is_nothing[field], None))
    return values, repaired


def _quote(field: str) -> str:
    return field.removeprefix("call_").removeprefix("put_")


def _is_nothing(field: str) -> pl.Expr:
    name, value = _quote(field), pl.col(field)
    found = value.is_in(_SIGNED[name] if name in SIGNED_FIELDS else _UNSIGNED)
    found |= ((value.abs() > _UNSET) & value.is_finite()) | (value == _UNDEFINED)
    if name == "implied_volatility":
        found |= (value == 0.0) | ((value - _UNSOLVED_VOLATILITY).abs() < _ROUNDING)
    return found.fill_null(value=False)
