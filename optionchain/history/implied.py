"""What a day's quotes imply by our formulas, beside the volatilities that the vendor says: of American options too."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from optionchain.arrays import Strikes
from optionchain.contracts.terms import HIGHEST_RATE, Exercise, checked_exercise
from optionchain.declared.checks import finite
from optionchain.errors import InvalidInput
from optionchain.history.chains import HistoricalChain, Quotes
from optionchain.pricing import american_implied_volatility, implied_volatility
from optionchain.pricing.black_scholes import DAYS_PER_YEAR


class Implied(NamedTuple):
    """Annualised volatilities, ``[contracts]`` in the order of the chain; NaN where nothing is implied.

    Attributes:
        calls, puts: Of each side.
    """

    calls: Strikes
    puts: Strikes


def implied_volatilities(
    chain: HistoricalChain,
    *,
    risk_free_rate: float,
    dividend_yield: float = 0.0,
    exercise: Exercise = "european",
) -> Implied:
    """The volatilities at which our formulas give what is halfway between bid and ask.

    What the vendor says stays where it is: ``chain.calls.implied_volatility``.

    Args:
        chain: As it was quoted.
        risk_free_rate: Annualised, continuously compounded.
        dividend_yield: Likewise.
        exercise: ``european`` or ``american``, as options on SPY and single shares are.

    Returns:
        NaN without a bid or an ask, on the day of expiration, and where no volatility, or any, gives the price: at the
        intrinsic value of an American option.

    Raises:
        InvalidInput: A rate is no finite number, or both are negative and differ; or the exercise is another.

    Example:
        >>> from datetime import UTC, date, datetime
        >>> day = HistoricalChain(
        ...     asset="SPY",
        ...     day=date(2024, 1, 16),
        ...     quote_time=datetime(2024, 1, 16, 21, tzinfo=UTC),
        ...     underlying_price=100.0,
        ...     expirations=np.array(["2025-01-15"], "datetime64[D]"),
        ...     strikes=np.array([100.0]),
        ...     calls=Quotes.of(1),
        ...     puts=Quotes.of(1, bid=[9.97], ask=[9.99], implied_volatility=[0.31]),
        ... )
        >>> implied_volatilities(day, risk_free_rate=0.05, exercise="american").puts.round(3)
        array([0.303])
    """
    if checked_exercise(exercise) == "bermudan":
        raise InvalidInput("exercise", "must be european or american, for these chains say no dates")
    rate = finite("risk_free_rate", risk_free_rate, low=-HIGHEST_RATE, high=HIGHEST_RATE)
    invert = american_implied_volatility if exercise == "american" else implied_volatility
    days = (chain.expirations - np.datetime64(chain.day)).astype(np.float64)

    def of(side: Quotes, option_type: str) -> Strikes:
        is_quoted = (side.bid > 0.0) & (side.ask > 0.0)
        return invert(
            np.where(is_quoted, 0.5 * (side.bid + side.ask), np.nan),
            spot=chain.underlying_price,
            strike=chain.strikes,
            expiry_years=days / DAYS_PER_YEAR,
            rate=rate,
            dividend_yield=dividend_yield,
            option_type=option_type,
        )

    return Implied(of(chain.calls, "call"), of(chain.puts, "put"))
