"""An option chain: every contract of one instant, as arrays in order of expiration and strike."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from optionchain.arrays import Floats, Strikes
from optionchain.chains.columns import GreekSet
from optionchain.chains.contracts import Contracts, SharedTerms
from optionchain.expirations import Expiration
from optionchain.extras import brought_by
from optionchain.pricing.black_scholes import DAYS_PER_YEAR

if TYPE_CHECKING:
    import polars
    import pyarrow


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OptionChain(Contracts):
    """Calls and puts of one underlying at one instant, on the same strikes; made by `build_chain`.

    The contracts of expiration ``i`` are ``offsets[i]:offsets[i + 1]`` of every ``[contracts]`` array, with
    ascending strikes. Money is in units of the underlying's currency. What every contract has, from `strikes`
    to `call_rho`, is declared in `Contracts`, with its unit.

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
        columns: ``[rows, contracts]`` all their numbers. Bids and asks are whole cents, bids >= 0 and asks >= 0.01;
            mids are the model's prices, unrounded; deltas are price changes per unit of the underlying's, gamma
            and vega (per percentage point of volatility) the same for both sides.
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
    columns: Floats

    def per_contract(self, values: Floats) -> Strikes:
        """Repeat one value an expiration, ``[expirations]``, for each of its contracts."""
        return np.repeat(values, np.diff(self.offsets))

    def shared_terms(self) -> SharedTerms:
        """Spot, years to expiry ``[contracts]``, rate and dividend yield."""
        years = self.per_contract(self.days_to_expiration / DAYS_PER_YEAR)
        return SharedTerms(self.underlying_price, years, self.risk_free_rate, self.dividend_yield)

    def to_arrow(self, greeks: GreekSet = "all") -> pyarrow.Table:
        """The long table, one row a contract side; see `optionchain.chains.table`."""
        with brought_by("frames", purpose="a table"):
            from optionchain.chains.table import Listed, long_table  # noqa: PLC0415  pyarrow is heavy

        listed = Listed(
            symbol=self.symbol,
            quote_time=self.quote_time,
            underlying_price=self.underlying_price,
            expirations=self.expirations,
            days_to_expiration=self.days_to_expiration,
            offsets=self.offsets,
        )
        return long_table(self, listed, greeks)

    def to_polars(self, greeks: GreekSet = "all") -> polars.DataFrame:
        """The long table of `to_arrow` as a data frame."""
        with brought_by("frames", purpose="to_polars"):
            import polars  # noqa: PLC0415  heavy

        frame = polars.from_arrow(self.to_arrow(greeks))
        assert isinstance(frame, polars.DataFrame)  # noqa: S101  what a table becomes
        return frame
