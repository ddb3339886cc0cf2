"""History into Parquet files that can be imported again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from optionchain.errors import NotFound
from optionchain.history.bars import COLUMNS
from optionchain.history.chains import QUOTE_FIELDS, DateRange, HistoricalChain
from optionchain.ports import HistoricalDataRepository
from optionchain.time_frame import TimeFrame

_NUMBER = pa.float64()
PRICE_SCHEMA = pa.schema([("datetime", pa.timestamp("s")), *((name, _NUMBER) for name in COLUMNS)])
CHAIN_SCHEMA = pa.schema(
    [
        ("underlying_symbol", pa.string()),
        ("quote_date", pa.date32()),
        ("underlying_price", _NUMBER),
        ("expiration", pa.date32()),
        ("strike", _NUMBER),
        ("option_type", pa.string()),
        *((name, _NUMBER) for name in QUOTE_FIELDS),
    ]
)


async def export_prices(
    repository: HistoricalDataRepository, asset: str, period: DateRange, timeframe: TimeFrame, path: Path
) -> int:
    """Write the bars of a period, one row a bar; returns how many.

    Raises:
        NotFound: No such prices are stored.
    """
    rows = 0
    with _written(path, PRICE_SCHEMA) as file:
        async for part in repository.query_time_series(asset, period, timeframe):
            columns = {
                name: pa.array(getattr(part, name), from_pandas=True) for name in COLUMNS
            }  # NaN is null
            file.write_table(pa.table({"datetime": part.times, **columns}, schema=PRICE_SCHEMA))
            rows += len(part)
    return rows


async def export_chains(
    repository: HistoricalDataRepository, asset: str, period: DateRange, path: Path
) -> int:
    """Write the chains of a period, one row a contract side; returns how many.

    Raises:
        NotFound: No chain of the asset is stored.
    """
    stored = (await repository.get_asset(asset)).chains
    if stored is None:
        raise NotFound("chains", asset)
    day, last, rows = max(period.first, stored.first), min(period.last, stored.last), 0
    with _written(path, CHAIN_SCHEMA) as file:
        while day <= last:
            try:
                table = chain_table(await repository.get_historical_chain(asset, day))
                file.write_table(table)
                rows += table.num_rows
            except NotFound:
                pass  # no trading that day
            day += timedelta(days=1)
    return rows


@contextmanager
def _written(path: Path, schema: pa.Schema) -> Iterator[pq.ParquetWriter]:
    """A file that takes its place when it is whole: what fails leaves nothing, and what was there as it was."""
    part = path.with_name(path.name + ".part")
    try:
        with pq.ParquetWriter(part, schema, compression="zstd") as file:
            yield file
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def chain_table(chain: HistoricalChain) -> pa.Table:
    """One row a contract side, the calls before the puts."""
    sides = []
    for option_type, quotes in (("call", chain.calls), ("put", chain.puts)):
        columns = {name: getattr(quotes, name) for name in QUOTE_FIELDS}
        terms = {"expiration": chain.expirations, "strike": chain.strikes}
        frame = pl.DataFrame({**terms, **columns}).with_columns(
            underlying_symbol=pl.lit(chain.asset),
            quote_date=pl.lit(chain.day),
            underlying_price=pl.lit(chain.underlying_price),
            option_type=pl.lit(option_type),
        )
        sides.append(frame.fill_nan(None).select(CHAIN_SCHEMA.names))
    return pl.concat(sides).to_arrow().cast(CHAIN_SCHEMA)
