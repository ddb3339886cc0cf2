"""An option chain: every contract of one instant, as arrays in order of expiration and strike."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from optionchain.arrays import Floats, Strikes
from optionchain.expirations import Expiration
from optionchain.pricing.black_scholes import DAYS_PER_YEAR, rho, theta

if TYPE_CHECKING:
    import polars
    import pyarrow

GreekSet: TypeAlias = Literal["none", "first", "all"]
"""Which greeks a rendering shows: none, delta and gamma, or these with theta, vega and rho."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OptionChain:
    """Calls and puts of one underlying at one instant, on the same strikes; made by `build_chain`.

    The contracts of expiration ``i`` are ``offsets[i]:offsets[i + 1]`` of every ``[contracts]`` array, with
    ascending strikes. Money is in units of the underlying's currency.

    Attributes:
        symbol: The underlying.
        quote_time: The instant, with a UTC offset.
        underlying_price: > 0.
        base_volatility: Annualised volatility at the money.
        risk_free_rate: Annualised, continuously compounded.
        dividend_yield: Annualised, continuously compounded.
        expirations: In the order of the chain.
        days_to_expiration: ``[expirations]`` days with their fraction, >= 0.
        offsets: ``[expirations + 1]`` where each expiration's contracts begin.
        strikes: ``[contracts]``.
        implied_volatilities: ``[contracts]`` annualised.
        call_bid: ``[contracts]`` whole cents, >= 0.
        call_ask: ``[contracts]`` whole cents, >= 0.01.
        call_mid: ``[contracts]`` the model's price, unrounded.
        call_delta: ``[contracts]`` price change per unit of the underlying's.
        put_bid: ``[contracts]`` whole cents, >= 0.
        put_ask: ``[contracts]`` whole cents, >= 0.01.
        put_mid: ``[contracts]`` the model's price, unrounded.
        put_delta: ``[contracts]`` price change per unit of the underlying's.
        gamma: ``[contracts]`` delta change per unit of the underlying's price; the same for both sides.
        vega: ``[contracts]`` price change per percentage point of volatility; the same for both sides.
    """

    symbol: str
    quote_time: datetime
    underlying_price: float
    base_volatility: float
    risk_free_rate: float
    dividend_yield: float
    expirations: tuple[Expiration, ...]
    days_to_expiration: Floats
    offsets: tuple[int, ...]
    strikes: Strikes
    implied_volatilities: Strikes
    call_bid: Strikes
    call_ask: Strikes
    call_mid: Strikes
    call_delta: Strikes
    put_bid: Strikes
    put_ask: Strikes
    put_mid: Strikes
    put_delta: Strikes
    gamma: Strikes
    vega: Strikes

    def per_contract(self, values: Floats) -> Strikes:
        """Repeat one value an expiration, ``[expirations]``, for each of its contracts."""
        return np.repeat(values, np.diff(self.offsets))

    def call_theta(self) -> Strikes:
        """``[contracts]`` change of the call's price per calendar day; computed when asked."""
        return self._theta(self.call_mid, self.call_delta)

    def put_theta(self) -> Strikes:
        """``[contracts]`` change of the put's price per calendar day; computed when asked."""
        return self._theta(self.put_mid, self.put_delta)

    def call_rho(self) -> Strikes:
        """``[contracts]`` change of the call's price per percentage point of rate; computed when asked."""
        return self._rho(self.call_mid, self.call_delta)

    def put_rho(self) -> Strikes:
        """``[contracts]`` change of the put's price per percentage point of rate; computed when asked."""
        return self._rho(self.put_mid, self.put_delta)

    def to_arrow(self, greeks: GreekSet = "all") -> pyarrow.Table:
        """The long table, one row a contract side; see `optionchain.chains.table`."""
        from optionchain.chains.table import to_arrow  # noqa: PLC0415  pyarrow is heavy

        return to_arrow(self, greeks)

    def to_polars(self, greeks: GreekSet = "all") -> polars.DataFrame:
        """The long table of `to_arrow` as a data frame."""
        import polars  # noqa: PLC0415  heavy

        frame = polars.from_arrow(self.to_arrow(greeks))
        assert isinstance(frame, polars.DataFrame)  # noqa: S101  what a table becomes
        return frame

    def _theta(self, price: Strikes, delta: Strikes) -> Strikes:
        return theta(
            price=price,
            delta=delta,
            gamma=self.gamma,
            spot=self.underlying_price,
            years=self._years(),
            volatilities=self.implied_volatilities,
            rate=self.risk_free_rate,
            dividend_yield=self.dividend_yield,
        )

    def _rho(self, price: Strikes, delta: Strikes) -> Strikes:
        return rho(price=price, delta=delta, spot=self.underlying_price, years=self._years())

    def _years(self) -> Strikes:
        return self.per_contract(self.days_to_expiration / DAYS_PER_YEAR)
