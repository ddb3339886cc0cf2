"""Small chains and prices to test with."""

from datetime import UTC, date, datetime

import numpy as np

from optionchain.history.bars import PriceSeries
from optionchain.history.chains import HistoricalChain, Quotes
from optionchain.history.results import SimulationResult
from optionchain.time_frame import TimeFrame


def chain(asset="SPX", day=date(2024, 1, 2), expirations=("2024-01-19", "2024-02-16"), level=0.2, **changes):
    """Five strikes an expiration around 100; volatility is `level` at the money and 0.01 more a strike below."""
    strikes = np.tile([90.0, 95.0, 100.0, 105.0, 110.0], len(expirations))
    volatility = level + (100.0 - strikes) / 500.0
    quotes = Quotes.of(
        strikes.size, bid=strikes / 100, ask=strikes / 90, implied_volatility=volatility, volume=strikes
    )
    fields = {
        "asset": asset,
        "day": day,
        "quote_time": datetime(day.year, day.month, day.day, 21, tzinfo=UTC),
        "underlying_price": 101.0,
        "expirations": np.repeat(np.array(expirations, "datetime64[D]"), 5),
        "strikes": strikes,
        "calls": quotes,
        "puts": quotes,
    }
    return HistoricalChain(**fields | changes)


def prices(closes, start="2024-01-02", timeframe=TimeFrame.DAY, asset="SPX", step=None):
    """Bars that open, peak and close at the same price, one after another."""
    closes = np.asarray(closes, float)
    seconds = int(step or timeframe.interval.total_seconds())
    times = np.datetime64(start, "s") + np.arange(closes.size) * np.timedelta64(seconds, "s")
    return PriceSeries(
        asset=asset,
        timeframe=timeframe,
        times=times,
        open=closes,
        high=closes,
        low=closes,
        close=closes,
        volume=np.ones(closes.size),
    )


def same_chain(one, other):
    fields = ("asset", "day", "quote_time", "underlying_price")
    same_head = all(getattr(one, name) == getattr(other, name) for name in fields)
    sides = [(one.calls, other.calls), (one.puts, other.puts)]
    return (
        same_head
        and np.array_equal(one.strikes, other.strikes)
        and np.array_equal(one.expirations, other.expirations)
        and all(
            np.array_equal(getattr(a, name), getattr(b, name), equal_nan=True)
            for a, b in sides
            for name in type(a).__dataclass_fields__
        )
    )


def same_prices(one, other):
    columns = ("times", "open", "high", "low", "close", "volume")
    return (
        one.asset == other.asset
        and one.timeframe == other.timeframe
        and all(
            np.array_equal(getattr(one, name), getattr(other, name), equal_nan=name != "times")
            for name in columns
        )
    )


def simulation_result(identity):
    """Two steps that were served, stored by anna."""
    return SimulationResult(
        id=identity,
        asset="SPX",
        parameters='{"seed":18446744073709551615}',
        prices=(100.0, 101.0),
        volatilities=(0.2, 0.2),
        stored_by="anna",
        stored_at=datetime(2024, 1, 2, tzinfo=UTC),
    )
