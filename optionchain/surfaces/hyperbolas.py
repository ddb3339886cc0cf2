"""Families whose total variance is a hyperbola in log-moneyness: the pricing loop evaluates them itself.

Each is one hyperbola, ``a + b (rho (x - m) + sqrt((x - m)² + s²))`` of the variance over that at the money, on a scale
that widens with the total variance at the money: ``x = k / (theta^gamma (1 + theta)^(1 - gamma))``.
"""

from __future__ import annotations

from abc import abstractmethod

import numpy as np

from optionchain.arrays import Floats
from optionchain.numerics import Kernel
from optionchain.numerics.elementary import exp, log, log1p
from optionchain.numerics.formula import Number, formula, select
from optionchain.pricing.hyperbola import hyperbolic
from optionchain.pricing.kernel import SLICED, Term
from optionchain.surfaces.smile import LEAST_VARIANCE

_LEAST_VARIANCE = LEAST_VARIANCE  # a global of this module, as the compiler wants it


class Hyperbolas:
    """A family of SVI smiles."""

    __slots__ = ()

    @property
    @abstractmethod
    def shape(self) -> Floats:
        """``[6]`` a, b, rho, m and s of the hyperbola, and gamma."""

    def rows(self, terms: Floats) -> Floats:
        """What the pricing loop takes in place of volatility, slope and curve.

        Args:
            terms: ``[8, ladders]`` with the volatilities at the money.

        Returns:
            ``[10, ladders]``: the five numbers of each hyperbola of the variance a year, between the terms that stay.
        """
        rows = np.empty((SLICED, terms.shape[1]))
        _ROWS(terms, self.shape, rows)
        return rows

    def volatilities(self, log_moneyness: Floats, years: Floats, level: Floats) -> Floats:
        """The implied volatility of each contract; see `Smile.volatilities`."""
        terms = np.zeros((len(Term), log_moneyness.size))
        terms[Term.YEARS], terms[Term.VOLATILITY] = years, level
        return np.asarray(hyperbolic(log_moneyness, *self.rows(terms)[4:9]))


@formula
def _width(theta: Number, gamma: Number) -> Number:
    """``theta^gamma (1 + theta)^(1 - gamma)``; the root where that is what it is.

    Gamma is one number in NumPy too, so that it may choose what is computed.
    """
    if gamma == 0.5:
        return np.sqrt(theta * (1.0 + theta))
    return exp(gamma * log(theta) + (1.0 - gamma) * log1p(theta))


@formula
def _hyperbola(
    years: Number, level: Number, a: Number, b: Number, m: Number, s: Number, gamma: Number
) -> tuple[Number, Number, Number, Number]:
    variance = level * level
    theta = variance * years
    theta = select(theta > _LEAST_VARIANCE, theta, _LEAST_VARIANCE)
    width = _width(theta, gamma)
    return variance * a, variance * (b / width), m * width, s * width


def _fill(terms: Floats, shape: Floats, rows: Floats) -> None:
    for ladder in range(terms.shape[1]):
        rows[0, ladder], rows[1, ladder] = terms[0, ladder], terms[1, ladder]
        rows[2, ladder], rows[3, ladder] = terms[2, ladder], terms[3, ladder]
        rows[4, ladder], rows[5, ladder], rows[7, ladder], rows[8, ladder] = _hyperbola(
            terms[1, ladder], terms[4, ladder], shape[0], shape[1], shape[3], shape[4], shape[5]
        )
        rows[6, ladder], rows[9, ladder] = shape[2], terms[7, ladder]


def _fill_with_numpy(terms: Floats, shape: Floats, rows: Floats) -> None:
    rows[:4] = terms[:4]
    years, level = terms[Term.YEARS], terms[Term.VOLATILITY]
    a, b, rho, m, s, gamma = (np.float64(each) for each in shape)
    rows[4], rows[5], rows[7], rows[8] = _hyperbola(years, level, a, b, m, s, gamma)
    rows[6], rows[9] = rho, terms[Term.SPREAD]


_ROWS = Kernel("void(float64[:, ::1], float64[::1], float64[:, ::1])", _fill_with_numpy, _fill)
