"""History into files: prices as Parquet, chains in the forms that others read."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pyarrow as pa

from adapters.history_files.exports import EXPORTS
from adapters.history_files.exports.written import written_table
from optionchain.errors import InvalidInput, NotFound
from optionchain.history.bars import COLUMNS
from optionchain.history.chains import DateRange
from optionchain.ports import HistoricalDataRepository
from optionchain.time_frame import TimeFrame

PRICE_SCHEMA = pa.schema([("datetime", pa.timestamp("s")), *((name, pa.float64()) for name in COLUMNS)])


async def export_prices(
    repository: HistoricalDataRepository, asset: str, period: DateRange, timeframe: TimeFrame, path: Path
) -> int:
    """Write the bars of a period, one row a bar; returns how many.

    Raises:
        NotFound: No such prices are stored.
    """
    rows = 0
    with written_table(path, PRICE_SCHEMA) as file:
        async for part in repository.query_time_series(asset, period, timeframe):
            columns = {
                name: pa.array(getattr(part, name), from_pandas=True) for name in COLUMNS
            }  # NaN is null
            file.write_table(pa.table({"datetime": part.times, **columns}, schema=PRICE_SCHEMA))
            rows += len(part)
    return rows


async def export_chains(
    repository: HistoricalDataRepository, asset: str, period: DateRange, path: Path, *, form: str = "optopsy"
) -> int:
    """Write the chains of a period; returns how many calls and puts.

    Args:
        repository: Where they are stored.
        asset: Whose.
        period: Of their days.
        path: The file, or for some forms the folder.
        form: One of `EXPORTS`.

    Raises:
        InvalidInput: The form is unknown.
        NotFound: No chain of the asset is stored.
    """
    if form not in EXPORTS:
        raise InvalidInput("format", f"must be one of {', '.join(EXPORTS)}")
    stored = (await repository.get_asset(asset)).chains
    if stored is None:
        raise NotFound("chains", asset)
    day, last, rows = max(period.first, stored.first), min(period.last, stored.last), 0
    with EXPORTS[form](path) as write:
        while day <= last:
            with suppress(NotFound):  # no trading that day
                rows += write(await repository.get_historical_chain(asset, day))
            day += timedelta(days=1)
    return rows
