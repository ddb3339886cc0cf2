"""A chain as a long table, one row for each call and each put, for analysis and export."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from optionchain.arrays import Floats
from optionchain.chains.chain import GreekSet, OptionChain
from optionchain.chains.occ import contract_symbols

_INSTANT = pa.timestamp("us", tz="UTC")
_TEXT = pa.dictionary(pa.int32(), pa.string())
_NUMBER = pa.float64()


def _field(name: str, kind: pa.DataType, unit: str) -> pa.Field:
    return pa.field(name, kind, metadata={"unit": unit})


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
        _field("strike", _NUMBER, "currency"),
        _field("option_type", _TEXT, "call or put"),
        _field("bid", _NUMBER, "currency, whole cents"),
        _field("ask", _NUMBER, "currency, whole cents"),
        _field("mid", _NUMBER, "currency"),
        _field("implied_volatility", _NUMBER, "per year"),
        _field("delta", _NUMBER, "price per unit of underlying_price"),
        _field("gamma", _NUMBER, "delta per unit of underlying_price"),
        _field("theta", _NUMBER, "price per calendar day"),
        _field("vega", _NUMBER, "price per percentage point of implied_volatility"),
        _field("rho", _NUMBER, "price per percentage point of the rate"),
        _field("underlying_price", _NUMBER, "currency"),
    ]
)
"""The columns of the table, each with its unit in the metadata."""


def to_arrow(chain: OptionChain, greeks: GreekSet = "all") -> pa.Table:
    """Return one row for each contract, by expiration and strike, the call before the put.

    Args:
        chain: Any chain.
        greeks: Which greeks to compute; the columns of the others are null.

    Returns:
        A table of `SCHEMA`.
    """
    rows = 2 * chain.strikes.size
    columns = _terms(chain) | {
        "bid": _sides(chain.call_bid, chain.put_bid),
        "ask": _sides(chain.call_ask, chain.put_ask),
        "mid": _sides(chain.call_mid, chain.put_mid),
        "implied_volatility": np.repeat(chain.implied_volatilities, 2),
    }
    if greeks != "none":
        columns["delta"] = _sides(chain.call_delta, chain.put_delta)
        columns["gamma"] = np.repeat(chain.gamma, 2)
    if greeks == "all":
        columns["theta"] = _sides(chain.call_theta(), chain.put_theta())
        columns["vega"] = np.repeat(chain.vega, 2)
        columns["rho"] = _sides(chain.call_rho(), chain.put_rho())
    nothing = pa.nulls(rows, _NUMBER)
    return pa.table(
        [pa.array(columns.get(field.name, nothing), field.type) for field in SCHEMA], schema=SCHEMA
    )


def _terms(chain: OptionChain) -> dict[str, object]:
    """The columns that say what each contract is, and when."""
    rows = 2 * chain.strikes.size
    expirations = 2 * np.diff(chain.offsets)
    instants = pa.array([expiration.expires_at for expiration in chain.expirations], _INSTANT)
    which = np.repeat(np.arange(len(chain.expirations)), expirations)
    return {
        "contract_symbol": contract_symbols(chain),
        "symbol": _category([chain.symbol], np.zeros(rows, dtype=np.int32)),
        "quote_time": pa.repeat(pa.scalar(chain.quote_time, _INSTANT), rows),
        "expiration": instants.take(pa.array(which)),
        "days_to_expiration": chain.days_to_expiration[which],
        "strike": np.repeat(chain.strikes, 2),
        "option_type": _category(["call", "put"], np.arange(rows, dtype=np.int32) % 2),
        "underlying_price": np.full(rows, chain.underlying_price),
    }


def _sides(call: Floats, put: Floats) -> Floats:
    """Call, put, call, put, ..."""
    return np.column_stack([call, put]).ravel()


def _category(names: list[str], which: NDArray[np.int32]) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(pa.array(which), pa.array(names))
