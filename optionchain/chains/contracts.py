"""The contracts of chains: every number of theirs, declared once, as views of what the kernel filled."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import NamedTuple

import numpy as np

from optionchain.arrays import Floats
from optionchain.chains.columns import SIDES, Column, Derived, GreekSet, Side, Stored
from optionchain.contracts.carried_ladders import Carried
from optionchain.pricing.american import (
    AMERICAN,
    CALL_RHO,
    CALL_THETA,
    PUT_GAMMA,
    PUT_RHO,
    PUT_THETA,
    PUT_VEGA,
)
from optionchain.pricing.black_scholes import dividend_rho, rho, theta
from optionchain.pricing.inputs import Term
from optionchain.pricing.second_order import SecondOrder, alpha
from optionchain.pricing.spreads import Spreads

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
        carried: ``[ladders]`` the terms that they were priced on; None where one rate and one yield are all there is.
        in_coin: Whether prices and quotes are in units of the underlying; greeks are in its currency all the same.
    """

    __slots__ = ()
    columns: Floats
    carried: Carried | None
    in_coin: bool

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

    def coin_deltas(self) -> tuple[Floats, Floats]:
        """Change of the calls' and puts' worth in coin per relative change of the price: the delta less the worth.

        What a holder who counts in coin hedges with, by so many coins' worth of inverse futures.

        Source:
            d(V/S)/dS = (delta - V/S) / S.
        """
        spot = 1.0 if self.in_coin else self.shared_terms().spot
        return self.call_delta - self.call_mid / spot, self.put_delta - self.put_mid / spot

    def _in_currency(self, prices: Floats) -> Floats:
        return prices * self.shared_terms().spot if self.in_coin else prices

    def _unless_american(self, numbers: Floats) -> Floats:
        """NaN for contracts that are exercised early or carried otherwise, of which these formulas do not hold."""
        is_other = self.is_american or self.carried is not None
        return np.full_like(numbers, np.nan) if is_other else numbers

    def quote_by(self, spreads: Spreads) -> None:
        """Write bids and asks of these spreads over those that the kernel wrote."""
        self.columns[8], self.columns[10] = self.quotes_by(spreads, CALL)
        self.columns[9], self.columns[11] = self.quotes_by(spreads, PUT)

    def quotes_by(self, spreads: Spreads, side: Side) -> tuple[Floats, Floats]:
        """Bids and asks of these spreads of one side."""
        spot, years, _, _ = self.shared_terms()
        mids, vegas = (self.call_mid, self.vega) if side == CALL else (self.put_mid, self.put_vega)
        iv, strikes = self.implied_volatilities, self.strikes
        vegas = vegas / spot if self.in_coin else vegas
        return spreads.quotes(mids, spot=spot, strikes=strikes, years=years, volatilities=iv, vegas=vegas)

    @abstractmethod
    def shared_terms(self) -> SharedTerms:
        """Spot, years to expiry, rate and dividend yield of the contracts."""

    @abstractmethod
    def of_ladders(self, values: Floats) -> Floats:
        """One value a ladder, ``[ladders]``, such that it broadcasts with the columns."""

    def priced_terms(self) -> SharedTerms:
        """As `shared_terms`, as they were priced on: without the dividends to come, by the curve of rates."""
        shared = self.shared_terms()
        if self.carried is None:
            return shared
        spots, rates, yields = (self.of_ladders(row) for row in self.carried[:3])
        return SharedTerms(spots, shared.years, rates, yields)

    def _theta(self, prices: Floats, deltas: Floats) -> Floats:
        spot, years, rate, dividend_yield = self.shared_terms()
        prices, volatilities = self._in_currency(prices), self.implied_volatilities
        if self.carried is not None:
            return self.carried.theta(
                self.of_ladders,
                prices=prices,
                deltas=deltas,
                gammas=self.gamma,
                years=years,
                volatilities=volatilities,
            )
        return theta(
            price=prices,
            delta=deltas,
            gamma=self.gamma,
            spot=spot,
            years=years,
            volatilities=volatilities,
            rate=rate,
            dividend_yield=dividend_yield,
        )

    def _rho(self, prices: Floats, deltas: Floats) -> Floats:
        spot, years, _, _ = self.shared_terms()
        prices = self._in_currency(prices)
        if self.carried is None:
            return rho(price=prices, delta=deltas, spot=spot, years=years)
        return self.carried.rho(
            self.of_ladders, prices=prices, deltas=deltas, strikes=self.strikes, years=years
        )

    def _dividend_rho(self, deltas: Floats) -> Floats:
        spot, years, _, _ = self.priced_terms()
        return dividend_rho(delta=deltas, spot=spot, years=years)

    def _second_order(self) -> SecondOrder:
        spot, years, rate, dividend_yield = self.priced_terms()
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
