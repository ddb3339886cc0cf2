"""The contracts of chains: every number of theirs, declared once, as views of what the kernel filled."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import NamedTuple

import numpy as np

from optionchain.arrays import Floats
from optionchain.chains.columns import Column, Derived, Stored
from optionchain.chains.ladder import ladders, strike_intervals
from optionchain.pricing.black_scholes import rho, theta
from optionchain.pricing.inputs import Term
from optionchain.pricing.kernel import QUOTED, VALUED, Offsets, price
from optionchain.pricing.kernel import Term as Row

_MONEY, _QUOTE = "currency", "currency, whole cents"
_DELTA = "price per unit of the underlying's price"
_THETA, _RHO = "price per calendar day", "price per percentage point of the rate"


class SharedTerms(NamedTuple):
    """What contracts have in common, each broadcast against their columns."""

    spot: Term
    years: Term
    rate: Term
    dividend_yield: Term


class Contracts(ABC):
    """Calls and puts on the same strikes. A new greek is a row of `price`, and a line here.

    Attributes:
        columns: ``[rows, ...]`` as `price` filled them; every attribute below is one of the rows.
    """

    __slots__ = ()
    columns: Floats

    strikes = Stored(0, "strike", _MONEY, exported=True)
    implied_volatilities = Stored(1, "implied_volatility", "per year", exported=True)
    call_bid = Stored(8, "bid", _QUOTE, side="call", exported=True)
    call_ask = Stored(10, "ask", _QUOTE, side="call", exported=True)
    call_mid = Stored(2, "mid", _MONEY, side="call", exported=True)
    call_delta = Stored(4, "delta", _DELTA, side="call", greeks="first", exported=True)
    put_bid = Stored(9, "bid", _QUOTE, side="put", exported=True)
    put_ask = Stored(11, "ask", _QUOTE, side="put", exported=True)
    put_mid = Stored(3, "mid", _MONEY, side="put", exported=True)
    put_delta = Stored(5, "delta", _DELTA, side="put", greeks="first", exported=True)
    gamma = Stored(6, "gamma", "delta per unit of the underlying's price", greeks="first", exported=True)

    @Derived("theta", _THETA, side="call", greeks="all", beside=True)
    def call_theta(self) -> Floats:
        """Change of the call's price per calendar day; computed when asked."""
        return self._theta(self.call_mid, self.call_delta)

    @Derived("theta", _THETA, side="put", greeks="all", json=False)
    def put_theta(self) -> Floats:
        """Change of the put's price per calendar day; computed when asked."""
        return self._theta(self.put_mid, self.put_delta)

    vega = Stored(7, "vega", "price per percentage point of implied_volatility", greeks="all")

    @Derived("rho", _RHO, side="call", greeks="all", beside=True)
    def call_rho(self) -> Floats:
        """Change of the call's price per percentage point of rate; computed when asked."""
        return self._rho(self.call_mid, self.call_delta)

    @Derived("rho", _RHO, side="put", greeks="all", json=False)
    def put_rho(self) -> Floats:
        """Change of the put's price per percentage point of rate; computed when asked."""
        return self._rho(self.put_mid, self.put_delta)

    @abstractmethod
    def shared_terms(self) -> SharedTerms:
        """Spot, years to expiry, rate and dividend yield of the contracts."""

    def _theta(self, prices: Floats, deltas: Floats) -> Floats:
        spot, years, rate, dividend_yield = self.shared_terms()
        return theta(
            price=prices,
            delta=deltas,
            gamma=self.gamma,
            spot=spot,
            years=years,
            volatilities=self.implied_volatilities,
            rate=rate,
            dividend_yield=dividend_yield,
        )

    def _rho(self, prices: Floats, deltas: Floats) -> Floats:
        spot, years, _, _ = self.shared_terms()
        return rho(price=prices, delta=deltas, spot=spot, years=years)


COLUMNS: tuple[Column, ...] = tuple(each for each in vars(Contracts).values() if isinstance(each, Column))
"""Every column, in the order in which exports have them."""


def priced(
    terms: Floats, strike_interval: Floats, strikes_per_side: Floats | int, *, quoted: bool = True
) -> tuple[Offsets, Floats]:
    """List the strikes of some ladders, and price them.

    Args:
        terms: ``[8, ladders]`` as the kernel takes them.
        strike_interval: ``[ladders]`` currency units, > 0; NaN where one is to be chosen.
        strikes_per_side: >= 0; one whole number, or ``[ladders]``.
        quoted: Whether to quote them.

    Returns:
        Where the contracts of each ladder begin, ``[ladders + 1]``, and their columns.

    Raises:
        InvalidInput: An interval is too fine for a price.
    """
    intervals = strike_interval
    if np.isnan(intervals).any():
        chosen = strike_intervals(
            spot=terms[Row.SPOT],
            volatility=terms[Row.VOLATILITY],
            expiry_years=terms[Row.YEARS],
            chain_size=strikes_per_side,
        )
        intervals = np.where(np.isnan(intervals), chosen, intervals)
    offsets, strikes = ladders(terms[Row.SPOT], intervals, strikes_per_side)
    columns = np.empty((QUOTED if quoted else VALUED, strikes.size))
    columns[0] = strikes
    price(offsets, terms, columns)
    return offsets, columns
