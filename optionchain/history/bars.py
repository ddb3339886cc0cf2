"""Prices that were seen: bars of one asset and time frame, held by columns."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from optionchain.arrays import Floats
from optionchain.declared.limits import HIGHEST_PATH
from optionchain.errors import InvalidInput
from optionchain.history.chains import FIRST_DAY, LAST_DAY, DateRange, asset_name, floats
from optionchain.time_frame import TimeFrame

Instants: TypeAlias = NDArray[np.datetime64]

STORED_TIME_FRAMES = ("Second", "Minute", "Hour", "Day", "Week", "Month", "Quarter", "Year")
"""From the finest to the coarsest; history knows no other."""
PRICE_FIELDS = ("open", "high", "low", "close")
COLUMNS = (*PRICE_FIELDS, "volume")
_CALENDAR_MONTHS = {"Month": 1, "Quarter": 3, "Year": 12}
_EPOCH_WAS_A_THURSDAY = 3  # days from the Monday before 1970-01-01


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PriceSeries:
    """Bars in order of time.

    Attributes:
        asset: Its name.
        timeframe: The time that a bar spans; one of `STORED_TIME_FRAMES`.
        times: ``[bars]`` where each bar begins: whole seconds UTC, strictly ascending.
        open: ``[bars]`` currency units; below 0 too, as oil in April 2020, and 0 only in a bar that goes below.
        high: ``[bars]`` currency units, at least open and close.
        low: ``[bars]`` currency units, at most open and close.
        close: ``[bars]`` currency units, as `open`.
        volume: ``[bars]`` units traded, >= 0; NaN where the source says nothing.

    Raises:
        InvalidInput: A value is out of range, or the columns differ in length.
    """

    asset: str
    timeframe: TimeFrame
    times: Instants
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats

    def __post_init__(self) -> None:
        asset_name(self.asset)
        stored_time_frame(self.timeframe)
        object.__setattr__(self, "times", np.asarray(self.times, "datetime64[s]"))
        for name in COLUMNS:
            object.__setattr__(self, name, floats(name, getattr(self, name)))
        if {self.times.size} != {getattr(self, name).size for name in COLUMNS}:
            raise InvalidInput("times", "every column must have the same length")
        if np.any(np.isnat(self.times)) or np.any(np.diff(self.times) <= np.timedelta64(0, "s")):
            raise InvalidInput("times", "must ascend, each once")
        if self.times.size and not (
            np.datetime64(FIRST_DAY) <= self.times[0] and self.times[-1] < np.datetime64(LAST_DAY)
        ):
            raise InvalidInput("times", "must be from 1900-01-01 to 2261-12-31")
        fault = next(iter(bar_faults({name: getattr(self, name) for name in COLUMNS}).items()), None)
        if fault:
            raise InvalidInput(*fault)

    def __len__(self) -> int:
        return int(self.times.size)

    @property
    def days(self) -> DateRange:
        """From the day (UTC) of the first bar to that of the last; the series must not be empty."""
        first, last = self.times[[0, -1]].astype("datetime64[D]").tolist()
        return DateRange(first, last)

    def take(self, which: Any) -> PriceSeries:
        """The bars that an index, a mask or a slice selects, in their order."""
        columns = {name: getattr(self, name)[which] for name in COLUMNS}
        return PriceSeries(asset=self.asset, timeframe=self.timeframe, times=self.times[which], **columns)

    def within(self, period: DateRange) -> PriceSeries:
        """The bars that begin on a day (UTC) of the period."""
        ends = np.array([period.first, period.last + timedelta(days=1)], "datetime64[s]")
        first, last = np.searchsorted(self.times, ends)
        return self.take(slice(first, last))

    def merged(self, newer: PriceSeries) -> PriceSeries:
        """All bars of both; where both have one, the newer's counts."""
        return joined([self.take(~np.isin(self.times, newer.times)), newer])

    def resampled(self, timeframe: TimeFrame) -> PriceSeries:
        """Bars of a coarser time frame.

        Each new bar begins where its interval does: weeks on Mondays, months, quarters and years by the
        calendar, all in UTC.

        Raises:
            InvalidInput: The time frame is finer than this one's.

        Example:
            >>> hours = np.arange("2024-01-02T20", "2024-01-03T02", dtype="datetime64[h]")
            >>> prices = np.array([5.0, 6.0, 4.0, 5.0, 7.0, 8.0])
            >>> bars = PriceSeries(asset="X", timeframe=TimeFrame.HOUR, times=hours, open=prices, high=prices,
            ...                    low=prices, close=prices, volume=np.ones(6))
            >>> days = bars.resampled(TimeFrame.DAY)
            >>> days.high.tolist(), days.close.tolist(), days.volume.tolist()
            ([6.0, 8.0], [5.0, 8.0], [4.0, 2.0])
        """
        stored_time_frame(timeframe)
        if _rank(timeframe) < _rank(self.timeframe):
            reason = f"{timeframe.name} is finer than what is stored: {self.timeframe.name}"
            raise InvalidInput("timeframe", reason)
        if timeframe == self.timeframe or not len(self):
            return self if timeframe == self.timeframe else _empty(self.asset, timeframe)
        times, starts = np.unique(interval_starts(self.times, timeframe), return_index=True)
        ends = np.append(starts[1:], len(self)) - 1
        return PriceSeries(
            asset=self.asset,
            timeframe=timeframe,
            times=times,
            open=self.open[starts],
            high=np.maximum.reduceat(self.high, starts),
            low=np.minimum.reduceat(self.low, starts),
            close=self.close[ends],
            volume=np.add.reduceat(self.volume, starts),
        )


def stored_time_frame(timeframe: TimeFrame) -> TimeFrame:
    """Return a time frame that history knows.

    Raises:
        InvalidInput: It is none of `STORED_TIME_FRAMES`.
    """
    if not isinstance(timeframe, TimeFrame) or timeframe.name not in STORED_TIME_FRAMES:
        raise InvalidInput("timeframe", f"must be one of {', '.join(STORED_TIME_FRAMES)}")
    return timeframe


def source_time_frame(wanted: TimeFrame, stored: Sequence[str]) -> TimeFrame | None:
    """The stored time frame to make `wanted` of: itself, else the coarsest that is finer, else None.

    Weeks are no parts of months, quarters or years.
    """
    finer = [
        name
        for name in stored
        if STORED_TIME_FRAMES.index(name) <= _rank(wanted) and (name != "Week" or wanted.name == "Week")
    ]
    return TimeFrame(max(finer, key=STORED_TIME_FRAMES.index)) if finer else None


def interval_starts(times: Instants, timeframe: TimeFrame) -> Instants:
    """``[bars]`` start of the interval that contains each instant, in whole seconds UTC."""
    if timeframe.name in _CALENDAR_MONTHS:
        length = _CALENDAR_MONTHS[timeframe.name]
        months = times.astype("datetime64[M]").astype(np.int64)
        return (months - months % length).astype("datetime64[M]").astype("datetime64[s]")
    seconds = times.astype("datetime64[s]").astype(np.int64)
    length = int(timeframe.interval.total_seconds())
    shift = _EPOCH_WAS_A_THURSDAY * 86_400 if timeframe.name == "Week" else 0
    return (seconds - (seconds + shift) % length).astype("datetime64[s]")


def joined(parts: Sequence[PriceSeries]) -> PriceSeries:
    """One series of the bars of several that share none; sorted."""
    first = parts[0]
    times = np.concatenate([part.times for part in parts])
    order = np.argsort(times, kind="stable")
    columns = {name: np.concatenate([getattr(part, name) for part in parts])[order] for name in COLUMNS}
    return PriceSeries(asset=first.asset, timeframe=first.timeframe, times=times[order], **columns)


async def resampled_stream(
    parts: AsyncIterator[PriceSeries], timeframe: TimeFrame
) -> AsyncIterator[PriceSeries]:
    """Resample consecutive parts; an interval that spans two of them gives one bar."""
    pending: PriceSeries | None = None
    async for part in parts:
        bars = part if pending is None else joined([pending, part])
        last = interval_starts(bars.times[-1:], timeframe)
        split = int(np.searchsorted(interval_starts(bars.times, timeframe), last[0]))
        pending = bars.take(slice(split, None))
        if split:
            yield bars.take(slice(0, split)).resampled(timeframe)
    if pending is not None:
        yield pending.resampled(timeframe)


def bar_faults(columns: dict[str, Floats]) -> dict[str, str]:
    """The first thing that is wrong with bars, by column; empty when nothing is."""
    return {name: reason for name, (bad, reason) in bar_checks(columns).items() if np.any(bad)}


def bar_checks(columns: dict[str, Floats]) -> dict[str, tuple[NDArray[np.bool_], str]]:
    """Which bars break which rule, by the column at fault: ``[bars]`` masks and the rule in words."""
    opens, highs, lows, closes, volumes = (columns[name] for name in COLUMNS)
    # Below zero there are prices, of oil and power; a zero without one below is what files write for nothing.
    is_zero = {name: (columns[name] == 0.0) & ~(lows < 0.0) for name in PRICE_FIELDS}
    checks = {
        name: (
            ~(np.abs(columns[name]) <= HIGHEST_PATH) | is_zero[name],
            f"must be a number from -{HIGHEST_PATH:g} to {HIGHEST_PATH:g}, and 0 only in a bar that goes below",
        )
        for name in ("open", "close")
    }
    checks["high"] = (
        ~((highs >= np.maximum(opens, closes)) & (highs <= HIGHEST_PATH)),
        "must be at least open and close",
    )
    checks["low"] = (
        ~((lows <= np.minimum(opens, closes)) & (lows >= -HIGHEST_PATH)) | is_zero["low"],
        "must be at most open and close, and not 0",
    )
    checks["volume"] = ((volumes < 0.0) | np.isinf(volumes), "must be a number of at least 0")
    return checks


def _rank(timeframe: TimeFrame) -> int:
    return STORED_TIME_FRAMES.index(stored_time_frame(timeframe).name)


def _empty(asset: str, timeframe: TimeFrame) -> PriceSeries:
    nothing = np.empty(0)
    return PriceSeries(
        asset=asset,
        timeframe=timeframe,
        times=np.empty(0, "datetime64[s]"),
        **dict.fromkeys(COLUMNS, nothing),
    )
