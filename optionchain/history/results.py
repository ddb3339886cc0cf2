"""What history answers and keeps beside chains and prices: summaries, analytics, results of simulations."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime

from optionchain.errors import InvalidInput
from optionchain.history.chains import DateRange
from optionchain.parameters import MAX_SYMBOL_LENGTH

# Characters of JSON: more than the longest request, whose prices are among them.
MOST_PARAMETERS = 8 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetSummary:
    """What is stored of an asset.

    Attributes:
        asset: Its name.
        chains: First and last day with a chain, or None.
        chain_days: Days with a chain.
        prices: First and last day of the prices of each time frame.
    """

    asset: str
    chains: DateRange | None
    chain_days: int
    prices: dict[str, DateRange]

    @property
    def days(self) -> DateRange:
        """From the first day of anything to the last."""
        first, *others = [*self.prices.values(), *([self.chains] if self.chains else [])]
        for other in others:
            first |= other
        return first


@dataclass(frozen=True, slots=True, kw_only=True)
class VolatilityPoint:
    """The smile of one day and expiration in three numbers; None where no contract was quoted.

    Attributes:
        day: The day of the quotes.
        expiration: The expiration date.
        atm_volatility: Mean of call and put volatility at the strike nearest to the underlying's price.
        put_volatility: Of the put whose strike is nearest to the lower wing.
        call_volatility: Of the call whose strike is nearest to the upper wing.
    """

    day: date
    expiration: date
    atm_volatility: float | None
    put_volatility: float | None
    call_volatility: float | None

    @property
    def days_to_expiration(self) -> int:
        """Calendar days."""
        return (self.expiration - self.day).days

    @property
    def skew(self) -> float | None:
        """Put less call volatility, or None where one is missing."""
        if self.put_volatility is None or self.call_volatility is None:
            return None
        return self.put_volatility - self.call_volatility


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulationResult:
    """What a simulation gave so far, to be kept: once stored it is only ever gone on with.

    Attributes:
        id: Its identity, 1 to 64 of the characters A-Z a-z 0-9 _ -; those of one session begin with the session's.
        asset: What was simulated, 1 to 64 characters.
        parameters: Every replay input, as JSON.
        prices: ``[steps]`` underlying prices, from the first step on.
        volatilities: ``[steps]`` annualised volatilities.
        stored_by: Whose result it is.
        stored_at: When, with a UTC offset.
    """

    id: str
    asset: str
    parameters: str
    prices: tuple[float, ...]
    volatilities: tuple[float, ...]
    stored_by: str
    stored_at: datetime

    def __post_init__(self) -> None:
        if not isinstance(self.id, str) or not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", self.id):
            raise InvalidInput("id", "must be 1 to 64 of the characters A-Z a-z 0-9 _ -")
        if not isinstance(self.asset, str) or not 1 <= len(self.asset) <= MAX_SYMBOL_LENGTH:
            raise InvalidInput("asset", f"must be 1 to {MAX_SYMBOL_LENGTH} characters")
        if len(self.prices) != len(self.volatilities) or not 1 <= len(self.prices) <= 100_000:
            raise InvalidInput("prices", "must be 1 to 100000, as many as volatilities")
        if not isinstance(self.parameters, str) or len(self.parameters) > MOST_PARAMETERS:
            raise InvalidInput("parameters", "must be JSON of at most 8 MiB")

    def goes_on_from(self, earlier: SimulationResult) -> bool:
        """Whether it is the same simulation as an earlier result, with its steps and perhaps more."""
        steps = len(earlier.prices)
        return (self.id, self.asset, self.parameters, self.prices[:steps], self.volatilities[:steps]) == (
            earlier.id,
            earlier.asset,
            earlier.parameters,
            earlier.prices,
            earlier.volatilities,
        )
