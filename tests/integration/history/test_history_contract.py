"""What every history store must do, on a real mongod and on the embedded server."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from bson import ObjectId
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import NotPrimaryError

from adapters.mongo import revisions
from optionchain.errors import Conflict, InvalidInput, NotFound
from optionchain.history.bars import joined
from optionchain.history.chains import QUOTE_FIELDS, DateRange, HistoricalChain, Quotes
from optionchain.history.results import SimulationResult
from optionchain.time_frame import TimeFrame
from tests.unit.history.samples import chain, prices, same_chain, same_prices, simulation_result

pytestmark = pytest.mark.anyio

DAY = date(2024, 1, 2)
YEAR = DateRange(date(2024, 1, 1), date(2024, 12, 31))
EVER = DateRange(date(1950, 1, 1), date(2100, 1, 1))


async def read(history, asset="SPX", period=EVER, timeframe=TimeFrame.DAY):
    parts = [part async for part in history.query_time_series(asset, period, timeframe)]
    return joined(parts) if parts else None


async def test_a_chain_is_read_as_it_was_saved(history):
    saved = chain()

    await history.save_historical_chain(saved)

    assert same_chain(await history.get_historical_chain("SPX", DAY), saved)


async def test_a_chain_saved_again_replaces_the_old_one(history, mongo):
    await history.save_historical_chain(chain(expirations=("2024-01-19", "2024-02-16", "2024-03-15")))

    newer = chain(level=0.5)
    await history.save_historical_chain(newer)
    await history.save_historical_chain(newer)

    assert same_chain(await history.get_historical_chain("SPX", DAY), newer)
    assert await history._chains.documents.count_documents({}) == 2
    assert await history._chains.heads.count_documents({}) == 1


async def test_two_writers_of_one_day_leave_one_whole_chain(history):
    candidates = [
        chain(level=0.1 * n, expirations=("2024-01-19", "2024-02-16")[: 1 + n % 2]) for n in range(1, 6)
    ]

    await asyncio.gather(*(history.save_historical_chain(candidate) for candidate in candidates))

    stored = await history.get_historical_chain("SPX", DAY)
    assert sum(same_chain(stored, candidate) for candidate in candidates) == 1


async def test_merged_chains_have_the_contracts_of_both_and_the_newer_quotes(history, mongo):
    older, newer = chain(expirations=("2024-01-19",)), chain(level=0.5)

    counts = [await history.merge_historical_chain(one) for one in (older, newer, newer)]

    # Five strikes an expiration, a call and a put each.
    assert counts == [0, 10, 20]
    assert same_chain(await history.get_historical_chain("SPX", DAY), older.merged(newer))
    assert await history._chains.documents.count_documents({}) == 2
    assert await history._chains.heads.count_documents({}) == 1


async def test_writers_that_add_to_one_day_at_once_lose_nothing(history):
    days = [f"2024-0{month}-16" for month in range(2, 7)]
    parts = [chain(expirations=(day,), level=0.1 * n) for n, day in enumerate(days, 1)]

    await asyncio.gather(*(history.merge_historical_chain(part) for part in parts))

    stored = await history.get_historical_chain("SPX", DAY)
    assert np.unique(stored.expirations).astype(str).tolist() == days
    assert np.array_equal(
        stored.calls.implied_volatility, np.concatenate([part.calls.implied_volatility for part in parts])
    )


async def test_adding_to_a_day_that_is_changed_all_the_time_is_given_up(history, monkeypatch):
    await history.save_historical_chain(chain())
    publish = history._chains.publish

    async def second(revisions):
        await publish(revisions)
        return {history._chains.identity_of(revision.identity) for revision in revisions}

    monkeypatch.setattr(history._chains, "publish", second)

    with pytest.raises(Conflict):
        await history.merge_historical_chain(chain(level=0.5))


async def test_readers_see_one_chain_or_the_other_while_it_is_replaced(history):
    one, other = chain(level=0.1), chain(level=0.3, expirations=("2024-01-19",))
    await history.save_historical_chain(one)

    async def write():
        for _ in range(5):
            await history.save_historical_chain(other)
            await history.save_historical_chain(one)

    writer = asyncio.create_task(write())
    while not writer.done():
        seen = await history.get_historical_chain("SPX", DAY)
        assert same_chain(seen, one) or same_chain(seen, other)
    await writer


async def test_an_unknown_chain_is_not_found(history):
    await history.save_historical_chain(chain())

    for asset, day in (("SPX", DAY + timedelta(days=1)), ("NDX", DAY)):
        with pytest.raises(NotFound):
            await history.get_historical_chain(asset, day)


async def test_assets_and_their_ranges_are_listed(history):
    for day in (DAY, DAY + timedelta(days=2)):
        await history.save_historical_chain(chain(day=day))
    await history.save_time_series(prices([1.0, 2.0], start="2023-12-29"))
    await history.save_time_series(prices([1.0], asset="NDX", timeframe=TimeFrame.MINUTE))

    ndx, spx = await history.list_available_assets()

    assert (spx.asset, spx.chain_days, spx.chains) == ("SPX", 2, DateRange(DAY, DAY + timedelta(days=2)))
    assert spx.prices == {"Day": DateRange(date(2023, 12, 29), date(2023, 12, 30))}
    assert (ndx.asset, ndx.chains, list(ndx.prices)) == ("NDX", None, ["Minute"])
    assert await history.get_date_range_for_asset("SPX") == DateRange(date(2023, 12, 29), date(2024, 1, 4))
    with pytest.raises(NotFound):
        await history.get_date_range_for_asset("DAX")


async def test_nothing_is_listed_of_an_empty_store(history):
    assert await history.list_available_assets() == []


@pytest.mark.parametrize("timeframe", [TimeFrame.SECOND, TimeFrame.MINUTE, TimeFrame.HOUR, TimeFrame.DAY])
async def test_prices_are_read_as_they_were_saved_over_many_stretches(history, timeframe):
    saved = prices(np.linspace(1, 2, 4000), timeframe=timeframe)

    await history.save_time_series(saved)

    assert same_prices(await read(history, timeframe=timeframe), saved)


async def test_a_volume_that_is_unknown_stays_unknown(history):
    saved = prices([1.0, 2.0])
    saved = replace(saved, volume=np.array([np.nan, np.nan]))

    await history.save_time_series(saved)

    assert same_prices(await read(history), saved)


async def test_bars_saved_again_replace_and_never_double(history):
    await history.save_time_series(prices([1.0, 2.0, 3.0]))

    await history.save_time_series(prices([9.0, 8.0], start="2024-01-04"))

    assert (await read(history)).close.tolist() == [1.0, 2.0, 9.0, 8.0]
    assert await history._prices.documents.count_documents({}) == 1


async def test_writers_of_the_same_stretch_lose_no_bar_of_each_other(history):
    days = [prices([float(n + 1)], start=f"2024-01-{n + 1:02d}") for n in range(5)]

    await asyncio.gather(*(history.save_time_series(day) for day in days))

    assert (await read(history)).close.tolist() == [1.0, 2.0, 3.0, 4.0, 5.0]


async def test_a_period_has_the_bars_that_begin_in_it(history):
    await history.save_time_series(
        prices(np.arange(1.0, 49.0), timeframe=TimeFrame.HOUR, start="2024-01-01T12")
    )

    found = await read(history, period=DateRange(DAY, DAY), timeframe=TimeFrame.HOUR)

    assert found.close.tolist() == list(np.arange(13.0, 37.0))
    assert (
        await read(history, period=DateRange(date(2025, 1, 1), date(2025, 1, 2)), timeframe=TimeFrame.HOUR)
        is None
    )


async def test_a_coarser_time_frame_is_made_of_what_is_stored(history):
    minutes = prices(1 + np.arange(100_000) % 977, timeframe=TimeFrame.MINUTE, start="2023-12-31T22:30")
    await history.save_time_series(minutes)

    for timeframe in (TimeFrame.HOUR, TimeFrame.DAY, TimeFrame.WEEK, TimeFrame.MONTH):
        assert same_prices(await read(history, timeframe=timeframe), minutes.resampled(timeframe))


async def test_a_finer_time_frame_than_stored_is_not_found_and_the_message_says_what_is_there(history):
    await history.save_time_series(prices([1.0]))

    with pytest.raises(NotFound, match="SPX has Day prices only"):
        await read(history, timeframe=TimeFrame.MINUTE)


async def test_the_smile_of_each_day_and_expiration_is_computed_by_the_server(history):
    await history.save_historical_chain(chain())
    await history.save_historical_chain(chain(day=date(2024, 1, 3), level=0.3))

    points = await history.query_volatility("SPX", YEAR, wing=0.07)

    # The underlying is at 101: 100 is nearest to the money, 95 to 93.93 and 110 to 108.07.
    assert [(point.day.day, point.days_to_expiration) for point in points] == [
        (2, 17),
        (2, 45),
        (3, 16),
        (3, 44),
    ]
    assert [point.atm_volatility for point in points] == pytest.approx([0.2, 0.2, 0.3, 0.3], abs=1e-15)
    assert [point.skew for point in points] == pytest.approx([0.03] * 4, abs=1e-15)


async def test_the_smiles_of_many_days_are_those_of_an_independent_computation(history, monkeypatch):
    """However the days are given to the server."""
    monkeypatch.setattr(revisions, "PORTION", 25)
    random = np.random.default_rng(5)
    saved = [random_chain(random, DAY + timedelta(days=n)) for n in range(7)]
    for one in saved:
        await history.save_historical_chain(one)

    points = await history.query_volatility("SPX", YEAR)

    expected = {
        (one.day, expiration): smile(one, rows) for one in saved for expiration, rows in one.by_expiration()
    }
    found = {
        (point.day, point.expiration): (
            point.atm_volatility,
            point.put_volatility,
            point.call_volatility,
        )
        for point in points
    }
    assert list(found) == sorted(expected)
    assert found == expected


def random_chain(random, day):
    """Strikes anywhere, a third of the volatilities missing."""
    count = 12
    expirations = np.repeat(
        np.array([day + timedelta(days=7 * n) for n in (1, 2, 5)], "datetime64[D]"), count // 3
    )

    def quotes():
        volatility = random.uniform(0.1, 0.5, count)
        volatility[random.random(count) < 1 / 3] = random.choice([np.nan, 0.0])
        return Quotes.of(count, implied_volatility=volatility)

    return replace(
        chain(day=day),
        underlying_price=float(random.uniform(90, 110)),
        expirations=expirations,
        strikes=random.uniform(80, 120, count).round(3),
        calls=quotes(),
        puts=quotes(),
    )


def smile(chain, rows, wing=0.05):
    """At the money, put at the lower wing, call at the upper wing: one contract after the other, in plain Python."""

    def nearest(target, volatilities):
        candidates = [
            (abs(strike / chain.underlying_price - target), volatility)
            for strike, volatility in zip(chain.strikes[rows].tolist(), volatilities, strict=True)
            if volatility is not None
        ]
        return min(candidates)[1] if candidates else None

    calls, puts = (
        [value if value > 0 else None for value in side.implied_volatility[rows].tolist()]
        for side in (chain.calls, chain.puts)
    )
    known = [[one for one in pair if one is not None] for pair in zip(calls, puts, strict=True)]
    means = [sum(pair) / len(pair) if pair else None for pair in known]
    return nearest(1.0, means), nearest(1.0 - wing, puts), nearest(1.0 + wing, calls)


async def test_contracts_without_a_volatility_are_passed_over(history):
    full = chain(expirations=("2024-01-19",))
    holes = full.calls.implied_volatility.copy()
    holes[2] = np.nan
    calls = replace(full.calls, implied_volatility=holes)
    none = replace(full.puts, implied_volatility=np.full(5, np.nan))
    await history.save_historical_chain(replace(full, calls=calls, puts=none))

    (point,) = await history.query_volatility("SPX", YEAR)

    assert point.atm_volatility == pytest.approx(full.calls.implied_volatility[3])
    assert (point.put_volatility, point.skew) == (None, None)


@pytest.mark.parametrize("timeframe", [TimeFrame.DAY, TimeFrame.HOUR, TimeFrame.MINUTE])
async def test_realised_volatility_is_that_of_the_daily_closes(history, timeframe):
    closes = 100 * np.exp(np.cumsum(np.random.default_rng(7).normal(0, 0.01, 24 * 40)))
    step = 3600 if timeframe == TimeFrame.MINUTE else None  # a minute each hour
    saved = prices(closes, timeframe=timeframe, step=step)
    await history.save_time_series(saved)
    period = DateRange(date(2024, 1, 5), date(2024, 2, 5))

    answer = await history.query_realised_volatility("SPX", period)

    daily = saved.within(period).resampled(TimeFrame.DAY).close
    assert answer == pytest.approx(np.std(np.diff(np.log(daily)), ddof=1) * np.sqrt(252), rel=1e-12)


async def test_two_closes_have_no_realised_volatility(history):
    await history.save_time_series(prices([1.0, 2.0]))

    assert await history.query_realised_volatility("SPX", YEAR) is None


async def test_a_simulation_result_is_kept_once_and_never_changed(history):
    result = simulation_result("run-1")

    await history.store_simulation_result(result)
    await history.store_simulation_result(replace(result, stored_by="ben"))

    assert await history.get_simulation_result("run-1") == result
    with pytest.raises(Conflict):
        await history.store_simulation_result(replace(result, prices=(1.0, 2.0)))
    with pytest.raises(NotFound):
        await history.get_simulation_result("run-2")


def served(steps, since=1, owner="anna", session="5e55"):
    return SimulationResult(
        id=f"{session}-{since:010}",
        asset="BRK B",
        parameters='{"seed":1}',
        prices=tuple(100.0 + step for step in range(steps)),
        volatilities=(0.2,) * steps,
        stored_by=owner,
        stored_at=datetime(2024, 1, 2, tzinfo=UTC),
    )


async def test_a_result_grows_with_its_steps_and_never_shrinks_or_changes(history):
    for steps in (2, 5, 3, 5):
        await history.store_simulation_result(served(steps))

    assert await history.results_of_session("5e55", "anna") == [served(5)]
    with pytest.raises(Conflict):
        await history.store_simulation_result(replace(served(6), volatilities=(0.3,) * 6))


async def test_of_a_session_its_owner_gets_the_results_in_their_order(history):
    for since in (12, 2, 1):
        await history.store_simulation_result(served(3, since))
    await history.store_simulation_result(served(3, session="5e55a"))

    assert await history.results_of_session("5e55", "anna") == [served(3, since) for since in (1, 2, 12)]
    assert await history.results_of_session("5e55", "ben") == []
    with pytest.raises(InvalidInput):
        await history.results_of_session({"$ne": ""}, "anna")


@pytest.mark.parametrize(
    "asset", ["$where", "a.b$", "", "x" * 33, {"$ne": ""}, {"$gt": ""}, None, "a\0", "a b"]
)
async def test_an_operator_in_the_place_of_a_name_is_refused(history, asset):
    await history.save_historical_chain(chain())
    calls = (
        lambda: history.get_historical_chain(asset, DAY),
        lambda: history.get_date_range_for_asset(asset),
        lambda: read(history, asset),
        lambda: history.query_volatility(asset, YEAR),
        lambda: history.query_realised_volatility(asset, YEAR),
    )

    for call in calls:
        with pytest.raises(InvalidInput):
            await call()


@pytest.mark.parametrize("day", ["2024-01-02", {"$gt": 0}, datetime(2024, 1, 2), None, date(1, 1, 1)])
async def test_an_operator_in_the_place_of_a_date_is_refused(history, day):
    with pytest.raises(InvalidInput):
        await history.get_historical_chain("SPX", day)
    with pytest.raises(InvalidInput):
        DateRange(day, DAY)


@pytest.mark.parametrize("name", [{"$ne": None}, 1, None])
async def test_an_operator_in_the_place_of_an_id_is_refused(history, name):
    with pytest.raises(InvalidInput):
        await history.get_simulation_result(name)


async def test_a_writer_that_died_leaves_nothing_that_is_seen_and_its_trace_is_dropped(history):
    saved = chain()
    await history.save_historical_chain(saved)
    head = await history._chains.heads.find_one({})
    orphan = {"asset": "SPX", "date": head["date"], "expiration": head["date"]}
    now = datetime.now(UTC)
    revision = ObjectId.from_datetime(now - timedelta(hours=2))
    await history._chains.documents.insert_one(
        {"time": head["date"], "key": {**orphan, "revision": revision}}
    )

    assert same_chain(await history.get_historical_chain("SPX", DAY), saved)
    assert await history.drop_abandoned(now) == 1
    assert same_chain(await history.get_historical_chain("SPX", DAY), saved)


async def test_a_chain_is_saved_though_the_old_one_cannot_be_dropped_where_the_primary_changes(
    history, monkeypatch
):
    await history.save_historical_chain(chain())
    newer = chain(level=0.5)

    async def refuse(*_, **__):
        raise NotPrimaryError("not primary")

    with monkeypatch.context() as patch:
        patch.setattr(AsyncCollection, "delete_many", refuse)
        await history.save_historical_chain(newer)

    assert same_chain(await history.get_historical_chain("SPX", DAY), newer)
    assert await history.drop_abandoned(datetime.now(UTC) + timedelta(days=3)) > 0
    assert same_chain(await history.get_historical_chain("SPX", DAY), newer)


async def test_what_was_abandoned_is_found_between_many_that_count(history, monkeypatch):
    monkeypatch.setattr(revisions, "SWEPT", 2)
    later = datetime.now(UTC) + timedelta(hours=2)
    for day in range(5):
        saved = chain(day=DAY + timedelta(days=day), expirations=("2024-03-15",))
        await history.save_historical_chain(saved)
        head = await history._chains.heads.find_one({"date": datetime(2024, 1, 2 + day, tzinfo=UTC)})
        key = {"asset": "SPX", "date": head["date"], "expiration": head["date"], "revision": ObjectId()}
        await history._chains.documents.insert_one({"time": head["date"], "key": key})

    assert await history.drop_abandoned(later) == 5
    assert await history.drop_abandoned(later) == 0
    assert (await history.get_asset("SPX")).chain_days == 5
    for day in range(5):
        await history.get_historical_chain("SPX", DAY + timedelta(days=day))


async def test_the_largest_expiration_fits_in_a_document(history):
    strikes = np.arange(1.0, 5001.0)
    random = np.random.default_rng(1)
    quotes = Quotes.of(5000, **{name: random.random(5000) for name in QUOTE_FIELDS})
    full = HistoricalChain(
        asset="SPX",
        day=DAY,
        quote_time=datetime(2024, 1, 2, tzinfo=UTC),
        underlying_price=2500.0,
        expirations=np.full(5000, np.datetime64("2024-01-19")),
        strikes=strikes,
        calls=quotes,
        puts=quotes,
    )

    await history.save_historical_chain(full)

    assert same_chain(await history.get_historical_chain("SPX", DAY), full)
