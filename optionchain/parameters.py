"""What a simulation is made from: frozen, validated values that decide every number of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Annotated, TypeAlias

from optionchain.contracts import terms
from optionchain.contracts.carried import carry_of, check_carry
from optionchain.contracts.carry import Carry
from optionchain.contracts.quote_terms import (
    CoarseFromTerm,
    CoarseTickTerm,
    StrikeRuleTerm,
    TickTerm,
    check_quotes,
    widened_spreads,
)
from optionchain.declared.fields import Choice, Number, Omission, Text, Whole, settle
from optionchain.declared.limits import HIGHEST_GIVEN
from optionchain.errors import InvalidInput
from optionchain.expirations import Schedule
from optionchain.expirations.plan import in_utc
from optionchain.expirations.single import MAX_DAYS_TO_EXPIRATION as MAX_DAYS_TO_EXPIRATION  # noqa: PLC0414  as it was
from optionchain.expirations.single import SingleExpiration as SingleExpiration  # noqa: PLC0414  whoever takes parameters takes it too
from optionchain.market import (
    CommonFactorsTerm,
    CorrelationsTerm,
    RepairTerm,
    UnderlyingsTerm,
    others_of,
    settle_market,
)
from optionchain.models import Historical, MarketModel
from optionchain.models.model import is_model
from optionchain.models.recorded import Recorded
from optionchain.numerics import IDENTITY
from optionchain.past import check_history
from optionchain.pricing.declared_spreads import (
    MoneynessParameter,
    ProportionalParameter,
    TenorParameter,
    TickParameter,
)
from optionchain.pricing.market_maker import SpreadModelParameter
from optionchain.pricing.spreads import Spreads
from optionchain.surfaces import Surface
from optionchain.surfaces.declared import DynamicsParameter, SmileParameter, TermParameter
from optionchain.time_frame import TimeFrame

MAX_STEPS, MAX_CHAIN_SIZE = 10_000, 500
MAX_SEED = 2**64 - 1
MAX_SYMBOL_LENGTH = 64
MIN_PRICE = MIN_STRIKE_INTERVAL = 1e-6
MAX_PRICE = HIGHEST_GIVEN
MAX_COEFFICIENT = 1e3
MAX_VOLATILITY, MAX_RATE = 5.0, 10.0
MAX_STEP_SECONDS = 31_536_000
LAST_INSTANT = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)


Expirations: TypeAlias = SingleExpiration | Schedule

_CONFIGURED = Omission(is_configurable=True)
_COEFFICIENT = {"low": -MAX_COEFFICIENT, "high": MAX_COEFFICIENT}


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulationParameters:
    """Everything that decides a simulation; with the same values, every snapshot is the same to the bit.

    What is declared with a `Parameter` is the same in Python and in JSON. Requests, answers, checkpoints, the
    configuration, the OpenAPI document and the grids of sweeps read the declarations, so a new one stands here alone,
    behind those that older checkpoints have.

    Attributes:
        symbol: The underlying, 1 to 64 printable characters.
        steps: Number of snapshots asked for, 1 to 10,000.
        initial_price: Price of the underlying at step 0, in its currency, 1e-6 to 1e9.
        volatility: Annualised volatility that prices the chain where the model has none of its own, in (0, 5].
        risk_free_rate, dividend_yield: Continuous, per year; a yield is >= 0.
        method: The market model.
        chain_size: Strikes on each side of the centre, 0 to 500.
        strike_interval: Distance between strikes, 1e-6 to 1e9; None chooses one by spot, volatility and time.
        skew_slope, smile_curve: Linear and quadratic coefficient of the smile in log-moneyness.
        spread: Bid-ask spread of every quote, in currency units, >= 0.
        seed: Decides the path, 0 to 2**64 - 1.
        path: Which of the seed's paths, 0 to 2**64 - 1: the one of this number in a sweep.
        strike_ladder: ``rolling`` lists strikes around each step's price; ``pinned`` around that of step 0, so that no
            contract is ever gone before it expires. It needs a `strike_interval`.
        spread_...: What widens the spread, as `optionchain.pricing.declared_spreads` declares it.
        smile, ..., spread_model: See `optionchain.surfaces.declared` and `optionchain.pricing.market_maker`.
        strike_rule, tick_size, tick_size_above, coarse_tick_size: As `optionchain.contracts.quote_terms` declares them,
            in place of `strike_interval` and `spread_tick`.
        exercise, ..., dividend_model: The terms of a contract, as `optionchain.contracts.terms` declares them.
        underlyings, ..., correlation_repair: Others on the same clock, as `optionchain.market` declares them.
        expirations: One expiration relative to the start, or rolling ones.
        start_at: Simulated instant of step 0 (UTC).
        time_frame: The calendar time between two steps, unless `step_interval`, > 0, says another.
        numerics: Identity of the arithmetic that it was first computed with. Another one than today's changes
            nothing here: its numbers may differ from those that it gave then in their last digits.

    Raises:
        InvalidInput: A value is out of range; the error names it.
    """

    symbol: Annotated[str, Text("The underlying", MAX_SYMBOL_LENGTH, example="SPX")]
    steps: Annotated[int, Whole("Snapshots asked for", low=1, high=MAX_STEPS)]
    initial_price: Annotated[
        float, Number("Price at step 0, in currency units", low=MIN_PRICE, high=MAX_PRICE, above=True)
    ]
    volatility: Annotated[
        float,
        Number(
            "Annualised, at the money: as the method's, or what prices chains until a historical one has its own",
            high=MAX_VOLATILITY,
            above=True,
        ),
    ]
    risk_free_rate: Annotated[float, Number("Continuous, per year", low=-MAX_RATE, high=MAX_RATE)] = 0.0
    dividend_yield: Annotated[float, Number("Continuous, per year", high=MAX_RATE)] = 0.0
    method: MarketModel
    chain_size: Annotated[int, Whole("Strikes a side", low=0, high=MAX_CHAIN_SIZE), _CONFIGURED] = 30
    strike_interval: Annotated[
        float | None,
        Number(
            "Distance between strikes, in currency units", low=MIN_STRIKE_INTERVAL, high=MAX_PRICE, above=True
        ),
        Omission("chooses one by spot, volatility and time", is_configurable=True),
    ] = None
    skew_slope: Annotated[
        float, Number("Slope of the smile in log-moneyness", **_COEFFICIENT), _CONFIGURED
    ] = -0.2
    smile_curve: Annotated[
        float, Number("Curvature of the smile in log-moneyness", **_COEFFICIENT), _CONFIGURED
    ] = 0.4
    spread: Annotated[float, Number("Bid-ask spread, in currency units", high=MAX_PRICE), _CONFIGURED] = 0.01
    seed: Annotated[
        int, Whole("Decides the path", low=0, high=MAX_SEED), Omission("draws one, which is echoed")
    ]
    path: Annotated[
        int, Whole("Which of the seed's paths, as a sweep numbers them", low=0, high=MAX_SEED), Omission()
    ] = 0
    strike_ladder: Annotated[
        str,
        Choice(
            "Strikes around each step's price, or around the first step's for good", ("rolling", "pinned")
        ),
        _CONFIGURED,
    ] = "rolling"
    spread_proportional: ProportionalParameter = 0.0
    spread_moneyness_widening: MoneynessParameter = 0.0
    spread_tenor_widening: TenorParameter = 0.0
    spread_tick: TickParameter = None
    exercise: terms.ExerciseTerm = "european"
    settlement: terms.SettlementTerm = None
    multiplier: terms.MultiplierTerm = None
    currency: terms.CurrencyTerm = None
    strike_rule: StrikeRuleTerm = None
    tick_size: TickTerm = None
    tick_size_above: CoarseFromTerm = None
    coarse_tick_size: CoarseTickTerm = None
    underlying: terms.UnderlyingTerm = "spot"
    premium: terms.PremiumTerm = "upfront"
    rate_curve: terms.RateCurveTerm = None
    borrow_cost: terms.BorrowTerm = 0.0
    dividends: terms.DividendsTerm = None
    dividend_growth: terms.DividendGrowthTerm = None
    dividend_model: terms.DividendModelTerm = "escrowed"
    smile: SmileParameter = None
    smile_dynamics: DynamicsParameter = "sticky_delta"
    volatility_term: TermParameter = None
    spread_model: SpreadModelParameter = None
    closed_day_weight: terms.ClosedDaysTerm = None
    annual_days: terms.AnnualDaysTerm = None
    underlyings: UnderlyingsTerm = None
    correlations: CorrelationsTerm = None
    common_factors: CommonFactorsTerm = None
    correlation_repair: RepairTerm = None
    exercise_dates: terms.ExerciseDatesTerm = None
    futures: terms.FuturesTerm = None
    futures_carry: terms.FuturesCarryTerm = 0.0
    night_weight: terms.NightTerm = None
    event_weights: terms.EventsTerm = None
    expirations: Expirations
    start_at: datetime
    time_frame: TimeFrame = TimeFrame.DAY
    step_interval: timedelta | None = None
    numerics: str = IDENTITY

    def __post_init__(self) -> None:
        _check_kinds(self)
        settle(self)
        self._check_time()
        check_history(self)
        check_quotes(self)
        check_carry(self)
        _ = self.surface  # refuses parts that do not go together
        settle_market(self)

    @property
    def interval(self) -> timedelta:
        """Simulated time between two steps."""
        return self.step_interval if self.step_interval is not None else self.time_frame.interval

    @property
    def total_steps(self) -> int:
        """Number of snapshots: `steps`, or fewer when the only expiration comes first (its instant is the last)."""
        if isinstance(self.expirations, SingleExpiration):
            return min(self.steps, _snapshots_up_to(self.expirations, self.interval))
        return self.steps

    @property
    def has_early_exercise(self) -> bool:
        """Whether the options can be exercised before they expire."""
        return self.exercise != "european"

    @property
    def most_contracts(self) -> int:
        """The most strikes, over all expirations, that a snapshot can have."""
        if isinstance(self.method, Recorded):
            return self.method.days.most_rows
        expirations, count = self.expirations, 1
        if not isinstance(expirations, SingleExpiration):
            count = sum(rule.target_count for rule in expirations.rules)
        others = sum(each.most_contracts for each in others_of(self)) if self.underlyings else 0
        return count * (2 * self.chain_size + 1) + others

    @property
    def ladder_price(self) -> float | None:
        """The price around which every step lists its strikes; None where each has its own."""
        return self._first_price if self.strike_ladder == "pinned" else None

    @property
    def _first_price(self) -> float:
        return self.method.prices[0] if isinstance(self.method, Historical) else self.initial_price

    @property
    def surface(self) -> Surface | None:
        """What gives contracts their volatilities; None where that is the parabola alone."""
        if self.smile is None and self.volatility_term is None and self.smile_dynamics == "sticky_delta":
            return None
        sticks_to = self._first_price if self.smile_dynamics == "sticky_strike" else None
        return Surface.of(self.smile, self.volatility_term, sticks_to, self.method)

    @property
    def spreads(self) -> Spreads:
        """What quotes are made by."""
        return widened_spreads(self) if self.spread_model is None else self.spread_model

    @property
    def carry(self) -> Carry | None:
        """How the underlying is carried; None where one rate and one yield are all there is."""
        return carry_of(self)

    def simulated_at(self, step: int) -> datetime:
        """Simulated instant of a snapshot; strictly increasing in `step`."""
        if isinstance(self.method, Recorded):
            return self.method.days.instants[step]
        return self.start_at + step * self.interval

    def _check_time(self) -> None:
        object.__setattr__(self, "start_at", in_utc("start_at", self.start_at))
        if self.interval <= timedelta(0):
            raise InvalidInput("step_interval", "must be greater than zero")
        longest = LAST_INSTANT - self.start_at
        if isinstance(self.expirations, SingleExpiration) and timedelta(days=self.expirations.days) > longest:
            raise InvalidInput("days_to_expiration", "the expiration would be after the year 9999")
        if self.interval > longest or self.total_steps - 1 > longest // self.interval:
            raise InvalidInput("steps", f"{self.steps} steps of this time frame end after the year 9999")


@lru_cache(maxsize=4096)
def _snapshots_up_to(expiration: SingleExpiration, interval: timedelta) -> int:
    """Snapshots from the start to the first one at the expiry or after it; a step asks several times."""
    return -(-expiration.lifetime // interval) + 1


def _check_kinds(parameters: SimulationParameters) -> None:
    if not is_model(type(parameters.method)):
        raise InvalidInput("method", "must be a market model")
    if not isinstance(parameters.expirations, SingleExpiration | Schedule):
        raise InvalidInput("expirations", "must be a SingleExpiration or a Schedule")
    if not isinstance(parameters.time_frame, TimeFrame):
        raise InvalidInput("time_frame", "must be a TimeFrame")
    if parameters.step_interval is not None and not isinstance(parameters.step_interval, timedelta):
        raise InvalidInput("step_interval", "must be a timedelta")
    if not isinstance(parameters.numerics, str) or not parameters.numerics:
        raise InvalidInput("numerics", "must be a non-empty text")
