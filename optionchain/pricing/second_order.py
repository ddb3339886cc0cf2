"""How delta, gamma and vega of European options change: the greeks of the second order, and alpha."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optionchain import numerics
from optionchain.arrays import Floats
from optionchain.pricing.black_scholes import DAYS_PER_YEAR
from optionchain.pricing.inputs import Term

_POINT = 0.01


@dataclass(frozen=True, slots=True, eq=False)
class SecondOrder:
    """The second-order greeks of contracts; all are zero at expiry.

    The terms broadcast against ``[contracts]``. Time passes in calendar days, volatility changes in percentage
    points, as for theta and vega.

    Attributes:
        spot: Currency units, > 0.
        strikes: Currency units, > 0.
        years: To expiry, >= 0.
        volatilities: Annualised, >= 0.
        rate: Annualised, continuously compounded.
        dividend_yield: Annualised, continuously compounded.
        gamma: Delta change per unit of spot.
        vega: Price change per percentage point of volatility.

    Source:
        E. G. Haug, "The Complete Guide to Option Pricing Formulas", 2nd edition, chapter 2: DdeltaDvol, DvegaDvol,
        DvegaDtime, charm and color of the generalised Black-Scholes formula.
    """

    spot: Term
    strikes: Floats
    years: Term
    volatilities: Floats
    rate: Term
    dividend_yield: Term
    gamma: Floats
    vega: Floats

    def vanna(self) -> Floats:
        """Delta change per percentage point of volatility; the same for both sides."""
        _, _, d2, _ = self._scores()
        return -_POINT * self.gamma * self.spot * np.sqrt(self.years) * d2

    def vomma(self) -> Floats:
        """Vega change per percentage point of volatility; the same for both sides."""
        volatility, d1, d2, _ = self._scores()
        return _POINT * self.vega * d1 * d2 / volatility

    def veta(self) -> Floats:
        """Vega change per calendar day that passes; the same for both sides."""
        _, d1, _, slope = self._scores()
        return self.vega * (self.dividend_yield + d1 * slope - self._half_rate()) / DAYS_PER_YEAR

    def charm(self, delta: Floats) -> Floats:
        """Delta change per calendar day that passes.

        Args:
            delta: Of the side.
        """
        volatility, _, _, slope = self._scores()
        density = self.gamma * self.spot * volatility * np.sqrt(self.years)
        change = self.dividend_yield * delta - density * slope
        return np.where(self._is_alive(), change / DAYS_PER_YEAR, 0.0)

    def color(self) -> Floats:
        """Gamma change per calendar day that passes; the same for both sides."""
        _, d1, _, slope = self._scores()
        return self.gamma * (self.dividend_yield + d1 * slope + self._half_rate()) / DAYS_PER_YEAR

    def _scores(self) -> tuple[Floats, Floats, Floats, Floats]:
        """Volatility, d1, d2 and the change of d1 per year to expiry; one and zeros where nothing is left to happen."""
        is_alive = self._is_alive()
        years, volatility = np.where(is_alive, self.years, 1.0), np.where(is_alive, self.volatilities, 1.0)
        total = volatility * np.sqrt(years)
        carry = self.rate - self.dividend_yield
        d1 = (numerics.log(np.asarray(self.spot / self.strikes)) + carry * years) / total + 0.5 * total
        d2 = d1 - total
        slope = carry / total - d2 / (2.0 * years)
        return (
            volatility,
            np.where(is_alive, d1, 0.0),
            np.where(is_alive, d2, 0.0),
            np.where(is_alive, slope, 0.0),
        )

    def _is_alive(self) -> NDArray[np.bool_]:
        return np.asarray(np.greater(self.years * self.volatilities, 0.0))

    def _half_rate(self) -> Term:
        """``1 / (2 years)``; what it is multiplied with is zero at expiry."""
        return 0.5 / np.where(np.greater(self.years, 0.0), self.years, 1.0)


def alpha(gamma: Floats, theta: Floats) -> Floats:
    """Gamma over theta: what is earned by movement for what is paid by waiting; NaN where theta is about zero.

    It is the same for a long and for a short contract, and for any number of them.
    """
    quotient = np.full(np.shape(theta), np.nan)
    with np.errstate(over="ignore"):
        np.divide(gamma, theta, out=quotient, where=np.not_equal(theta, 0.0))
    return np.where(np.isfinite(quotient), quotient, np.nan)
