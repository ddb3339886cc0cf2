"""The sample that ships: small, what its script makes, and loaded once."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from adapters.history_files.sample_data import (
    CHAIN_DAYS,
    DAYS,
    FOLDER,
    SAMPLE_ASSET,
    load_sample,
    make_sample,
)
from optionchain.history.chains import DateRange
from optionchain.time_frame import TimeFrame

pytestmark = pytest.mark.anyio

EVER = DateRange(date(1950, 1, 1), date(2100, 1, 1))


def test_the_sample_is_small_and_what_its_script_makes(tmp_path):
    make_sample(tmp_path)

    for name in ("prices.parquet", "chains.parquet"):
        # A cent, or the last digit of a greek: another processor may round the other way.
        assert_frame_equal(pl.read_parquet(FOLDER / name), pl.read_parquet(tmp_path / name), abs_tol=0.011)
    assert sum(file.stat().st_size for file in FOLDER.iterdir()) < 300_000


async def test_the_sample_is_loaded_once_and_serves_models_and_analytics(history):
    assert [await load_sample(history), await load_sample(history)] == [True, False]

    summary = await history.get_asset(SAMPLE_ASSET)
    bars = [part async for part in history.query_time_series(SAMPLE_ASSET, EVER, TimeFrame.DAY)]
    points = await history.query_volatility(SAMPLE_ASSET, summary.chains)
    assert (summary.chain_days, sum(map(len, bars))) == (CHAIN_DAYS, DAYS)
    assert len(points) == 3 * CHAIN_DAYS
    assert all(0.05 < point.atm_volatility < 0.6 for point in points)
    assert all(point.skew > 0 for point in points)
    assert 0.05 < await history.query_realised_volatility(SAMPLE_ASSET, summary.days) < 0.6
