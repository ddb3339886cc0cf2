"""Bars: what is valid, merging, periods, and coarser time frames."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optionchain.errors import InvalidInput
from optionchain.history.bars import (
    PriceSeries,
    interval_starts,
    joined,
    resampled_stream,
    source_time_frame,
)
from optionchain.history.chains import DateRange
from optionchain.history.window import window_of_closes
from optionchain.time_frame import TimeFrame
from tests.unit.history.samples import prices, same_prices

FRAMES = [TimeFrame(name) for name in ("Minute", "Hour", "Day", "Week", "Month", "Quarter", "Year")]


def random_series(count, seed=1, timeframe=TimeFrame.MINUTE, start="2023-12-30T22:17"):
    random = np.random.default_rng(seed)
    minutes = np.cumsum(random.integers(1, 5000, count))
    closes, opens = random.uniform(1, 2, count), random.uniform(1, 2, count)
    return PriceSeries(
        asset="SPX",
        timeframe=timeframe,
        times=np.datetime64(start, "s") + minutes * np.timedelta64(60, "s"),
        open=opens,
        high=np.maximum(opens, closes) + random.random(count),
        low=np.minimum(opens, closes) * random.random(count),
        close=closes,
        volume=np.floor(random.uniform(0, 100, count)),
    )


@pytest.mark.parametrize("timeframe", FRAMES)
def test_a_coarser_bar_is_first_highest_lowest_last_and_sum_of_what_it_spans(timeframe):
    series = random_series(300)

    bars = series.resampled(timeframe)

    starts = interval_starts(series.times, timeframe)
    for index, time in enumerate(bars.times):
        spanned = np.flatnonzero(starts == time)
        assert bars.open[index] == series.open[spanned[0]]
        assert bars.high[index] == series.high[spanned].max()
        assert bars.low[index] == series.low[spanned].min()
        assert bars.close[index] == series.close[spanned[-1]]
        assert bars.volume[index] == series.volume[spanned].sum()
    assert len(bars) == len(set(starts.tolist()))


@pytest.mark.parametrize(
    ("timeframe", "start"),
    [
        ("Second", "2024-05-08T13:14:15"),
        ("Minute", "2024-05-08T13:14:00"),
        ("Hour", "2024-05-08T13:00:00"),
        ("Day", "2024-05-08T00:00:00"),
        ("Week", "2024-05-06T00:00:00"),  # a Monday
        ("Month", "2024-05-01T00:00:00"),
        ("Quarter", "2024-04-01T00:00:00"),
        ("Year", "2024-01-01T00:00:00"),
    ],
)
def test_intervals_begin_by_the_calendar(timeframe, start):
    time = np.array(["2024-05-08T13:14:15"], "datetime64[s]")

    assert str(interval_starts(time, TimeFrame(timeframe))[0]) == start


def test_intervals_before_1970_begin_before_what_they_contain():
    times = np.array(["1969-12-31T23:59:59", "1955-03-03T01:00:00"], "datetime64[s]")

    for timeframe in FRAMES:
        starts = interval_starts(times, timeframe)
        assert np.all(starts <= times)
    assert str(interval_starts(times, TimeFrame.WEEK)[0]) == "1969-12-29T00:00:00"


@pytest.mark.anyio
@pytest.mark.parametrize("timeframe", FRAMES)
@pytest.mark.parametrize("size", [1, 7, 299, 1000])
async def test_a_stream_in_parts_gives_the_bars_of_the_whole(timeframe, size):
    series = random_series(300)

    async def parts():
        for start in range(0, len(series), size):
            yield series.take(slice(start, start + size))

    streamed = [part async for part in resampled_stream(parts(), timeframe)]

    assert same_prices(joined(streamed), series.resampled(timeframe))


@given(st.sets(st.integers(0, 50), min_size=1), st.sets(st.integers(0, 50), min_size=1))
def test_merged_bars_are_those_of_both_and_the_newer_count(older_days, newer_days):
    def series(days, price):
        times = np.datetime64("2024-01-01", "s") + np.array(sorted(days)) * np.timedelta64(86_400, "s")
        column = np.full(len(days), price)
        return PriceSeries(
            asset="X",
            timeframe=TimeFrame.DAY,
            times=times,
            open=column,
            high=column,
            low=column,
            close=column,
            volume=column,
        )

    merged = series(older_days, 1.0).merged(series(newer_days, 2.0))

    expected = {day: 2.0 if day in newer_days else 1.0 for day in older_days | newer_days}
    assert merged.close.tolist() == [expected[day] for day in sorted(expected)]


def test_a_finer_time_frame_cannot_be_made():
    with pytest.raises(InvalidInput, match="finer than what is stored"):
        prices([1.0]).resampled(TimeFrame.HOUR)


@pytest.mark.parametrize(
    ("wanted", "stored", "source"),
    [
        ("Day", ["Minute", "Day", "Year"], "Day"),
        ("Week", ["Minute", "Hour"], "Hour"),
        ("Month", ["Day", "Week"], "Day"),
        ("Quarter", ["Week"], None),
        ("Week", ["Day", "Week"], "Week"),
        ("Minute", ["Day"], None),
        ("Day", [], None),
    ],
)
def test_the_source_is_the_coarsest_that_is_not_too_coarse(wanted, stored, source):
    found = source_time_frame(TimeFrame(wanted), stored)

    assert (found.name if found else None) == source


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"asset": "a/b"}, "asset"),
        ({"timeframe": TimeFrame.MICROSECOND}, "timeframe"),
        ({"timeframe": TimeFrame.custom(365)}, "timeframe"),
        ({"times": np.array(["2024-01-02", "2024-01-02"], "datetime64[s]")}, "times"),
        ({"times": np.array(["2024-01-03", "2024-01-02"], "datetime64[s]")}, "times"),
        ({"times": np.array(["2024-01-03", "NaT"], "datetime64[s]")}, "times"),
        ({"times": np.array(["1800-01-03", "1800-01-04"], "datetime64[s]")}, "times"),
        ({"times": np.array(["2024-01-03"], "datetime64[s]")}, "times"),
        ({"close": [1.0, 0.0]}, "close"),
        ({"close": [1.0, float("nan")]}, "close"),
        ({"high": [1.0, 1.5]}, "high"),
        ({"low": [1.0, 2.5]}, "low"),
        ({"low": [1.0, 0.0]}, "low"),
        ({"low": [1.0, -2e12]}, "low"),
        ({"close": [1.0, float("-inf")]}, "close"),
        ({"volume": [1.0, -1.0]}, "volume"),
        ({"open": "text"}, "open"),
    ],
)
def test_bars_that_are_none_are_refused_with_the_column_at_fault(changes, field):
    columns = {name: [1.0, 2.0] for name in ("open", "high", "low", "close", "volume")}
    times = np.array(["2024-01-02", "2024-01-03"], "datetime64[s]")

    with pytest.raises(InvalidInput) as refusal:
        PriceSeries(**{"asset": "X", "timeframe": TimeFrame.DAY, "times": times, **columns} | changes)

    assert refusal.value.field == field


def test_prices_below_zero_are_bars_and_zero_beside_them():
    # Light sweet crude for May 2020, as CME settled it on 20 April.
    oil = prices([18.27, -37.63, 10.01], start="2020-04-17", asset="CL")
    across = PriceSeries(
        asset="CL",
        timeframe=TimeFrame.MINUTE,
        times=oil.times[:1],
        open=[0.01],
        high=[0.02],
        low=[-0.05],
        close=[0.0],
        volume=[1],
    )

    week = oil.resampled(TimeFrame.YEAR)

    assert (week.high.tolist(), week.low.tolist(), week.close.tolist()) == ([18.27], [-37.63], [10.01])
    assert across.close.tolist() == [0.0]


def test_a_window_of_closes_that_no_return_leads_through_is_refused():
    with pytest.raises(
        InvalidInput, match=r"a close of -37.63, and prices that are replayed must be above 0"
    ):
        window_of_closes(np.array([18.27, -37.63, 10.01]), 3, seed=1)


def test_a_period_contains_its_first_and_last_day():
    hours = prices(np.arange(1.0, 73.0), timeframe=TimeFrame.HOUR, start="2024-01-01")

    within = hours.within(DateRange(date(2024, 1, 2), date(2024, 1, 2)))

    assert within.close.tolist() == list(np.arange(25.0, 49.0))
