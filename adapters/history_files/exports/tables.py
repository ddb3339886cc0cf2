"""Chains as one table, a row a contract side: the tables of optopsy and of the DoltHub database of options."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl
import pyarrow as pa

from adapters.history_files.exports.written import ChainWriter, written_table
from optionchain.history.chains import QUOTE_FIELDS, HistoricalChain

_NUMBER = pa.float64()
# The first eight stand where `optopsy.csv_data` looks for them.
OPTOPSY = pa.schema(
    [
        ("underlying_symbol", pa.string()),
        ("underlying_price", _NUMBER),
        ("option_type", pa.string()),
        ("expiration", pa.date32()),
        ("quote_date", pa.date32()),
        ("strike", _NUMBER),
        *((name, _NUMBER) for name in QUOTE_FIELDS),
    ]
)
# Of post-no-preference/options; `vol` is the implied volatility.
DOLTHUB = pa.schema(
    [
        ("date", pa.date32()),
        ("act_symbol", pa.string()),
        ("expiration", pa.date32()),
        ("strike", _NUMBER),
        ("call_put", pa.string()),
        *((name, _NUMBER) for name in ("bid", "ask", "vol", "delta", "gamma", "theta", "vega", "rho")),
    ]
)
DOLTHUB_NAMES = {
    "quote_date": "date",
    "underlying_symbol": "act_symbol",
    "option_type": "call_put",
    "implied_volatility": "vol",
}


def contract_sides(chain: HistoricalChain) -> pl.DataFrame:
    """One row a contract side, the calls before the puts; null where the chain says nothing."""
    sides = []
    for option_type, quotes in (("call", chain.calls), ("put", chain.puts)):
        columns = {name: getattr(quotes, name) for name in QUOTE_FIELDS}
        terms = {"expiration": chain.expirations, "strike": chain.strikes}
        sides.append(
            pl.DataFrame({**terms, **columns}).with_columns(
                underlying_symbol=pl.lit(chain.asset),
                quote_date=pl.lit(chain.day),
                underlying_price=pl.lit(chain.underlying_price),
                option_type=pl.lit(option_type),
            )
        )
    return pl.concat(sides).fill_nan(None)


def quoted_sides(chain: HistoricalChain) -> pl.DataFrame:
    """The rows of `contract_sides` that say something."""
    return contract_sides(chain).filter(pl.any_horizontal(pl.col(QUOTE_FIELDS).is_not_null()))


def optopsy_rows(chain: HistoricalChain) -> pa.Table:
    """A chain in the columns of optopsy, and those that it does not use."""
    return contract_sides(chain).select(OPTOPSY.names).to_arrow().cast(OPTOPSY)


@contextmanager
def optopsy_table(path: Path) -> Iterator[ChainWriter]:
    """The table that optopsy reads, as `csv_data` with its defaults, and `import` as well."""
    with written_table(path, OPTOPSY) as file:

        def write(chain: HistoricalChain) -> int:
            rows = optopsy_rows(chain)
            file.write_table(rows)
            return len(rows)

        yield write


@contextmanager
def dolthub_table(path: Path) -> Iterator[ChainWriter]:
    """The table `option_chain`, as ``dolt table import`` takes it. It has no price of the underlying."""
    with written_table(path, DOLTHUB) as file:

        def write(chain: HistoricalChain) -> int:
            sides = (
                quoted_sides(chain)
                .rename(DOLTHUB_NAMES)
                .with_columns(pl.col("call_put").str.to_titlecase(), rho=pl.lit(None, pl.Float64))
            )
            file.write_table(sides.select(DOLTHUB.names).to_arrow().cast(DOLTHUB))
            return len(sides)

        yield write
