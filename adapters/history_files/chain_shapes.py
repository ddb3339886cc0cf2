"""The shapes in which vendors sell end-of-day chains: which column is what."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from optionchain.history.chains import QUOTE_FIELDS


@dataclass(frozen=True, slots=True)
class ChainShape:
    """One vendor's columns, by the field that they hold; names in lower case, without brackets.

    A wide shape has a call and a put in each row, as ``call_bid`` and so on; a long one has an `option_type`.

    Attributes:
        name: As in `--format`.
        columns: Field to column. `contract_symbol` stands for expiration, strike and type (OCC).
        needs: Columns without which a file is of another shape.
    """

    name: str
    columns: Mapping[str, str]
    needs: frozenset[str]

    @property
    def is_wide(self) -> bool:
        return any(field.startswith("call_") for field in self.columns)


def _wide(prefixes: Mapping[str, str], names: Mapping[str, str]) -> dict[str, str]:
    return {
        f"{side}_{field}": prefix + name for side, prefix in prefixes.items() for field, name in names.items()
    }


_SAME = {name: name for name in QUOTE_FIELDS}
_GREEKS = {"delta": "delta", "gamma": "gamma", "theta": "theta", "vega": "vega"}

OPTIONSDX = ChainShape(
    "optionsdx",
    {
        "day": "quote_date",
        "underlying_price": "underlying_last",
        "expiration": "expire_date",
        "strike": "strike",
        **_wide(
            {"call": "c_", "put": "p_"},
            _GREEKS
            | {"implied_volatility": "iv", "volume": "volume", "last": "last", "bid": "bid", "ask": "ask"},
        ),
    },
    frozenset({"quote_date", "underlying_last", "expire_date", "strike", "c_bid", "p_bid"}),
)
CBOE = ChainShape(
    "cboe",
    {
        "day": "quote_date",
        "underlying_price": "active_underlying_price_1545",
        "underlying_bid": "underlying_bid_1545",
        "underlying_ask": "underlying_ask_1545",
        "expiration": "expiration",
        "strike": "strike",
        "option_type": "option_type",
        "bid": "bid_1545",
        "ask": "ask_1545",
        "last": "close",
        "volume": "trade_volume",
        "open_interest": "open_interest",
        "implied_volatility": "implied_volatility_1545",
        **{field: f"{name}_1545" for field, name in _GREEKS.items()},
    },
    frozenset({"quote_date", "expiration", "strike", "option_type", "bid_1545", "ask_1545"}),
)
OPTOPSY = ChainShape(
    "optopsy",
    {
        "day": "quote_date",
        "underlying_price": "underlying_price",
        "expiration": "expiration",
        "strike": "strike",
        "option_type": "option_type",
        **_SAME,
    },
    frozenset({"quote_date", "underlying_price", "expiration", "strike", "option_type", "bid", "ask"}),
)
YFINANCE = ChainShape(
    "yfinance",
    {
        "contract_symbol": "contractsymbol",
        "strike": "strike",
        "bid": "bid",
        "ask": "ask",
        "last": "lastprice",
        "volume": "volume",
        "open_interest": "openinterest",
        "implied_volatility": "impliedvolatility",
    },
    frozenset({"contractsymbol", "strike", "bid", "ask", "impliedvolatility"}),
)
SHAPES = {shape.name: shape for shape in (OPTIONSDX, CBOE, OPTOPSY, YFINANCE)}

# What no file of bars has.
OPTION_TERMS = frozenset({"strike", "strike_price", "expiration", "expiry", "option_type"})


def plain_name(column: str) -> str:
    """``" [C_BID]"`` as ``c_bid``."""
    return re.sub(r'[\[\]"\s]', "", column).lower()


def detect_shape(columns: Sequence[str]) -> ChainShape | None:
    """The shape of a file with these columns; None when it is no chain that is known."""
    plain = {plain_name(column) for column in columns}
    return next((shape for shape in SHAPES.values() if shape.needs <= plain), None)
