"""From parameters to snapshots: the path is computed once, and each chain when it is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from itertools import count

import numpy as np

from optionchain.agreement import warn_of_disagreements
from optionchain.arrays import Floats, Steps
from optionchain.chains import ChainTerms, OptionChain, build_chains, is_surely_priced
from optionchain.chains.activity import Activity, activity_of
from optionchain.chains.recorded import RecordedChains
from optionchain.contracts.carried import market_of, with_dividends
from optionchain.contracts.carry import Carry
from optionchain.contracts.quote_terms import ladder_prices
from optionchain.draws.correlated import CorrelatedDraws
from optionchain.draws.philox import Draws, PhiloxDraws
from optionchain.errors import InvalidInput
from optionchain.expirations import Expiration, ExpirationPlan
from optionchain.market import others_of, price_weights_of
from optionchain.models import SampledPaths
from optionchain.models.recorded import Recorded
from optionchain.parameters import SimulationParameters, SingleExpiration
from optionchain.pricing.spreads import Spreads
from optionchain.surfaces import Surface
from optionchain.tables.simulations import Tables

_SERIALS = count()


def simulate(parameters: SimulationParameters) -> Simulation:
    """A simulation with its path computed.

    Args:
        parameters: Everything that decides it.

    Returns:
        The simulation: ``prices`` and ``volatilities`` of every step, ``chain(step)`` when asked.

    Raises:
        InvalidInput: The parameters drive the price beyond 1e12 or a chain out of range; the field is named.

    Warns:
        ParametersDisagree: The model's step is not the time between two snapshots, or the expiration cuts off steps.

    Example:
        >>> from datetime import UTC, datetime
        >>> from optionchain.parameters import SimulationParameters, SingleExpiration
        >>> from optionchain.models import GeometricBrownian
        >>> simulation = simulate(
        ...     SimulationParameters(
        ...         symbol="SPX", steps=30, initial_price=5000.0, volatility=0.2, seed=42,
        ...         method=GeometricBrownian(dt=1 / 365, drift=0.05, volatility=0.2),
        ...         expirations=SingleExpiration(days=30.0), start_at=datetime(2026, 1, 5, tzinfo=UTC),
        ...     )
        ... )
        >>> simulation.prices.shape, float(simulation.prices[0])
        ((30,), 5000.0)
        >>> len(simulation.chain(0).strikes)
        61
    """
    warn_of_disagreements(parameters)
    simulation = Simulation(parameters)
    simulation.compute()
    return simulation


def chains_of(moments: Sequence[tuple[Simulation, int]]) -> list[OptionChain]:
    """The chains of several simulations at one step each, priced in one pass.

    Args:
        moments: The simulations, and of each the step; one may come several times.

    Returns:
        For each the very chain of `Simulation.chain`, at about a third of the cost where there are many.

    Raises:
        IndexError: A simulation has no such step.
        InvalidInput: The parameters of one lead its chain out of range.
    """
    terms = [each._terms(step) for each, step in moments if each.recorded is None]
    priced = iter(build_chains(terms) if terms else ())
    return [next(priced) if each.recorded is None else each.recorded.chain(step) for each, step in moments]


class Simulation(Tables):
    """A pure function of its parameters: one path of the seed.

    Args:
        parameters: Everything that decides it.
        stream: Which of the underlyings of a market it is; 0 is the first, or the only one.
        price_weights: Of the streams that move its price together with those of others.

    Attributes:
        serial: Different for every object of this process, for caches.
    """

    def __init__(
        self, parameters: SimulationParameters, *, stream: int = 0, price_weights: tuple[float, ...] = (1.0,)
    ) -> None:
        self.parameters = parameters
        self.serial = next(_SERIALS)
        self._stream = stream
        self._price_weights = price_weights

    def compute(self) -> None:
        """Compute the path, and the last expirations, which may lie beyond what a calendar knows. Where a chain may
        not be priced, try the extremes: the first, whose discounting is about the longest, and the one at the highest
        price. What surely can be priced is priced when it is asked for.

        Raises:
            InvalidInput: The parameters lead out of range; the field is named.
        """
        for other in self.others:
            other.compute()
        if self.recorded is not None:
            _ = self._path, self.recorded.expirations(0)
            return
        if not is_surely_priced(self._terms(0)):
            self.chain(0)
            self.chain(int(np.argmax(self.prices)))
        self.expirations(self.parameters.total_steps - 1)

    @cached_property
    def others(self) -> tuple[Simulation, ...]:
        """The further underlyings of a market, on the same clock; none of most simulations."""
        if self.parameters.underlyings is None:
            return ()
        _, *weights = price_weights_of(self.parameters)
        return tuple(
            Simulation(each, stream=1 + index, price_weights=weights[index])
            for index, each in enumerate(others_of(self.parameters))
        )

    @property
    def prices(self) -> Steps:
        """``[steps]`` price of the underlying."""
        prices: Steps = self._path.prices[0]
        return prices

    @property
    def volatilities(self) -> Steps:
        """``[steps]`` annualised volatility that prices each chain at the money."""
        volatilities: Steps = self._path.volatilities[0]
        return volatilities

    @cached_property
    def recorded(self) -> RecordedChains | None:
        """The chains of stored days, which are not priced; None where they are."""
        method = self.parameters.method
        return RecordedChains(self.parameters, method.days) if isinstance(method, Recorded) else None

    @property
    def nbytes(self) -> int:
        """Bytes of the path."""
        own = self._path.prices.nbytes + self._path.volatilities.nbytes
        return own + sum(other.nbytes for other in self.others)

    def expirations(self, step: int) -> tuple[Expiration, ...]:
        """The expirations listed at a step, soonest first."""
        if self.recorded is not None:
            return self.recorded.expirations(step)
        expirations = self.parameters.expirations
        if isinstance(expirations, SingleExpiration):
            return (self._only_expiration,)
        return self._plan.active(self.parameters.simulated_at(step))

    def chain(self, step: int) -> OptionChain:
        """The option chain at a step; it costs the same at every step.

        Args:
            step: 0 to ``parameters.total_steps - 1``.

        Raises:
            IndexError: There is no such step.
            InvalidInput: The parameters lead the chain out of range; the field is named.
        """
        [chain] = chains_of([(self, step)])
        return chain

    def ladder_prices(self, steps: range) -> Floats | None:
        """``[2, steps]`` the lowest and the highest prices around which strikes are listed at some steps; None where
        each has its own.
        """
        return None if self._ladder_prices is None else self._ladder_prices[:, 0, steps.start : steps.stop]

    def activity(self, step: int, scale: float = 1000.0) -> Activity:
        """Sizes, open interest and volume beside the quotes of `chain`; see `activity_of`."""
        return activity_of(self.chain(step), self.parameters.seed, self.parameters.path, scale=scale)

    def __repr__(self) -> str:
        own, market = self.parameters, type(self.parameters.method).__name__
        return f"<Simulation {own.symbol}: {market}, {own.total_steps} steps, seed {own.seed}>"

    def _terms(self, step: int) -> ChainTerms:
        parameters = self.parameters
        if not 0 <= step < parameters.total_steps:
            raise IndexError(f"step {step} is not one of 0 to {parameters.total_steps - 1}")
        quote_time = parameters.simulated_at(step)
        centres = self.ladder_prices(range(step, step + 1))
        if isinstance(parameters.expirations, SingleExpiration):
            # The last snapshot may lie after the expiry; its quotes are those at the expiry.
            quote_time = min(quote_time, self._only_expiration.expires_at)
        return ChainTerms(
            symbol=parameters.symbol,
            quote_time=quote_time,
            spot=float(self._path.prices[0, step]),
            base_volatility=float(self._path.volatilities[0, step]),
            expirations=self.expirations(step),
            chain_size=parameters.chain_size,
            strike_interval=parameters.strike_interval,
            skew_slope=parameters.skew_slope,
            smile_curve=parameters.smile_curve,
            spread=parameters.spread,
            risk_free_rate=parameters.risk_free_rate,
            dividend_yield=parameters.dividend_yield,
            exercise=parameters.exercise,
            ladder_price=None if centres is None else float(centres[0, 0]),
            ladder_highest=None if centres is None else float(centres[1, 0]),
            spreads=self._spreads,
            surface=self._surface,
            strike_rule=parameters.strike_rule,
            carry=self._carry,
            in_coin=parameters.settlement == "coin",
        )

    @cached_property
    def _path(self) -> SampledPaths:
        parameters = self.parameters
        method = market_of(parameters)
        try:
            path = method.sample(parameters.initial_price, parameters.total_steps, self._draws())
        except InvalidInput as error:
            raise error.under(f"method.{type(method).__name__}") from error
        return with_dividends(path, parameters)

    @cached_property
    def _ladder_prices(self) -> Floats | None:
        return ladder_prices(self.parameters, self._path.prices)

    def _draws(self) -> Draws:
        seed, path = self.parameters.seed, self.parameters.path
        if self._stream == 0:
            return PhiloxDraws(seed, first_path=path)
        return CorrelatedDraws(
            seed, self._stream, self._price_weights, lambda stream: PhiloxDraws(stream, first_path=path)
        )

    @cached_property
    def _carry(self) -> Carry | None:
        return self.parameters.carry

    @cached_property
    def _spreads(self) -> Spreads | None:
        return None if (spreads := self.parameters.spreads).is_constant else spreads

    @cached_property
    def _surface(self) -> Surface | None:
        return self.parameters.surface

    @cached_property
    def _only_expiration(self) -> Expiration:
        expirations = self.parameters.expirations
        if not isinstance(expirations, SingleExpiration):
            raise TypeError("rolling expirations depend on the step")
        return expirations.expiration(self.parameters.start_at)

    @cached_property
    def _plan(self) -> ExpirationPlan:
        expirations = self.parameters.expirations
        if isinstance(expirations, SingleExpiration):
            raise TypeError("a single expiration needs no plan")
        return ExpirationPlan(expirations)
