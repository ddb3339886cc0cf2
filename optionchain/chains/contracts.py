"""The contracts of chains: every number of theirs, declared once, as views of what the kernel filled."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from optionchain.arrays import Floats
from optionchain.chains.columns import SIDES, Column, Derived, GreekSet, Side, Stored
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
from optionchain.pricing.black_scholes import dividend_rho, rho, theta
from optionchain.pricing.inputs import Term
from optionchain.pricing.kernel import QUOTED, VALUED, Offsets, price
from optionchain.pricing.kernel import Term as Row
from optionchain.pricing.quotes import quote
from optionchain.pricing.second_order import SecondOrder, alpha
from optionchain.pricing.spreads import Spreads
from optionchain.surfaces import Surface

CALL, PUT = SIDES
_MONEY, _QUOTE = "currency", "currency, whole cents"
_DELTA = "price per unit of the underlying's price"
_GAMMA = "delta per unit of the underlying's price"
_VEGA = "price per percentage point of implied_volatility"
_THETA, _RHO = "price per calendar day", "price per percentage point of the rate"
_DIVIDEND_RHO = "price per percentage point of the dividend yield"
_ALPHA, _CHARM = "gamma over theta", "delta per calendar day"


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

    strikes = Stored(0, "strike", _MONEY)
    implied_volatilities = Stored(1, "implied_volatility", "per year")
    call_bid = Stored(8, "bid", _QUOTE, side="call")
    call_ask = Stored(10, "ask", _QUOTE, side="call")
    call_mid = Stored(2, "mid", _MONEY, side="call")
    call_delta = Stored(4, "delta", _DELTA, side="call", greeks="none")
    put_bid = Stored(9, "bid", _QUOTE, side="put")
    put_ask = Stored(11, "ask", _QUOTE, side="put")
    put_mid = Stored(3, "mid", _MONEY, side="put")
    put_delta = Stored(5, "delta", _DELTA, side="put", greeks="none")
    put_gamma = Stored(6, "gamma", _GAMMA, american_row=PUT_GAMMA, side="put", greeks="all")
    gamma = Stored(6, "gamma", _GAMMA, greeks="none")

    @Derived("theta", _THETA, side="call", greeks="first")
    def call_theta(self) -> Floats:
        """Change of the call's price per calendar day; computed when asked."""
        return self.columns[CALL_THETA] if self.is_american else self._theta(self.call_mid, self.call_delta)

    @Derived("theta", _THETA, side="put", greeks="first")
    def put_theta(self) -> Floats:
        """Change of the put's price per calendar day; computed when asked."""
        return self.columns[PUT_THETA] if self.is_american else self._theta(self.put_mid, self.put_delta)

    put_vega = Stored(7, "vega", _VEGA, american_row=PUT_VEGA, side="put", greeks="first")
    vega = Stored(7, "vega", _VEGA, greeks="first")

    @Derived("rho", _RHO, side="call", greeks="first")
    def call_rho(self) -> Floats:
        """Change of the call's price per percentage point of rate; computed when asked."""
        return self.columns[CALL_RHO] if self.is_american else self._rho(self.call_mid, self.call_delta)

    @Derived("rho", _RHO, side="put", greeks="first")
    def put_rho(self) -> Floats:
        """Change of the put's price per percentage point of rate; computed when asked."""
        return self.columns[PUT_RHO] if self.is_american else self._rho(self.put_mid, self.put_delta)

    @Derived("rho_d", _DIVIDEND_RHO, side="call", greeks="first")
    def call_dividend_rho(self) -> Floats:
        """Change of the call's price per percentage point of dividend yield; computed when asked."""
        return self._unless_american(self._dividend_rho(self.call_delta))

    @Derived("rho_d", _DIVIDEND_RHO, side="put", greeks="first")
    def put_dividend_rho(self) -> Floats:
        """Change of the put's price per percentage point of dividend yield; computed when asked."""
        return self._unless_american(self._dividend_rho(self.put_delta))

    @Derived("alpha", _ALPHA, side="call", greeks="all", is_partial=True)
    def call_alpha(self) -> Floats:
        """Gamma over the call's theta, NaN where that is zero; computed when asked."""
        return alpha(self.gamma, self.call_theta())

    @Derived("alpha", _ALPHA, side="put", greeks="all", is_partial=True)
    def put_alpha(self) -> Floats:
        """Gamma over the put's theta, NaN where that is zero; computed when asked."""
        return alpha(self.put_gamma, self.put_theta())

    @Derived("vanna", "delta per percentage point of implied_volatility", greeks="all")
    def vanna(self) -> Floats:
        """Change of both deltas per percentage point of volatility; computed when asked."""
        return self._unless_american(self._second_order().vanna())

    @Derived("vomma", "vega per percentage point of implied_volatility", greeks="all")
    def vomma(self) -> Floats:
        """Change of vega per percentage point of volatility; computed when asked."""
        return self._unless_american(self._second_order().vomma())

    @Derived("veta", "vega per calendar day", greeks="all")
    def veta(self) -> Floats:
        """Change of vega per calendar day; computed when asked."""
        return self._unless_american(self._second_order().veta())

    @Derived("charm", _CHARM, side="call", greeks="all")
    def call_charm(self) -> Floats:
        """Change of the call's delta per calendar day; computed when asked."""
        return self._unless_american(self._second_order().charm(self.call_delta))

    @Derived("charm", _CHARM, side="put", greeks="all")
    def put_charm(self) -> Floats:
        """Change of the put's delta per calendar day; computed when asked."""
        return self._unless_american(self._second_order().charm(self.put_delta))

    @Derived("color", "gamma per calendar day", greeks="all")
    def color(self) -> Floats:
        """Change of gamma per calendar day; computed when asked."""
        return self._unless_american(self._second_order().color())

    @property
    def is_american(self) -> bool:
        """Whether they can be exercised early: `gamma` and `vega` are then the call's."""
        return len(self.columns) == AMERICAN

    def _unless_american(self, numbers: Floats) -> Floats:
        """NaN for contracts that can be exercised early, of which these formulas do not hold."""
        return np.full_like(numbers, np.nan) if self.is_american else numbers

    def quote_by(self, spreads: Spreads) -> None:
        """Write bids and asks of these spreads over those that the kernel wrote."""
        self.columns[8], self.columns[10] = self.quotes_by(spreads, CALL)
        self.columns[9], self.columns[11] = self.quotes_by(spreads, PUT)

    def quotes_by(self, spreads: Spreads, side: Side) -> tuple[Floats, Floats]:
        """Bids and asks of these spreads of one side."""
        spot, years, _, _ = self.shared_terms()
        mids, vegas = (self.call_mid, self.vega) if side == CALL else (self.put_mid, self.put_vega)
        iv, strikes = self.implied_volatilities, self.strikes
        return spreads.quotes(mids, spot=spot, strikes=strikes, years=years, volatilities=iv, vegas=vegas)

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
        terms = self.shared_terms()
        return rho(price=prices, delta=deltas, spot=terms.spot, years=terms.years)

    def _dividend_rho(self, deltas: Floats) -> Floats:
        spot, years, _, _ = self.shared_terms()
        return dividend_rho(delta=deltas, spot=spot, years=years)

    def _second_order(self) -> SecondOrder:
        spot, years, rate, dividend_yield = self.shared_terms()
        return SecondOrder(
            spot=spot,
            strikes=self.strikes,
            years=years,
            volatilities=self.implied_volatilities,
            rate=rate,
            dividend_yield=dividend_yield,
            gamma=self.gamma,
            vega=self.vega,
        )


COLUMNS: tuple[Column, ...] = tuple(each for each in vars(Contracts).values() if isinstance(each, Column))
"""Every column, in the order in which exports have them."""


def greek_labels(*sets: GreekSet) -> tuple[str, ...]:
    """What the greeks are called that the given sets add to the smaller ones, each once, in the order of `COLUMNS`."""
    return tuple(dict.fromkeys(column.label for column in COLUMNS if column.greeks in sets))


def of_side(label: str, side: Side) -> Column | None:
    """The column of this label that speaks for a side: its own, or that of both; None where there is neither."""
    return next((each for each in COLUMNS if each.label == label and each.side in (side, None)), None)


def priced(
    terms: Floats,
    strike_interval: Floats,
    strikes_per_side: Floats | int,
    *,
    centres: Floats | None = None,
    quoted: bool = True,
    american: NDArray[np.bool_] | bool = False,
    surface: Surface | None = None,
) -> tuple[Offsets, Floats]:
    """List the strikes of some ladders, and price them.

    Args:
        terms: ``[8, ladders]`` as the kernel takes them.
        strike_interval: ``[ladders]`` currency units, > 0; NaN where one is to be chosen.
        strikes_per_side: >= 0; one whole number, or ``[ladders]``.
        centres: ``[ladders]`` the prices around which the strikes are; None means the spots.
        quoted: Whether to quote them.
        american: Whether they can be exercised early; one truth, or ``[ladders]``. Where any can, all have the rows
            of those that can.
        surface: What gives them their volatilities in place of the parabola of the terms.

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
    offsets, strikes = ladders(terms[Row.SPOT] if centres is None else centres, intervals, strikes_per_side)
    columns = np.empty((AMERICAN if np.any(american) else QUOTED if quoted else VALUED, strikes.size))
    columns[0] = strikes
    price_each(offsets, terms, columns, quoted=quoted, american=american, surface=surface)
    return offsets, columns


def price_each(
    offsets: Offsets,
    terms: Floats,
    columns: Floats,
    *,
    quoted: bool,
    american: NDArray[np.bool_] | bool,
    surface: Surface | None = None,
) -> None:
    """As `price`, and with the right to exercise early where there is one.

    Args:
        offsets: ``[ladders + 1]`` where the contracts of each ladder begin.
        terms: ``[8, ladders]``.
        columns: ``[rows, contracts]`` with the strikes.
        quoted: Whether to quote them.
        american: As `priced` takes it; the columns have the rows for it.
        surface: As `priced` takes it.
    """
    smiled = terms if surface is None else surface.kernel_terms(offsets, terms, columns)
    price(offsets, smiled, columns[: QUOTED if quoted else VALUED])
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
