"""An option chain: every contract of one instant, as arrays in order of expiration and strike."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

import numpy as np

from optionchain import numerics
from optionchain.arrays import Floats, Strikes
from optionchain.chains.arbitrage import PricedExpiration, Violation, find_arbitrage
from optionchain.chains.columns import SIDES, GreekSet
from optionchain.chains.contracts import COLUMNS, Contracts, SharedTerms
from optionchain.contracts.carried_ladders import Carried
from optionchain.errors import InvalidInput
from optionchain.expirations import Expiration
from optionchain.extras import brought_by
from optionchain.pricing.black_scholes import DAYS_PER_YEAR
from optionchain.tables.frames import pandas_frame, polars_frame

if TYPE_CHECKING:
    import pandas
    import polars
    import pyarrow
    from plotly.graph_objects import Figure

    from optionchain.pictures.chain import Ladder

Across: TypeAlias = Literal["strike", "delta", "moneyness"]
"""What a picture of a chain has along its lower axis: strikes, deltas of the calls, or strikes over the spot."""

Prices: TypeAlias = Literal["quotes", "mid"]
"""At which prices arbitrage is looked for: bids and asks, or the model's."""


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
        carried, in_coin: As `Contracts` has them.
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
    carried: Carried | None = None
    in_coin: bool = False

    def of_ladders(self, values: Floats) -> Floats:
        """As `per_contract`."""
        return self.per_contract(values)

    def per_contract(self, values: Floats) -> Strikes:
        """Repeat one value an expiration, ``[expirations]``, for each of its contracts."""
        return np.repeat(values, np.diff(self.offsets))

    def shared_terms(self) -> SharedTerms:
        """Spot, years to expiry ``[contracts]``, rate and dividend yield."""
        years = self.per_contract(self.days_to_expiration / DAYS_PER_YEAR)
        return SharedTerms(self.underlying_price, years, self.risk_free_rate, self.dividend_yield)

    def arbitrage(
        self, prices: Prices = "quotes", *, tolerance: float | None = None
    ) -> tuple[Violation, ...]:
        """Combinations of its options that cost less than they are surely worth.

        Args:
            prices: ``quotes`` sells at bids and buys at asks; ``mid`` does both at the model's prices.
            tolerance: Least gain, in currency units; None is a billionth of the underlying's price.

        Returns:
            Verticals, butterflies, calendars, parity and bounds that are violated; none of a chain that is in order.

        Raises:
            InvalidInput: There are no such prices.

        Example:
            >>> from datetime import UTC, datetime, timedelta
            >>> from optionchain.chains import build_chain
            >>> now = datetime(2026, 1, 5, tzinfo=UTC)
            >>> chain = build_chain(
            ...     symbol="ACME",
            ...     quote_time=now,
            ...     spot=100.0,
            ...     base_volatility=0.6,
            ...     expirations=[Expiration(expires_at=now + timedelta(days=365), labels=())],
            ... )
            >>> print(chain.arbitrage()[0])
            vertical of calls 320/340 of 2027-01-05: 0.01
        """
        if prices not in get_args(Prices):
            raise InvalidInput("prices", f"must be {' or '.join(get_args(Prices))}")
        bought = "ask" if prices == "quotes" else "mid"
        sold = "bid" if prices == "quotes" else "mid"
        sides = [
            self._in_currency(getattr(self, f"{side}_{what}")) for side in SIDES for what in (sold, bought)
        ]
        years = self.days_to_expiration / DAYS_PER_YEAR
        spots = np.full_like(years, self.underlying_price)
        if self.carried is None:
            discounts = numerics.exp(-self.risk_free_rate * years)
            prepaid = self.underlying_price * numerics.exp(-self.dividend_yield * years)
        else:
            discounts = numerics.exp(-self.carried.rates * years)
            prepaid = self.carried.spots * numerics.exp(-self.carried.yields * years)
            prepaid = prepaid - discounts * self.carried.strike_shifts
            spots = np.where(np.isnan(self.carried.futures), spots, self.carried.spots)
        priced = [
            PricedExpiration(
                expires=expiration.expires_at,
                strikes=self.strikes[first:last],
                call_bid=sides[0][first:last],
                call_ask=sides[1][first:last],
                put_bid=sides[2][first:last],
                put_ask=sides[3][first:last],
                spot=float(spot),
                discount=float(discount),
                prepaid=float(forward),
                is_american=self.is_american,
                is_bermudan=self.carried is not None and self.carried.is_bermudan,
            )
            for expiration, discount, forward, spot, (first, last) in zip(
                self.expirations, discounts, prepaid, spots, pairwise(self.offsets), strict=True
            )
        ]
        return find_arbitrage(sorted(priced, key=lambda each: each.expires), tolerance=tolerance)

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
        """The long table of `to_arrow` as a polars frame."""
        return polars_frame(self.to_arrow(greeks))

    def to_pandas(self, greeks: GreekSet = "all") -> pandas.DataFrame:
        """The long table of `to_arrow` as a pandas frame."""
        return pandas_frame(self.to_arrow(greeks))

    def plot_smile(self, value: str = "implied_volatility", *, by: Across = "strike") -> Figure:
        """Draw a number of the contracts, a line for each expiration; the figure is plotly's.

        Args:
            value: ``implied_volatility``, or another column of an export: ``call_delta``, ``gamma``, ``put_mid``.
            by: What it is drawn against.

        Raises:
            InvalidInput: There is no such column, or nothing to draw it against.
        """
        from optionchain.pictures.chain import smile_picture  # noqa: PLC0415  plotly is heavy

        return smile_picture(self._title, self._drawn(value, by), value=_in_words(value), by=_in_words(by))

    def plot_surface(self, value: str = "implied_volatility", *, by: Across = "strike") -> Figure:
        """Draw a number of the contracts over the days to expiration; arguments and errors as `plot_smile`.

        Raises:
            InvalidInput: There are fewer than two expirations.
        """
        from optionchain.pictures.chain import surface_picture  # noqa: PLC0415  plotly is heavy

        return surface_picture(self._title, self._drawn(value, by), value=_in_words(value), by=_in_words(by))

    def __repr__(self) -> str:
        return (
            f"<OptionChain {self._title}: {len(self.expirations)} expirations, {self.strikes.size} strikes>"
        )

    def _repr_html_(self) -> str:
        """For notebooks: the contracts of the first expiration around the money."""
        from optionchain.pictures.notebook import chain_html  # noqa: PLC0415  only a notebook asks

        ladder = slice(self.offsets[0], self.offsets[1])
        others = len(self.expirations) - 1
        return chain_html(
            f"{self._title}, expiring {self.expirations[0].expires_at:%Y-%m-%d %H:%M}",
            {column.full_label: column.of(self)[ladder] for column in COLUMNS},
            spot=self.underlying_price,
            note=f"and {others} more expirations" if others else "",
        )

    @property
    def _title(self) -> str:
        return f"{self.symbol} {self.underlying_price:,.2f} at {self.quote_time:%Y-%m-%d %H:%M}"

    def _drawn(self, value: str, by: str) -> list[Ladder]:
        """The contracts of each expiration, where a picture has them."""
        from optionchain.pictures.chain import Ladder  # noqa: PLC0415  plotly is heavy

        columns = {column.full_label: column for column in COLUMNS}
        if value not in columns:
            raise InvalidInput("value", f"must be one of {', '.join(columns)}")
        across = {
            "strike": self.strikes,
            "delta": self.call_delta,
            "moneyness": self.strikes / self.underlying_price,
        }
        if by not in across:
            raise InvalidInput("by", f"must be one of {', '.join(across)}")
        heights = columns[value].of(self)
        return [
            Ladder(
                label=f"{expiration.expires_at:%Y-%m-%d} {'|'.join(expiration.labels)}".rstrip(),
                days=float(days),
                across=across[by][first:last],
                heights=heights[first:last],
            )
            for expiration, days, (first, last) in zip(
                self.expirations, self.days_to_expiration, pairwise(self.offsets), strict=True
            )
        ]


def _in_words(name: str) -> str:
    return name.replace("_", " ")
