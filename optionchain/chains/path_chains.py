"""The chains of many paths at one instant, priced together: what `build_chain` gives for each, as one array."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from optionchain.arrays import Floats, Paths
from optionchain.chains.block import given_intervals, given_rules, ladder_terms
from optionchain.chains.contracts import CALL, PUT, Contracts, SharedTerms
from optionchain.chains.priced import price_each, priced
from optionchain.contracts.carried_ladders import Carried
from optionchain.expirations.listing import Microseconds
from optionchain.parameters import SimulationParameters
from optionchain.pricing.american import AMERICAN
from optionchain.pricing.black_scholes import DAYS_PER_YEAR
from optionchain.pricing.kernel import VALUED, Offsets, Term


@dataclass(frozen=True, slots=True, eq=False)
class PathChains(Contracts):
    """Calls and puts of each path at one instant, ``[paths, expirations, strikes]``.

    A strike that would be <= 0 is not listed: it is NaN, and so is everything about it. Bids and asks are not
    among the columns; they are computed when asked.

    Attributes:
        days_to_expiration: ``[expirations]`` days with their fraction, >= 0.
        spots: ``[paths]`` price of the underlying.
        parameters: Of the simulation.
        columns: ``[rows, paths, expirations, strikes]``, as `Contracts` names them.
    """

    days_to_expiration: Floats
    spots: Floats
    parameters: SimulationParameters
    columns: Floats
    carried: Carried | None = None
    in_coin: bool = False

    def of_ladders(self, values: Floats) -> Floats:
        """``[paths, expirations, 1]``."""
        return values.reshape(self.spots.size, -1, 1)

    def call_quotes(self) -> tuple[Floats, Floats]:
        """Bids and asks of the calls, ``[paths, expirations, strikes]`` in whole ticks; computed when asked."""
        return self.quotes_by(self.parameters.spreads, CALL)

    def put_quotes(self) -> tuple[Floats, Floats]:
        """Bids and asks of the puts, ``[paths, expirations, strikes]`` in whole ticks; computed when asked."""
        return self.quotes_by(self.parameters.spreads, PUT)

    def shared_terms(self) -> SharedTerms:
        """Spot ``[paths, 1, 1]``, years to expiry ``[expirations, 1]``, rate and dividend yield."""
        years = self.days_to_expiration[:, None] / DAYS_PER_YEAR
        parameters = self.parameters
        return SharedTerms(
            self.spots[:, None, None], years, parameters.risk_free_rate, parameters.dividend_yield
        )


def price_path_chains(
    parameters: SimulationParameters,
    *,
    spots: Paths,
    volatilities: Paths,
    days_to_expiration: Sequence[Floats],
    quoted_at: Microseconds,
    centres: Floats | None = None,
) -> list[PathChains]:
    """List and price the chain of each path at some moments, all in one pass.

    Args:
        parameters: The ladder, smile, rates and spread.
        spots: ``[paths, moments]`` price of the underlying, > 0.
        volatilities: ``[paths, moments]`` annualised volatility at the money.
        days_to_expiration: ``[expirations]`` of each moment, >= 0.
        quoted_at: ``[moments]`` microseconds from 1970.
        centres: ``[2, paths, moments]`` as `SimulationParameters.ladder_prices` has them.

    Returns:
        One a moment: the same numbers, to the bit, as `build_chain` gives for each path alone; read-only.

    Raises:
        InvalidInput: The strike interval is too fine for a price.
    """
    paths = len(spots)
    sizes = [days.size for days in days_to_expiration]
    # One ladder a moment, path and expiration, in this order.
    times = np.repeat(sizes, paths)
    terms = ladder_terms(
        parameters,
        spots=np.repeat(spots.T.ravel(), times),
        volatilities=np.repeat(volatilities.T.ravel(), times),
        years=np.concatenate([np.tile(days, paths) for days in days_to_expiration]) / DAYS_PER_YEAR,
    )
    intervals = given_intervals(parameters, terms.shape[1])
    if centres is not None:
        centres = np.repeat(centres.transpose(0, 2, 1).reshape(2, -1), times, axis=1)
    carry, in_coin = parameters.carry, parameters.settlement == "coin"
    at = np.repeat(quoted_at, paths * np.array(sizes))
    carried = None if carry is None else carry.at(at, terms[Term.SPOT], terms[Term.YEARS])
    offsets, flat = priced(
        terms,
        intervals,
        parameters.chain_size,
        centres=centres,
        rules=given_rules(parameters, terms.shape[1]),
        carried=carried,
        in_coin=in_coin,
        quoted=False,
        american=parameters.has_early_exercise,
        surface=parameters.surface,
    )
    columns = _grid(offsets, flat, parameters.most_strikes)
    columns.flags.writeable = False
    chains, stop = [], 0
    for moment, days in enumerate(days_to_expiration):
        start, stop = stop, stop + paths * days.size
        of_moment = columns[:, start:stop].reshape(len(columns), paths, days.size, columns.shape[2])
        own = None if carried is None else carried.some(slice(start, stop))
        chains.append(PathChains(days, spots[:, moment], parameters, of_moment, own, in_coin))
    return chains


@dataclass(frozen=True, slots=True, eq=False)
class ChosenContracts(Contracts):
    """Calls and puts on chosen strikes at some moments of each path, ``[paths, moments, contracts]``, without quotes.

    Attributes:
        spots: ``[paths, moments]`` price of the underlying.
        years: ``[moments]`` to expiration.
        parameters: Of the simulation.
        columns: ``[rows, paths, moments, contracts]``, as `Contracts` names them.
    """

    spots: Paths
    years: Floats
    parameters: SimulationParameters
    columns: Floats
    carried: Carried | None = None
    in_coin: bool = False

    def of_ladders(self, values: Floats) -> Floats:
        """``[paths, moments, 1]``."""
        return values.reshape(*self.spots.shape, 1)

    def shared_terms(self) -> SharedTerms:
        """Spot ``[paths, moments, 1]``, years to expiry ``[moments, 1]``, rate and dividend yield."""
        parameters = self.parameters
        return SharedTerms(
            self.spots[:, :, None], self.years[:, None], parameters.risk_free_rate, parameters.dividend_yield
        )


def price_chosen(
    parameters: SimulationParameters,
    *,
    spots: Paths,
    volatilities: Paths,
    years: Floats,
    quoted_at: Microseconds,
    strikes: Floats,
) -> ChosenContracts:
    """Price chosen contracts at some moments by the smile and rates of a simulation.

    Args:
        parameters: The smile and rates.
        spots: ``[paths, moments]`` price of the underlying, > 0.
        volatilities: ``[paths, moments]`` annualised volatility at the money.
        years: ``[moments]`` to expiration, >= 0.
        quoted_at: ``[moments]`` microseconds from 1970.
        strikes: ``[paths, contracts]``; NaN gives NaN.
    """
    paths, moments = spots.shape
    contracts = strikes.shape[1]
    terms = ladder_terms(
        parameters, spots=spots.ravel(), volatilities=volatilities.ravel(), years=np.tile(years, paths)
    )
    columns = np.empty((AMERICAN if parameters.has_early_exercise else VALUED, paths * moments * contracts))
    columns[0] = np.repeat(strikes, moments, axis=0).ravel()
    offsets = np.arange(0, columns.shape[1] + 1, contracts)
    carry, in_coin = parameters.carry, parameters.settlement == "coin"
    at = np.tile(quoted_at, paths)
    carried = None if carry is None else carry.at(at, terms[Term.SPOT], terms[Term.YEARS])
    price_each(
        offsets,
        terms,
        columns,
        carried=carried,
        in_coin=in_coin,
        quoted=False,
        american=parameters.has_early_exercise,
        surface=parameters.surface,
    )
    return ChosenContracts(
        spots, years, parameters, columns.reshape(-1, paths, moments, contracts), carried, in_coin
    )


def _grid(offsets: Offsets, flat: Floats, width: int) -> Floats:
    """``[rows, ladders, width]`` from ``[rows, contracts]``: strikes that are not listed come first, as NaN."""
    ladders = offsets.size - 1
    if flat.shape[1] == ladders * width:
        return flat.reshape(len(flat), ladders, width)
    grid = np.full((len(flat), ladders, width), np.nan)
    is_listed = np.arange(width) >= width - np.diff(offsets)[:, None]
    grid[:, is_listed] = flat
    return grid
