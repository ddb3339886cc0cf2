"""The option chains of many steps, priced in one call: the numbers of `build_chain`, without its cost per chain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from optionchain.arrays import Floats, Steps
from optionchain.chains.contracts import Contracts, SharedTerms
from optionchain.chains.priced import priced
from optionchain.contracts.carried_ladders import Carried
from optionchain.expirations.listing import Listing, Microseconds
from optionchain.parameters import SimulationParameters
from optionchain.pricing.black_scholes import DAYS_PER_YEAR
from optionchain.pricing.kernel import Offsets, Term

Scalar = TypeVar("Scalar", bound=np.generic)

_DAY_MICROSECONDS = 86_400_000_000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ChainBlock(Contracts):
    """Calls and puts at consecutive steps, in order of step, expiration and strike; made by `build_block`.

    Axes: ``[steps]``, ``[listed]`` (one expiration at one step) and ``[contracts]``. Units as in `OptionChain`.

    Attributes:
        spots: ``[steps]``.
        listing: Which expirations are listed at each step.
        days_to_expiration: ``[listed]`` days with their fraction, >= 0.
        offsets: ``[listed + 1]`` where the contracts of each begin.
        risk_free_rate: Annualised, continuously compounded.
        dividend_yield: Annualised, continuously compounded.
        columns: ``[rows, contracts]``, as `Contracts` names them.
        carried, in_coin: As `Contracts` has them.
    """

    spots: Steps
    listing: Listing
    days_to_expiration: Floats
    offsets: Offsets
    risk_free_rate: float
    dividend_yield: float
    columns: Floats
    carried: Carried | None = None
    in_coin: bool = False

    def of_ladders(self, values: Floats) -> Floats:
        """As `per_listed`."""
        return self.per_listed(values)

    def per_step(self, values: NDArray[Scalar], times: int = 1) -> NDArray[Scalar]:
        """Repeat one value a step for each of its contracts, or `times` for each."""
        return np.repeat(values, times * np.diff(self.offsets[self.listing.offsets]))

    def per_listed(self, values: NDArray[Scalar], times: int = 1) -> NDArray[Scalar]:
        """Repeat one value a listed expiration for each of its contracts, or `times` for each."""
        return np.repeat(values, times * np.diff(self.offsets))

    def shared_terms(self) -> SharedTerms:
        """Spot and years to expiry, ``[contracts]``, rate and dividend yield."""
        spots = self.per_step(self.spots)
        years = self.per_listed(self.days_to_expiration / DAYS_PER_YEAR)
        return SharedTerms(spots, years, self.risk_free_rate, self.dividend_yield)


def build_block(
    parameters: SimulationParameters,
    *,
    quote_times: Microseconds,
    spots: Steps,
    base_volatilities: Steps,
    listing: Listing,
    centres: Floats | None = None,
) -> ChainBlock:
    """List, price and quote the chains of several steps, bit for bit as `build_chain` does one by one.

    Args:
        parameters: The ladder, smile, rates and spread; in range, as `build_chain` checks for one chain.
        quote_times: ``[steps]`` microseconds from 1970.
        spots: ``[steps]`` prices of the underlying, in (0, 1e12].
        base_volatilities: ``[steps]`` annualised volatility at the money, in [0, 5].
        listing: One or more expirations at each step, none before its quote time.
        centres: ``[2, steps]`` as `SimulationParameters.ladder_prices` has them.

    Raises:
        InvalidInput: The interval between strikes is too fine for a price.
    """
    per_step = np.diff(listing.offsets)
    days = (listing.expires_at - np.repeat(quote_times, per_step)).astype(np.float64) / _DAY_MICROSECONDS
    terms = ladder_terms(
        parameters,
        spots=np.repeat(spots, per_step),
        volatilities=np.repeat(base_volatilities, per_step),
        years=days / DAYS_PER_YEAR,
    )
    carry, in_coin = parameters.carry, parameters.settlement == "coin"
    carried = (
        None
        if carry is None
        else carry.at(np.repeat(quote_times, per_step), terms[Term.SPOT], terms[Term.YEARS])
    )
    offsets, columns = priced(
        terms,
        given_intervals(parameters, days.size),
        parameters.chain_size,
        centres=None if centres is None else np.repeat(centres, per_step, axis=1),
        rules=given_rules(parameters, days.size),
        carried=carried,
        in_coin=in_coin,
        american=parameters.has_early_exercise,
        surface=parameters.surface,
    )
    block = ChainBlock(
        spots=spots,
        listing=listing,
        days_to_expiration=days,
        offsets=offsets,
        risk_free_rate=parameters.risk_free_rate,
        dividend_yield=parameters.dividend_yield,
        columns=columns,
        carried=carried,
        in_coin=in_coin,
    )
    if not parameters.spreads.is_constant:
        block.quote_by(parameters.spreads)
    return block


def ladder_terms(
    parameters: SimulationParameters, *, spots: Floats, volatilities: Floats, years: Floats
) -> Floats:
    """``[8, ladders]`` what the kernel takes for chains of one simulation.

    Args:
        parameters: The smile, rates and spread.
        spots: ``[ladders]`` prices of the underlying.
        volatilities: ``[ladders]`` annualised, at the money.
        years: ``[ladders]`` to expiration.
    """
    terms = np.empty((len(Term), spots.size))
    terms[Term.SPOT] = spots
    terms[Term.YEARS] = years
    terms[Term.RATE] = parameters.risk_free_rate
    terms[Term.DIVIDEND_YIELD] = parameters.dividend_yield
    terms[Term.VOLATILITY] = volatilities
    terms[Term.SKEW_SLOPE] = parameters.skew_slope
    terms[Term.SMILE_CURVE] = parameters.smile_curve
    terms[Term.SPREAD] = parameters.spread
    if parameters.surface is not None:
        parameters.surface.levelled(terms)
    return terms


def given_intervals(parameters: SimulationParameters, ladders: int) -> Floats:
    """``[ladders]`` the interval between strikes that the parameters give, NaN where they give none."""
    given = parameters.strike_interval
    return np.full(ladders, np.nan if given is None else given)


def given_rules(parameters: SimulationParameters, ladders: int) -> list[str | None] | None:
    """``[ladders]`` the rule by which strikes are listed; None where the parameters give none."""
    return None if parameters.strike_rule is None else [parameters.strike_rule] * ladders
