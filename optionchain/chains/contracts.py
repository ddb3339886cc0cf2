"""The contracts of chains: every number of theirs, declared once, as views of what the kernel filled."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from optionchain.arrays import Floats
from optionchain.chains.columns import Column, Derived, Stored
from optionchain.chains.ladder import ladders, strike_intervals
from optionchain.pricing.american import (
    AMERICAN,
    CALL_RHO,
    CALL_THETA,
    PUT_GAMMA,
    PUT_RHO,
    PUT_THETA,
    PUT_VEGA,
    exercise,
)
from optionchain.pricing.black_scholes import rho, theta
from optionchain.pricing.inputs import Term
from optionchain.pricing.kernel import QUOTED, VALUED, Offsets, price
from optionchain.pricing.kernel import Term as Row
from optionchain.pricing.quotes import quote

_MONEY, _QUOTE = "currency", "currency, whole cents"
_DELTA = "price per unit of the underlying's price"
_VEGA = "price per percentage point of implied_volatility"
_THETA, _RHO = "price per calendar day", "price per percentage point of the rate"


class SharedTerms(NamedTuple):
    """What contracts have in common, each broadcast against their columns."""

    spot: Term
    years: Term
    rate: Term
    dividend_yield: Term


class Contracts(ABC):
    """Calls and puts on the same strikes. A new greek is a row of `price`, and a line here.

    `gamma` and `vega` are those of both sides, or of the call where the put has others.

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
    put_gamma = Stored(
        6,
        "gamma",
        "delta per unit of the underlying's price",
        american_row=PUT_GAMMA,
        side="put",
        greeks="first",
        american=True,
        exported=True,
    )

    @Derived("theta", _THETA, side="call", greeks="all", beside=True)
    def call_theta(self) -> Floats:
        """Change of the call's price per calendar day; computed when asked."""
        return self.columns[CALL_THETA] if self.is_american else self._theta(self.call_mid, self.call_delta)

    @Derived("theta", _THETA, side="put", greeks="all", american=True)
    def put_theta(self) -> Floats:
        """Change of the put's price per calendar day; computed when asked."""
        return self.columns[PUT_THETA] if self.is_american else self._theta(self.put_mid, self.put_delta)

    vega = Stored(7, "vega", _VEGA, greeks="all")
    put_vega = Stored(7, "vega", _VEGA, american_row=PUT_VEGA, side="put", greeks="all", american=True)

    @Derived("rho", _RHO, side="call", greeks="all", beside=True)
    def call_rho(self) -> Floats:
        """Change of the call's price per percentage point of rate; computed when asked."""
        return self.columns[CALL_RHO] if self.is_american else self._rho(self.call_mid, self.call_delta)

    @Derived("rho", _RHO, side="put", greeks="all", american=True)
    def put_rho(self) -> Floats:
        """Change of the put's price per percentage point of rate; computed when asked."""
        return self.columns[PUT_RHO] if self.is_american else self._rho(self.put_mid, self.put_delta)

    @property
    def is_american(self) -> bool:
        """Whether they can be exercised early: each side then has a gamma and a vega of its own."""
        return len(self.columns) == AMERICAN

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
    terms: Floats,
    strike_interval: Floats,
    strikes_per_side: Floats | int,
    *,
    quoted: bool = True,
    american: NDArray[np.bool_] | bool = False,
) -> tuple[Offsets, Floats]:
    """List the strikes of some ladders, and price them.

    Args:
        terms: ``[8, ladders]`` as the kernel takes them.
        strike_interval: ``[ladders]`` currency units, > 0; NaN where one is to be chosen.
        strikes_per_side: >= 0; one whole number, or ``[ladders]``.
        quoted: Whether to quote them.
        american: Whether they can be exercised early; one truth, or ``[ladders]``. Where any can, all have the rows
            of those that can.

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
    columns = np.empty((AMERICAN if np.any(american) else QUOTED if quoted else VALUED, strikes.size))
    columns[0] = strikes
    price_each(offsets, terms, columns, quoted=quoted, american=american)
    return offsets, columns


def price_each(
    offsets: Offsets,
    terms: Floats,
    columns: Floats,
    *,
    quoted: bool,
    american: NDArray[np.bool_] | bool,
) -> None:
    """As `price`, and with the right to exercise early where there is one.

    Args:
        offsets: ``[ladders + 1]`` where the contracts of each ladder begin.
        terms: ``[8, ladders]``.
        columns: ``[rows, contracts]`` with the strikes.
        quoted: Whether to quote them.
        american: As `priced` takes it; the columns have the rows for it.
    """
    price(offsets, terms, columns[: QUOTED if quoted else VALUED])
    which = np.flatnonzero(np.repeat(np.broadcast_to(american, terms.shape[1:]), np.diff(offsets)))
    if not which.size:
        return
    ladder = np.repeat(np.arange(terms.shape[1]), np.diff(offsets))[which]
    spots, years, rates, yields = (
        terms[row, ladder] for row in (Row.SPOT, Row.YEARS, Row.RATE, Row.DIVIDEND_YIELD)
    )
    some = columns if which.size == columns.shape[1] else columns[:, which]
    exercise(spots, years, rates, yields, some)
    if quoted:
        some[8:10], some[10:12] = quote(some[2:4], terms[Row.SPREAD, ladder])
    if some is not columns:
        columns[:, which] = some
