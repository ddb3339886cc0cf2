"""The prices that a historical walk replays: what is stored may be below zero, what is replayed may not."""

from __future__ import annotations

import pytest

from actors.history.replayed_prices import drawn_closes
from optionchain.errors import InvalidInput, NotFound
from optionchain.history.results import AssetSummary
from optionchain.time_frame import TimeFrame
from tests.unit.history.kept import Kept
from tests.unit.history.samples import prices

pytestmark = pytest.mark.anyio


class Stored(Kept):
    """Daily prices of one asset."""

    def __init__(self, closes):
        super().__init__()
        self.parts = [prices(closes, start="2020-04-17")]

    async def get_asset(self, asset):
        days = self.parts[0].days
        return AssetSummary(asset=asset, chains=None, chain_days=0, prices={"Day": days})


async def drawn(closes, steps):
    return await drawn_closes(Stored(closes), "CL", TimeFrame.DAY, steps=steps, seed=1, max_bars=100)


async def test_a_session_that_would_replay_a_price_below_zero_is_refused_with_the_price():
    with pytest.raises(InvalidInput, match=r"the history has a close of -37.63") as refusal:
        await drawn([18.27, -37.63, 10.01], 3)

    assert refusal.value.field == "method.Historical.prices"


async def test_prices_above_zero_are_replayed_also_where_others_are_below():
    assert await drawn([-37.63, 10.01, 13.78], 1) in [(10.01,), (13.78,)]


async def test_as_many_prices_as_may_be_are_drawn_from_and_one_more_is_refused():
    most = [100.0 + step for step in range(100)]

    assert len(await drawn(most, 100)) == 100
    with pytest.raises(InvalidInput, match="more than 100 such prices"):
        await drawn([*most, 1.0], 3)


@pytest.mark.parametrize(
    ("asset", "timeframe", "field"),
    [
        ("C L", TimeFrame.DAY, "method.Historical.symbol"),
        ("CL", TimeFrame.custom(90.0), "method.Historical.timeframe"),
        ("CL", "Day", "method.Historical.timeframe"),
    ],
)
async def test_what_history_has_no_name_for_is_refused_before_it_is_asked(asset, timeframe, field):
    with pytest.raises(InvalidInput) as refusal:
        await drawn_closes(None, asset, timeframe, steps=1, seed=1, max_bars=100)

    assert refusal.value.field == field


@pytest.mark.parametrize("missing", ["get_asset", "query_time_series"])
async def test_nothing_stored_is_no_price_at_all(missing, monkeypatch):
    def nothing(*_):
        raise NotFound("asset", "CL")

    monkeypatch.setattr(Stored, missing, nothing)

    with pytest.raises(InvalidInput, match="1 Day prices of CL are needed and the history has 0"):
        await drawn([18.27], 1)
