"""The sample that ships with the project: two years of daily prices of a made-up index and the chains of a month.

``python -m adapters.history_files.sample_data`` makes it again, from our own simulator and a fixed seed.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from adapters.history_files.bars import BarMapping, bars_of
from adapters.history_files.chains import chains_of
from adapters.history_files.exporting import PRICE_SCHEMA
from adapters.history_files.exports.tables import optopsy_rows
from adapters.history_files.plans import plan_import
from optionchain.chains import OptionChain, build_chain
from optionchain.draws.philox import PhiloxDraws
from optionchain.errors import NotFound
from optionchain.expirations import Expiration
from optionchain.history.chains import HistoricalChain, Quotes
from optionchain.models import Heston
from optionchain.ports import HistoricalDataRepository

SAMPLE_ASSET = "SAMPLE"
FOLDER = Path(__file__).parent / "sample"
FIRST_DAY, DAYS, CHAIN_DAYS, SEED = date(2023, 1, 2), 520, 21, 2024
TICKS_A_DAY = 16
EXPIRATIONS = [timedelta(days=days) for days in (7, 30, 91)]
CLOSE = time(21)


async def load_sample(repository: HistoricalDataRepository) -> bool:
    """Store the sample, unless all of it is stored; returns whether it was."""
    # The chains come last: with all of them, nothing is missing.
    if await _stored_chains(repository) >= CHAIN_DAYS:
        return False
    for name in ("prices", "chains"):
        await _store(repository, FOLDER / f"{name}.parquet")
    return True


def make_sample(folder: Path) -> None:
    """Write the two files of the sample."""
    days = np.busday_offset(np.datetime64(FIRST_DAY), np.arange(DAYS)).astype("datetime64[s]")
    model = Heston(
        dt=1 / (252 * TICKS_A_DAY), drift=0.06, volatility=0.18, kappa=3.0, theta=0.04, xi=0.5, rho=-0.7
    )
    path = model.sample(4000.0, DAYS * TICKS_A_DAY, PhiloxDraws(seed=SEED))
    ticks = np.round(path.prices[0].reshape(DAYS, TICKS_A_DAY), 2)
    columns = {"open": ticks[:, 0], "high": ticks.max(1), "low": ticks.min(1), "close": ticks[:, -1]}
    bars = pa.table(
        {"datetime": days, **columns, "volume": pa.nulls(DAYS, pa.float64())}, schema=PRICE_SCHEMA
    )
    pq.write_table(bars, folder / "prices.parquet", compression="zstd")
    volatilities = path.volatilities[0].reshape(DAYS, TICKS_A_DAY)[:, -1]
    chains = [
        optopsy_rows(_chain(day, float(ticks[index, -1]), float(volatilities[index])))
        for index, day in list(enumerate(days.astype("datetime64[D]").tolist()))[-CHAIN_DAYS:]
    ]
    pq.write_table(pa.concat_tables(chains), folder / "chains.parquet", compression="zstd")


def _chain(day: date, spot: float, volatility: float) -> HistoricalChain:
    close = datetime.combine(day, CLOSE, UTC)
    return historical_chain(
        build_chain(
            symbol=SAMPLE_ASSET,
            quote_time=close,
            spot=spot,
            base_volatility=volatility,
            expirations=[Expiration(expires_at=close + days, labels=()) for days in EXPIRATIONS],
            chain_size=10,
            spread=0.2,
            risk_free_rate=0.04,
        )
    )


def historical_chain(chain: OptionChain) -> HistoricalChain:
    """A simulated chain as one that was quoted, greeks to four digits."""
    expirations = [expiration.expires_at.date() for expiration in chain.expirations]
    shared = {"implied_volatility": chain.implied_volatilities, "gamma": chain.gamma, "vega": chain.vega}
    sides = [
        Quotes.of(
            chain.strikes.size,
            bid=bid,
            ask=ask,
            delta=delta.round(4),
            **{k: v.round(6) for k, v in shared.items()},
        )
        for bid, ask, delta in (
            (chain.call_bid, chain.call_ask, chain.call_delta),
            (chain.put_bid, chain.put_ask, chain.put_delta),
        )
    ]
    return HistoricalChain(
        asset=chain.symbol,
        day=chain.quote_time.date(),
        quote_time=chain.quote_time,
        underlying_price=chain.underlying_price,
        expirations=np.repeat(np.array(expirations, "datetime64[D]"), np.diff(chain.offsets)),
        strikes=chain.strikes,
        calls=sides[0],
        puts=sides[1],
    )


async def _stored_chains(repository: HistoricalDataRepository) -> int:
    try:
        return (await repository.get_asset(SAMPLE_ASSET)).chain_days
    except NotFound:
        return 0


async def _store(repository: HistoricalDataRepository, path: Path) -> None:
    # Not `import_file`: nothing is to be written beside an installed file.
    plan = plan_import(path, asset=SAMPLE_ASSET)
    for frame in plan.table.frames():
        if isinstance(plan.mapping, BarMapping):
            bars = bars_of(frame, plan.mapping, asset=SAMPLE_ASSET).bars
            if bars is not None:
                await repository.save_time_series(bars)
        else:
            for chain in chains_of(frame, plan.mapping, asset=SAMPLE_ASSET).chains:
                await repository.save_historical_chain(chain)


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    make_sample(FOLDER)
