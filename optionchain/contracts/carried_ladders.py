"""The terms on which ladders of options are priced, once it is known how their underlying is carried."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from optionchain.arrays import Floats
from optionchain.pricing.black_scholes import DAYS_PER_YEAR, rho, theta
from optionchain.pricing.inputs import Term

Curve: TypeAlias = tuple[tuple[float, float], ...]
"""``(years, zero rate)`` with ascending years, linear between them and flat outside."""


class Carried(NamedTuple):
    """The terms of some ladders, ``[ladders]`` each.

    Attributes:
        spots: To be priced on.
        rates, yields: Annualised, continuously compounded.
        strike_shifts: To be added to strikes.
        present_values: Of the dividends up to each expiration, where they come off the spot.
        rate_slopes: Of `spots`, or of `strike_shifts`, by the rate.
        coming: ``[ladders, dividends, 2]`` the years ahead of dividends, and their amounts: 0 where they come too late.
        volatility_scales: By which volatilities are multiplied.
        paces: How fast variance passes at the moment, 1 being as on average until expiration.
        exercises: ``[ladders, dates]`` the years ahead of dates of exercise before expiration; NaN where they are not.
        futures: Microseconds from 1970 of the expiration of each ladder's future; NaN where all are on one price.
        is_future: Whether the spots are prices of futures, which no rate moves.
        is_discounted: Whether rates discount the options.
        is_escrowed: Whether dividends come off the spot, and are not added to strikes.
        curve: Of the rates of all, where it is not flat.
        is_bermudan: Whether options can be exercised on those dates only.
    """

    spots: Floats
    rates: Floats
    yields: Floats
    strike_shifts: Floats
    present_values: Floats
    rate_slopes: Floats
    coming: Floats
    volatility_scales: Floats
    paces: Floats
    exercises: Floats
    futures: Floats
    is_future: bool = False
    is_discounted: bool = True
    is_escrowed: bool = True
    curve: Curve = ()
    is_bermudan: bool = False

    def some(self, which: slice) -> Carried:
        """Those of some of the ladders."""
        return self._replace(**{name: getattr(self, name)[which] for name in _ROWS})

    @staticmethod
    def together(parts: Sequence[Carried]) -> Carried:
        """The ladders of all, which have the same `Carry.kind`."""
        most = max(part.coming.shape[1] for part in parts)
        dates = max(part.exercises.shape[1] for part in parts)
        padded = [
            part._replace(
                coming=np.pad(part.coming, ((0, 0), (0, most - part.coming.shape[1]), (0, 0))),
                exercises=np.pad(
                    part.exercises, ((0, 0), (0, dates - part.exercises.shape[1])), constant_values=np.nan
                ),
            )
            for part in parts
        ]
        rows: dict[str, Any] = {
            name: np.concatenate([getattr(part, name) for part in padded]) for name in _ROWS
        }
        return parts[0]._replace(**rows)

    def theta(
        self,
        of: Callable[[Floats], Floats],
        *,
        prices: Floats,
        deltas: Floats,
        gammas: Floats,
        years: Term,
        volatilities: Floats,
    ) -> Floats:
        """Change of the prices of european contracts per calendar day.

        Args:
            of: Broadcasts a row of ladders with the contracts.
            prices, deltas, gammas: Currency units.
            years: To expiration.
            volatilities: Annualised.
        """
        rates = of(self.rates)
        decay = theta(
            price=prices,
            delta=deltas,
            gamma=gammas,
            spot=of(self.spots),
            years=years,
            volatilities=volatilities * np.sqrt(of(self.paces)),
            rate=rates,
            dividend_yield=of(self.yields),
        )
        # The dividends to come grow dearer as they come nearer, and the spot without them smaller.
        grows = rates * of(self.present_values)
        return decay - np.where(np.greater(years, 0.0), deltas * grows / DAYS_PER_YEAR, 0.0)

    def rho(
        self,
        of: Callable[[Floats], Floats],
        *,
        prices: Floats,
        deltas: Floats,
        strikes: Floats,
        years: Term,
    ) -> Floats:
        """Change of the same prices per percentage point of the rate; arguments as `theta` has them."""
        if self.is_future:
            return -0.01 * years * prices if self.is_discounted else 0.0 * prices
        spots, by_rate = of(self.spots), of(self.rate_slopes)
        slope = rho(price=prices, delta=deltas, spot=spots, years=years)
        if self.is_escrowed:
            return slope + 0.01 * deltas * by_rate
        return slope + 0.01 * (prices - spots * deltas) / (strikes + of(self.strike_shifts)) * by_rate


_ROWS = Carried._fields[: Carried._fields.index("is_future")]
