"""Days of chains as one value that travels with the parameters of a simulation: packed, and unpacked when looked at."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from optionchain.arrays import Floats, Steps
from optionchain.errors import InvalidInput
from optionchain.history.chains import Days, HistoricalChain, Quotes

MAX_DAYS, MAX_ROWS = 2_000, 150_000
# What of a side's quotes a simulated contract has as well, and in which order it is kept.
KEPT = ("bid", "ask", "last", "implied_volatility", "delta", "gamma", "theta", "vega")
# The expiration whose volatility at the money is that of a day is the nearest to this.
_USUAL_DAYS = 30
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, eq=False)
class RecordedDays:
    """What a recording has, by columns: the strikes of day ``i`` are ``offsets[i]:offsets[i + 1]``.

    Attributes:
        quoted_at: ``[days]`` microseconds from 1970, ascending.
        prices: ``[days]`` of the underlying, > 0.
        offsets: ``[days + 1]``.
        expirations: ``[rows]`` dates, ascending within a day.
        strikes: ``[rows]`` ascending within an expiration.
        quotes: ``[2, kept, rows]`` of the calls and of the puts, in the order of `KEPT`; NaN where nothing was said.
    """

    quoted_at: NDArray[np.int64]
    prices: Steps
    offsets: NDArray[np.int64]
    expirations: Days
    strikes: Floats
    quotes: NDArray[np.float64]


@dataclass(frozen=True)
class Recording:
    """The chains of consecutive days of one asset, as they were stored. Two are the same where their text is.

    Attributes:
        packed: Base64 of the compressed columns, as `packed_days` makes it.
    """

    packed: str = field(repr=False)

    @classmethod
    def of(cls, chains: Sequence[HistoricalChain]) -> Recording:
        """Record chains, in order of their days.

        Args:
            chains: One a day, all of one asset.

        Raises:
            InvalidInput: There are none, too many, or two of one instant.
        """
        if not 1 <= len(chains) <= MAX_DAYS:
            raise InvalidInput("days", f"must be 1 to {MAX_DAYS} days with a chain, not {len(chains)}")
        rows = sum(chain.strikes.size for chain in chains)
        if rows > MAX_ROWS:
            reason = f"have {rows} strikes over all expirations: at most {MAX_ROWS}, so choose fewer days"
            raise InvalidInput("days", reason)
        chains = sorted(chains, key=lambda chain: chain.quote_time)
        days = RecordedDays(
            quoted_at=np.array([(each.quote_time - _EPOCH) // timedelta(microseconds=1) for each in chains]),
            prices=np.array([each.underlying_price for each in chains]),
            offsets=np.cumsum([0, *(each.strikes.size for each in chains)]),
            expirations=np.concatenate([each.expirations for each in chains]),
            strikes=np.concatenate([each.strikes for each in chains]),
            quotes=np.concatenate([_kept(each) for each in chains], axis=2),
        )
        if np.any(np.diff(days.quoted_at) <= 0):
            raise InvalidInput("days", "must be quoted one after the other: two have the same instant")
        return cls(packed_days(days))

    @cached_property
    def days(self) -> RecordedDays:
        """The columns."""
        return unpacked_days(self.packed)

    @cached_property
    def instants(self) -> tuple[datetime, ...]:
        """When each day was quoted."""
        return tuple(_EPOCH + timedelta(microseconds=each) for each in self.days.quoted_at.tolist())

    @cached_property
    def volatilities(self) -> Steps:
        """``[days]`` of the strike nearest to the price, in the expiration nearest to a month: the mean of what is said
        of its call and put; NaN where nothing is."""
        return np.array([self._at_the_money(step) for step in range(len(self))])

    @cached_property
    def most_rows(self) -> int:
        """The most strikes, over all expirations, of a day."""
        return int(np.diff(self.days.offsets).max())

    @property
    def nbytes(self) -> int:
        """About how much memory it takes."""
        return len(self.packed)

    def __len__(self) -> int:
        return len(self.days.prices)

    def rows(self, step: int) -> slice:
        """The rows of a day."""
        return slice(int(self.days.offsets[step]), int(self.days.offsets[step + 1]))

    def ladders(self, step: int) -> list[tuple[date, slice]]:
        """The expirations of a day, ascending, each with its rows."""
        rows = self.rows(step)
        listed = self.days.expirations[rows]
        starts = np.flatnonzero(np.r_[True, listed[1:] != listed[:-1]])
        bounds = [*(rows.start + starts).tolist(), rows.stop]
        return [
            (self.days.expirations[first].astype(object), slice(first, last))
            for first, last in pairwise(bounds)
        ]

    def _at_the_money(self, step: int) -> float:
        days = self.days
        today = np.datetime64(int(days.quoted_at[step]), "us").astype("datetime64[D]")
        volatilities = days.quotes[:, KEPT.index("implied_volatility")]
        found = []
        for expiration, rows in self.ladders(step):
            known = np.flatnonzero(np.any(volatilities[:, rows] > 0.0, axis=0))
            if known.size:
                away = abs(int((np.datetime64(expiration) - today).astype(int)) - _USUAL_DAYS)
                nearest = known[np.argmin(np.abs(days.strikes[rows][known] - days.prices[step]))]
                found.append((away, float(np.nanmean(volatilities[:, rows][:, nearest]))))
        return min(found)[1] if found else float("nan")


def packed_days(days: RecordedDays) -> str:
    """The columns as text."""
    head = orjson.dumps({"days": len(days.prices), "rows": len(days.strikes)})
    columns = [
        days.quoted_at.astype("<i8"),
        days.prices.astype("<f8"),
        days.offsets.astype("<i8"),
        days.expirations.astype("<M8[D]").astype("<i8"),
        days.strikes.astype("<f8"),
        days.quotes.astype("<f8"),
    ]
    body = head + b"\n" + b"".join(np.ascontiguousarray(each).tobytes() for each in columns)
    return base64.b64encode(zlib.compress(body, 6)).decode()


def unpacked_days(packed: str) -> RecordedDays:
    """The inverse of `packed_days`.

    Raises:
        InvalidInput: It is no such text.
    """
    longest = 8 * (3 * MAX_DAYS + 2 + (2 + 2 * len(KEPT)) * MAX_ROWS) + 100
    try:
        # No more is unpacked than a recording can have, whatever the text says.
        body = zlib.decompressobj().decompress(base64.b64decode(packed, validate=True), longest)
        head, _, numbers = body.partition(b"\n")
        shape: dict[str, Any] = orjson.loads(head)
        days, rows = int(shape["days"]), int(shape["rows"])
        counts = (days, days, days + 1, rows, rows, 2 * len(KEPT) * rows)
        ends = np.cumsum([0, *counts]) * 8
        if len(numbers) != ends[-1]:
            raise ValueError("a part is missing")
        parts = [
            np.frombuffer(numbers[first:last], kind)
            for (first, last), kind in zip(
                pairwise(ends.tolist()), ("<i8", "<f8", "<i8", "<i8", "<f8", "<f8"), strict=True
            )
        ]
    except (ValueError, TypeError, KeyError, zlib.error) as error:
        raise InvalidInput("recording", "is no recording of chains") from error
    quoted_at, prices, offsets, expirations, strikes, quotes = parts
    return RecordedDays(
        quoted_at=quoted_at,
        prices=prices,
        offsets=offsets,
        expirations=expirations.astype("datetime64[D]"),
        strikes=strikes,
        quotes=quotes.reshape(2, len(KEPT), rows),
    )


def _kept(chain: HistoricalChain) -> NDArray[np.float64]:
    return np.array([_columns(chain.calls), _columns(chain.puts)])


def _columns(side: Quotes) -> list[Floats]:
    return [getattr(side, name) for name in KEPT]
