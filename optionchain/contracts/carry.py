"""What holding the underlying brings and costs: rates by a curve, borrowing, dividends in cash, and futures.

Chains are priced by Black-Scholes-Merton on a spot, a rate and a yield. Everything here is said in these: a curve gives
each expiration its rate, a future is a spot whose yield is the rate (Black, 1976), and dividends in cash come off the
spot or are added to the strike.

Source:
    R. Frishling, "A discrete question", Risk, January 2002: the escrowed and the forward model. F. Black, "The pricing
    of commodity contracts", 1976.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from operator import itemgetter
from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from optionchain import numerics
from optionchain.arrays import Floats
from optionchain.business_time import BusinessClock
from optionchain.contracts.carried_ladders import Carried, Curve
from optionchain.errors import InvalidInput
from optionchain.pricing.black_scholes import DAYS_PER_YEAR

DividendModel: TypeAlias = Literal["escrowed", "forward"]
DIVIDEND_MODELS: tuple[DividendModel, ...] = get_args(DividendModel)
Underlying: TypeAlias = Literal["spot", "future"]
UNDERLYINGS: tuple[Underlying, ...] = get_args(Underlying)
PremiumPayment: TypeAlias = Literal["upfront", "margined"]
PREMIUM_PAYMENTS: tuple[PremiumPayment, ...] = get_args(PremiumPayment)

_YEAR_MICROSECONDS = DAYS_PER_YEAR * 86_400e6
_LEAST_PACE = 1e-12
# By which an instant may be missed that went through years as a float.
_ROUNDED_MICROSECONDS = 1000
# Of a price that its dividends would use up, this part is left.
LEAST_SHARE = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Carry:
    """How the underlying of a simulation is carried.

    Attributes:
        rate: Annualised, continuously compounded; where there is no curve.
        dividend_yield: Likewise.
        borrow: What lending the share earns, likewise: it lowers forwards as a yield does.
        curve: Of rates, in place of one.
        underlying: ``future`` makes every price that of a future.
        premium: ``margined`` options are settled daily as futures are, and never discounted.
        dividends: ``(microseconds from 1970, amount)`` when the price falls, ascending.
        clock: How fast variance passes; None is by the calendar.
        exercises: Microseconds from 1970 of the dates on which alone options can be exercised before they expire;
            None where they can be at any time, or never.
        futures: ``(microseconds from 1970, season)`` of the futures that options are on, ascending, each on the first
            that expires no earlier than it: a season is the price at expiration in prices of the underlying. Empty
            where all options are on the one price.
        futures_carry: By which futures are dearer the later they expire, per year.
        model: ``escrowed`` prices on the spot without the dividends to come, ``forward`` on strikes with them.
    """

    rate: float
    dividend_yield: float
    borrow: float = 0.0
    curve: Curve = ()
    underlying: Underlying = "spot"
    premium: PremiumPayment = "upfront"
    dividends: tuple[tuple[int, float], ...] = ()
    model: DividendModel = "escrowed"
    clock: BusinessClock | None = None
    exercises: tuple[int, ...] | None = None
    futures: tuple[tuple[int, float], ...] = ()
    futures_carry: float = 0.0

    @property
    def is_plain(self) -> bool:
        """Whether one rate and one yield are all there is."""
        is_other = self.borrow or self.curve or self.dividends or self.clock is not None
        return not is_other and self.underlying == "spot" and self.exercises is None

    @property
    def kind(self) -> tuple[Underlying, PremiumPayment, DividendModel, Curve, bool]:
        """What chains must have in common to be priced together."""
        return self.underlying, self.premium, self.model, self.curve, self.exercises is not None

    def zero_rates(self, years: Floats) -> Floats:
        """The zero rate of each time, of the shape of the years."""
        if not self.curve:
            return np.full_like(years, self.rate)
        nodes, rates = zip(*self.curve, strict=True)
        found: Floats = np.interp(years, nodes, rates)
        return found

    def discounts(self, years: Floats) -> Floats:
        """Worth now of one unit at each time."""
        return numerics.exp(-self.zero_rates(years) * years)

    def at(self, quoted_at: NDArray[np.int64], spots: Floats, years: Floats) -> Carried:
        """The terms of ladders.

        Args:
            quoted_at: ``[ladders]`` microseconds from 1970.
            spots: ``[ladders]`` > 0.
            years: ``[ladders]`` to expiration, >= 0.
        """
        carried = self._carried(quoted_at, spots, years)
        if self.exercises is not None:
            dates = np.array(self.exercises, dtype=np.int64)
            ahead = (dates - quoted_at[:, None]) / _YEAR_MICROSECONDS
            is_before = dates < _expiring(quoted_at, years)[:, None] - _ROUNDED_MICROSECONDS
            comes = (ahead >= 0.0) & is_before
            carried = carried._replace(exercises=np.where(comes, ahead, np.nan), is_bermudan=True)
        if self.clock is None:
            return carried
        average, now = self.clock.pace(quoted_at, years)
        return carried._replace(
            volatility_scales=np.sqrt(average), paces=now / np.maximum(average, _LEAST_PACE)
        )

    def _carried(self, quoted_at: NDArray[np.int64], spots: Floats, years: Floats) -> Carried:
        rates = self.zero_rates(years)
        nothing, alike = np.zeros_like(spots), np.ones_like(spots)
        no_dates, no_futures = np.empty((spots.size, 0)), np.full_like(spots, np.nan)
        if self.underlying == "future":
            if self.premium == "margined":
                rates = nothing
            prices, expiring = self._on_futures(quoted_at, spots, years)
            return Carried(
                prices,
                rates,
                rates,
                nothing,
                nothing,
                nothing,
                np.zeros((spots.size, 0, 2)),
                alike,
                alike,
                no_dates,
                expiring,
                is_future=True,
                is_discounted=self.premium == "upfront",
                curve=self.curve if self.premium == "upfront" else (),
            )
        yields = np.full_like(spots, self.dividend_yield + self.borrow)
        present, future, slopes = np.zeros((3, spots.size))
        coming: list[list[Floats]] = []
        last = _expiring(quoted_at, years) + _ROUNDED_MICROSECONDS
        for ex_at, amount in self._dividends_between(quoted_at, last):
            ahead = np.minimum((ex_at - quoted_at) / _YEAR_MICROSECONDS, years)
            comes = (ahead > 0.0) & (ex_at <= last)
            if not comes.any():
                continue
            coming.append([np.where(comes, ahead, 0.0), np.where(comes, amount, 0.0)])
            worth = np.where(comes, amount * numerics.exp(-self.zero_rates(ahead) * ahead), 0.0)
            present += worth
            if self.model == "escrowed":
                slopes += ahead * worth
            else:
                grown = worth * numerics.exp(rates * years)
                future += grown
                slopes += (years - ahead) * grown
        each: Floats = np.array(coming, dtype=np.float64).reshape(-1, 2, spots.size).transpose(2, 0, 1)
        if self.model == "forward":
            return Carried(
                spots,
                rates,
                yields,
                future,
                nothing,
                slopes,
                each,
                alike,
                alike,
                no_dates,
                no_futures,
                is_escrowed=False,
                curve=self.curve,
            )
        present = np.minimum(present, (1.0 - LEAST_SHARE) * spots)
        return Carried(
            spots - present,
            rates,
            yields,
            nothing,
            present,
            slopes,
            each,
            alike,
            alike,
            no_dates,
            no_futures,
            curve=self.curve,
        )

    def _dividends_between(
        self, first: NDArray[np.int64], last: NDArray[np.int64]
    ) -> tuple[tuple[int, float], ...]:
        """Those that may come after one of the instants, and not after all of the others."""
        if not first.size:
            return ()
        begin, end = (
            bisect_right(self.dividends, int(at), key=itemgetter(0)) for at in (first.min(), last.max())
        )
        return self.dividends[begin:end]

    def _on_futures(
        self, quoted_at: NDArray[np.int64], spots: Floats, years: Floats
    ) -> tuple[Floats, Floats]:
        """``[ladders]`` the prices of the futures that options are on, and when these expire."""
        if not self.futures:
            return spots, np.full_like(spots, np.nan)
        expires = _expiring(quoted_at, years)
        at, seasons = (np.array(each) for each in zip(*self.futures, strict=True))
        which = np.searchsorted(at, expires - _ROUNDED_MICROSECONDS)
        if np.any(which == at.size):
            raise InvalidInput("futures", "must reach to the last expiration of options: give later ones")
        return self.futures_prices(quoted_at, spots, at[which], seasons[which]), at[which].astype(np.float64)

    def futures_prices(
        self, quoted_at: NDArray[np.int64], spots: Floats, expires: NDArray[np.int64], seasons: Floats
    ) -> Floats:
        """Prices of futures at some prices of the underlying, by when they expire and their seasons."""
        left = (expires - quoted_at) / _YEAR_MICROSECONDS
        prices: Floats = spots * seasons * numerics.exp(self.futures_carry * left)
        return prices


def _expiring(quoted_at: NDArray[np.int64], years: Floats) -> NDArray[np.int64]:
    """``[ladders]`` when they expire, to the microsecond or nearly."""
    expiring: NDArray[np.int64] = quoted_at + np.rint(years * _YEAR_MICROSECONDS).astype(np.int64)
    return expiring
