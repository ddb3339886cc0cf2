"""What was quoted: an option chain of one day in the past, held by columns."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from optionchain.arrays import Floats, Strikes
from optionchain.contracts.terms import Exercise, checked_exercise
from optionchain.declared.checks import positive
from optionchain.errors import InvalidInput
from optionchain.wire.instants import whole_milliseconds

if TYPE_CHECKING:
    from optionchain.chains.arbitrage import Violation

Days: TypeAlias = NDArray[np.datetime64]

ASSET = re.compile(r"[A-Za-z0-9._-]{1,32}")
MAX_CONTRACTS = 100_000  # strikes over all expirations of a day; SPX has about 10,000
MAX_CONTRACTS_PER_EXPIRATION = 5_000  # keeps one expiration under the 4 MB of a time-series measurement
FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(2262, 1, 1)


def asset_name(value: object, field: str = "asset") -> str:
    """Return the name of an asset.

    Raises:
        InvalidInput: It is not 1 to 32 of the characters A-Z a-z 0-9 . _ -

    Example:
        >>> asset_name("BRK.B")
        'BRK.B'
    """
    if not isinstance(value, str) or not ASSET.fullmatch(value):
        raise InvalidInput(field, "must be 1 to 32 of the characters A-Z a-z 0-9 . _ -")
    return value


def plain_day(value: object, field: str) -> date:
    """Return a date without a time, from 1900 to 2261.

    Raises:
        InvalidInput: It is not such a date.
    """
    if isinstance(value, datetime) or not isinstance(value, date):
        raise InvalidInput(field, "must be a date")
    if not FIRST_DAY <= value < LAST_DAY:
        raise InvalidInput(field, "must be a date from 1900-01-01 to 2261-12-31")
    return value


@dataclass(frozen=True, slots=True)
class DateRange:
    """The days from `first` to `last`, both included."""

    first: date
    last: date

    def __post_init__(self) -> None:
        if plain_day(self.first, "from") > plain_day(self.last, "to"):
            raise InvalidInput("to", "must not be before the first day")

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last

    def __or__(self, other: DateRange) -> DateRange:
        """The shortest range that contains both."""
        return DateRange(min(self.first, other.first), max(self.last, other.last))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Quotes:
    """One side, calls or puts, of a chain: ``[contracts]`` each. NaN where the source says nothing.

    Attributes:
        bid: Currency units, >= 0.
        ask: Currency units, >= 0.
        last: Currency units, >= 0.
        volume: Contracts traded that day, >= 0.
        open_interest: Contracts, >= 0.
        implied_volatility: Annualised, >= 0.
        delta: Price change per unit of the underlying's.
        gamma: Delta change per unit of the underlying's price.
        theta: Price change per calendar day.
        vega: Price change per percentage point of volatility.
    """

    bid: Strikes
    ask: Strikes
    last: Strikes
    volume: Strikes
    open_interest: Strikes
    implied_volatility: Strikes
    delta: Strikes
    gamma: Strikes
    theta: Strikes
    vega: Strikes

    def __post_init__(self) -> None:
        for name in QUOTE_FIELDS:
            values = floats(name, getattr(self, name))
            if name not in SIGNED_FIELDS and np.any(values < 0.0):
                raise InvalidInput(name, "must not be negative")
            if np.any(np.isinf(values)):
                raise InvalidInput(name, "must be finite")
            object.__setattr__(self, name, values)

    @classmethod
    def of(cls, contracts: int, **columns: ArrayLike) -> Quotes:
        """Quotes of so many contracts; the columns that are not given are NaN."""
        absent = np.full(contracts, np.nan)
        return cls(**{name: floats(name, columns.get(name, absent)) for name in QUOTE_FIELDS})

    def take(self, which: Any) -> Quotes:
        """The contracts that an index, a mask or a slice selects."""
        return Quotes(**{name: getattr(self, name)[which] for name in QUOTE_FIELDS})


QUOTE_FIELDS = tuple(field.name for field in fields(Quotes))
SIGNED_FIELDS = frozenset({"delta", "gamma", "theta", "vega"})


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HistoricalChain:
    """The chain of an asset as quoted on one day; rows are sorted by expiration, then strike.

    Attributes:
        asset: Its name.
        day: The day of the quotes.
        quote_time: The instant of the quotes, with a UTC offset.
        underlying_price: Currency units, > 0.
        expirations: ``[contracts]`` expiration dates, not before `day`.
        strikes: ``[contracts]`` currency units, > 0. A pair of expiration and strike appears once.
        calls: Quotes of the calls.
        puts: Quotes of the puts.
        revision: How often the store has replaced the chain of the day when it was read there; 0 for one that was not.

    Raises:
        InvalidInput: A value is out of range, or the columns differ in length.
    """

    asset: str
    day: date
    quote_time: datetime
    underlying_price: float
    expirations: Days
    strikes: Strikes
    calls: Quotes
    puts: Quotes
    revision: int = field(default=0, compare=False)

    def __post_init__(self) -> None:
        asset_name(self.asset)
        plain_day(self.day, "date")
        if not isinstance(self.quote_time, datetime) or self.quote_time.tzinfo is None:
            raise InvalidInput("quote_time", "must be an instant with a UTC offset")
        # MongoDB keeps milliseconds: what is stored is what is read.
        settled = {
            "quote_time": whole_milliseconds(self.quote_time.astimezone(UTC)),
            "underlying_price": positive("underlying_price", self.underlying_price),
            "expirations": np.asarray(self.expirations, "datetime64[D]"),
            "strikes": floats("strikes", self.strikes),
        }
        for name, value in settled.items():
            object.__setattr__(self, name, value)
        self._check_contracts()
        self._sort()

    def by_expiration(self) -> Iterator[tuple[date, slice]]:
        """Each expiration, in order, with the rows that are its contracts."""
        days, starts = np.unique(self.expirations, return_index=True)
        ends = [*starts[1:].tolist(), self.strikes.size]
        for day, start, end in zip(days.tolist(), starts.tolist(), ends, strict=True):
            yield day, slice(start, end)

    def arbitrage(
        self,
        *,
        risk_free_rate: float | None = None,
        dividend_yield: float = 0.0,
        exercise: Exercise = "european",
        tolerance: float | None = None,
    ) -> tuple[Violation, ...]:
        """Combinations of the day's bids and asks that cost less than they are surely worth.

        Args:
            risk_free_rate: Annualised, continuously compounded. Where it is not known, parity, bounds and calendars of
                European options are not looked at, and spreads of two strikes count as worth their distance.
            dividend_yield: Likewise, beside a rate.
            exercise: ``european`` or ``american``.
            tolerance: Least gain, in currency units; None is a billionth of the underlying's price.

        Returns:
            Verticals, butterflies, calendars, parity and bounds that are violated; an ask of 0 is none.
        """
        from optionchain.history.arbitrage import arbitrage_of  # noqa: PLC0415  knows models, which know chains

        listed = [
            (expires, self.strikes[rows], self.calls.take(rows), self.puts.take(rows))
            for expires, rows in self.by_expiration()
        ]
        if checked_exercise(exercise) == "bermudan":
            raise InvalidInput("exercise", "must be european or american, for these chains say no dates")
        rates = None if risk_free_rate is None else (risk_free_rate, dividend_yield)
        return arbitrage_of(self.day, self.underlying_price, listed, rates, exercise == "american", tolerance)

    def merged(self, newer: HistoricalChain) -> HistoricalChain:
        """The contracts of both chains of one day; where both say something, the newer counts."""
        keys = [chain.expirations.astype(np.int64) for chain in (self, newer)]
        pairs = np.concatenate(
            [np.column_stack([k, c.strikes]) for k, c in zip(keys, (self, newer), strict=True)]
        )
        contracts, where = np.unique(pairs, axis=0, return_inverse=True)
        where = where.ravel()
        older_rows, newer_rows = where[: self.strikes.size], where[self.strikes.size :]
        return replace(
            newer,
            expirations=contracts[:, 0].astype(np.int64).astype("datetime64[D]"),
            strikes=contracts[:, 1],
            calls=_overlaid(len(contracts), (older_rows, self.calls), (newer_rows, newer.calls)),
            puts=_overlaid(len(contracts), (older_rows, self.puts), (newer_rows, newer.puts)),
        )

    def shared_contracts(self, other: HistoricalChain) -> int:
        """How many calls and puts both chains say something of."""
        return len(self._quoted() & other._quoted())

    def _quoted(self) -> set[tuple[int, float, bool]]:
        """The contracts of which anything is said: expiration (days since 1970), strike, whether a call."""
        days = self.expirations.astype(np.int64).tolist()
        keys = list(zip(days, self.strikes.tolist(), strict=True))
        return {
            (*keys[row], is_call)
            for is_call, side in ((True, self.calls), (False, self.puts))
            for row in np.flatnonzero(
                np.any([~np.isnan(column) for column in _columns(side)], axis=0)
            ).tolist()
        }

    def _check_contracts(self) -> None:
        count = self.strikes.size
        if not 1 <= count <= MAX_CONTRACTS:
            raise InvalidInput("strikes", f"must be 1 to {MAX_CONTRACTS} contracts")
        lengths = {column.size for side in (self.calls, self.puts) for column in _columns(side)}
        if lengths | {self.expirations.size} != {count}:
            raise InvalidInput("strikes", "every column must have the same length")
        if np.any(np.isnat(self.expirations)) or np.any(self.expirations < np.datetime64(self.day)):
            raise InvalidInput("expirations", f"must be dates from {self.day} on")
        if np.any(self.expirations >= np.datetime64(LAST_DAY)):
            raise InvalidInput("expirations", "must be before the year 2262")
        if not np.all((self.strikes > 0.0) & np.isfinite(self.strikes)):
            raise InvalidInput("strikes", "must be finite and greater than zero")

    def _sort(self) -> None:
        order = np.lexsort((self.strikes, self.expirations))
        expirations, strikes = self.expirations[order], self.strikes[order]
        if np.any((np.diff(strikes) == 0.0) & (expirations[1:] == expirations[:-1])):
            raise InvalidInput("strikes", "an expiration and strike must appear once")
        if np.max(np.unique(expirations, return_counts=True)[1]) > MAX_CONTRACTS_PER_EXPIRATION:
            reason = f"an expiration must have at most {MAX_CONTRACTS_PER_EXPIRATION} contracts"
            raise InvalidInput("strikes", reason)
        sides = {"calls": self.calls.take(order), "puts": self.puts.take(order)}
        for name, value in ({"expirations": expirations, "strikes": strikes} | sides).items():
            object.__setattr__(self, name, value)


def floats(field: str, values: ArrayLike | Sequence[float | None]) -> Floats:
    """Return a column as float64; None becomes NaN.

    Raises:
        InvalidInput: It is not a list of numbers.
    """
    try:
        column = np.asarray(values, np.float64)
    except (TypeError, ValueError, OverflowError):
        raise InvalidInput(field, "must be a list of numbers") from None
    if column.ndim != 1:
        raise InvalidInput(field, "must be a list of numbers")
    return column


def _overlaid(contracts: int, *layers: tuple[NDArray[np.intp], Quotes]) -> Quotes:
    columns = {name: np.full(contracts, np.nan) for name in QUOTE_FIELDS}
    for rows, quotes in layers:
        for name, column in columns.items():
            values = getattr(quotes, name)
            says = ~np.isnan(values)
            column[rows[says]] = values[says]
    return Quotes(**columns)


def _columns(side: Quotes) -> Iterator[Floats]:
    return (getattr(side, name) for name in QUOTE_FIELDS)
