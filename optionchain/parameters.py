"""What a simulation is made from: frozen, validated values that decide every number of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Annotated, TypeAlias
from zoneinfo import ZoneInfo

from optionchain import numerics
from optionchain.arrays import Floats
from optionchain.carry import Carry, fallen, scheduled
from optionchain.chains.strike_rules import STRIKE_RULES
from optionchain.declarations import Choice, Number, Omission, Text, Whole, settle
from optionchain.errors import InvalidInput
from optionchain.expirations import Expiration, Schedule, load_zone
from optionchain.expirations.listing import microseconds
from optionchain.expirations.plan import in_utc
from optionchain.limits import HIGHEST_GIVEN
from optionchain.models import Historical, MarketModel, SampledPaths
from optionchain.models.model import is_model
from optionchain.models.path import price_floor
from optionchain.numerics import IDENTITY
from optionchain.pricing.spreads import CENTS, SpreadModel
from optionchain.terms import (
    BorrowTerm,
    CurrencyTerm,
    DividendGrowthTerm,
    DividendModelTerm,
    DividendsTerm,
    ExerciseTerm,
    MultiplierTerm,
    PremiumTerm,
    RateCurveTerm,
    SettlementTerm,
    UnderlyingTerm,
)
from optionchain.time_frame import TimeFrame
from optionchain.validation import positive

MAX_STEPS = 10_000
MAX_CHAIN_SIZE = 500
MAX_SEED = 2**64 - 1
MAX_SYMBOL_LENGTH = 64
MIN_PRICE = 1e-6
MIN_STRIKE_INTERVAL = 1e-6
MAX_PRICE = HIGHEST_GIVEN
MAX_COEFFICIENT = 1e3
MAX_VOLATILITY = 5.0
MAX_RATE = 10.0
MAX_DAYS_TO_EXPIRATION = 36_525.0
MAX_STEP_SECONDS = 31_536_000
MAX_TICK = 1e3
MIN_TICK = 1e-12
MOST_DIVIDEND_YEARS = 30
LAST_INSTANT = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class SingleExpiration:
    """One expiration, a fixed number of days after the start.

    Attributes:
        days: Calendar days from the start, > 0, may be fractional.
    """

    days: float

    def __post_init__(self) -> None:
        object.__setattr__(
            self, "days", positive("days_to_expiration", self.days, high=MAX_DAYS_TO_EXPIRATION)
        )

    def expires_at(self, start_at: datetime) -> datetime:
        """The instant of expiry, to the microsecond, at least one after the start."""
        return start_at + self.lifetime

    @property
    def lifetime(self) -> timedelta:
        """From the start to the expiry."""
        return max(timedelta(days=self.days), timedelta(microseconds=1))

    def expiration(self, start_at: datetime) -> Expiration:
        """The expiration of a simulation that starts at `start_at`."""
        return Expiration(expires_at=self.expires_at(start_at), labels=())


Expirations: TypeAlias = SingleExpiration | Schedule


_RULES = tuple(STRIKE_RULES)
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
        risk_free_rate: Continuous, per year.
        dividend_yield: Continuous, per year, >= 0.
        method: The market model.
        chain_size: Strikes on each side of the centre, 0 to 500.
        strike_interval: Distance between strikes, 1e-6 to 1e9; None chooses one by spot, volatility and time to
            expiry.
        skew_slope: Linear coefficient of the smile in log-moneyness.
        smile_curve: Quadratic coefficient of the smile in log-moneyness.
        spread: Bid-ask spread of every quote, in currency units, >= 0.
        seed: Decides the path, 0 to 2**64 - 1.
        path: Which of the seed's paths, 0 to 2**64 - 1: the one of this number in a sweep.
        strike_ladder: ``rolling`` lists strikes around each step's price; ``pinned`` around that of step 0, so that no
            contract is ever gone before it expires. It needs a `strike_interval`.
        spread_proportional: What `spread` grows by, as a part of the mid, in [0, 1].
        spread_moneyness_widening: What it grows by per unit of ``|ln(strike / spot)|``, in currency units, >= 0.
        spread_tenor_widening: What it grows by at one year to expiration, with the root of time, in currency units.
        spread_tick: Bids and asks are multiples of it, and at least it apart; whole cents, 0.01 to 1,000. None is a
            cent, and `spread` is taken as it is where none of these four is given.
        strike_rule: A name of `STRIKE_RULES`: strikes as exchanges list them, in place of `strike_interval`.
        tick_size: Least move of quotes in currency units, 1e-12 to 1,000; in place of `spread_tick`.
        tick_size_above: The price from which quotes move by `coarse_tick_size`, such as 0.005 coins.
        coarse_tick_size: Least move of quotes there, a multiple of `tick_size`.
        exercise, settlement, multiplier, currency: The terms of a contract, as `optionchain.terms` declares them; of
            these only the first changes a price.
        underlying, premium, rate_curve, borrow_cost: How the underlying is carried, likewise; see `optionchain.carry`.
        dividends, dividend_growth, dividend_model: In cash, likewise. The price of every market model but a replayed
            history falls by them.
        expirations: One expiration relative to the start, or rolling ones.
        start_at: Simulated instant of step 0 (UTC).
        time_frame: The calendar time between two steps.
        step_interval: Overrides the time frame's interval; > 0.
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
    spread_proportional: Annotated[
        float, Number("What the spread grows by, as a part of the mid", high=1.0), _CONFIGURED
    ] = 0.0
    spread_moneyness_widening: Annotated[
        float,
        Number(
            "What the spread grows by per unit of abs(ln(strike / price)), in currency units", high=MAX_PRICE
        ),
        _CONFIGURED,
    ] = 0.0
    spread_tenor_widening: Annotated[
        float,
        Number(
            "What the spread grows by per root of a year to expiration, in currency units", high=MAX_PRICE
        ),
        _CONFIGURED,
    ] = 0.0
    spread_tick: Annotated[
        float | None,
        Number(
            "Least move and least spread of quotes, in currency units, whole cents", low=0.01, high=MAX_TICK
        ),
        Omission("means a cent, and no least spread", is_configurable=True),
    ] = None
    exercise: ExerciseTerm = "european"
    settlement: SettlementTerm = None
    multiplier: MultiplierTerm = None
    currency: CurrencyTerm = None
    strike_rule: Annotated[
        str | None,
        Choice("Strikes at intervals that grow with distance and days, as listed for such products", _RULES),
        Omission("lists them at one interval", is_silent=True),
    ] = None
    tick_size: Annotated[
        float | None,
        Number("Least move of quotes, in currency units", low=MIN_TICK, high=MAX_TICK, above=True),
        Omission("means a cent, or `spread_tick`", is_silent=True),
    ] = None
    tick_size_above: Annotated[
        float | None,
        Number("Price from which quotes move by `coarse_tick_size`", high=MAX_PRICE, above=True),
        Omission("means the same tick at every price", is_silent=True),
    ] = None
    coarse_tick_size: Annotated[
        float | None,
        Number("Least move of quotes from `tick_size_above` on", low=MIN_TICK, high=MAX_TICK, above=True),
        Omission("means the same tick at every price", is_silent=True),
    ] = None
    underlying: UnderlyingTerm = "spot"
    premium: PremiumTerm = "upfront"
    rate_curve: RateCurveTerm = None
    borrow_cost: BorrowTerm = 0.0
    dividends: DividendsTerm = None
    dividend_growth: DividendGrowthTerm = None
    dividend_model: DividendModelTerm = "escrowed"
    expirations: Expirations
    start_at: datetime
    time_frame: TimeFrame = TimeFrame.DAY
    step_interval: timedelta | None = None
    numerics: str = IDENTITY

    def __post_init__(self) -> None:
        self._check_kinds()
        settle(self)
        self._check_time()
        self._check_history()
        self._check_quotes()
        self._check_carry()

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
    def is_american(self) -> bool:
        """Whether the options can be exercised before they expire."""
        return self.exercise == "american"

    @property
    def most_contracts(self) -> int:
        """The most strikes, over all expirations, that a snapshot can have."""
        expirations = self.expirations
        if isinstance(expirations, SingleExpiration):
            return 2 * self.chain_size + 1
        count = sum(rule.target_count for rule in expirations.rules)
        return count * (2 * self.chain_size + 1)

    @property
    def ladder_price(self) -> float | None:
        """The price around which every step lists its strikes; None where each has its own."""
        if self.strike_ladder != "pinned":
            return None
        return self.method.prices[0] if isinstance(self.method, Historical) else self.initial_price

    @property
    def spreads(self) -> SpreadModel:
        """The widths of quotes."""
        return SpreadModel(
            base=self.spread,
            proportional=self.spread_proportional,
            moneyness=self.spread_moneyness_widening,
            tenor=self.spread_tenor_widening,
            tick=self.spread_tick if self.tick_size is None else self.tick_size,
            coarse_from=self.tick_size_above,
            coarse_tick=self.coarse_tick_size,
        )

    @property
    def carry(self) -> Carry | None:
        """How the underlying is carried; None where one rate and one yield are all there is."""
        known, schedule = self.dividends or (), self.expirations
        zone = load_zone(schedule.timezone if isinstance(schedule, Schedule) else "UTC")
        carry = Carry(
            rate=self.risk_free_rate,
            dividend_yield=self.dividend_yield,
            borrow=self.borrow_cost,
            curve=self.rate_curve or (),
            underlying=self.underlying,
            premium=self.premium,
            dividends=_scheduled(known, self.dividend_growth, zone, self.start_at),
            model=self.dividend_model,
        )
        return None if carry.is_plain else carry

    def discounts(self, years: Floats) -> Floats:
        """Worth at the start of one unit at each time, by the curve of rates where there is one."""
        if self.rate_curve is None:
            return numerics.exp(-self.risk_free_rate * years)
        return Carry(rate=0.0, dividend_yield=0.0, curve=self.rate_curve).discounts(years)

    @property
    def drops(self) -> list[tuple[int, float]]:
        """The steps at which the price falls by a dividend, and the amounts."""
        carry = self.carry
        if carry is None or isinstance(self.method, Historical):
            return []
        start, interval = microseconds(self.start_at), self.interval // timedelta(microseconds=1)
        steps = [(-(-(at - start) // interval), amount) for at, amount in carry.dividends]
        return [(step, amount) for step, amount in steps if 0 < step < self.total_steps]

    def simulated_at(self, step: int) -> datetime:
        """Simulated instant of a snapshot; strictly increasing in `step`."""
        return self.start_at + step * self.interval

    def _check_kinds(self) -> None:
        if not is_model(type(self.method)):
            raise InvalidInput("method", "must be a market model")
        if not isinstance(self.expirations, SingleExpiration | Schedule):
            raise InvalidInput("expirations", "must be a SingleExpiration or a Schedule")
        if not isinstance(self.time_frame, TimeFrame):
            raise InvalidInput("time_frame", "must be a TimeFrame")
        if self.step_interval is not None and not isinstance(self.step_interval, timedelta):
            raise InvalidInput("step_interval", "must be a timedelta")
        if not isinstance(self.numerics, str) or not self.numerics:
            raise InvalidInput("numerics", "must be a non-empty text")

    def _check_time(self) -> None:
        object.__setattr__(self, "start_at", in_utc("start_at", self.start_at))
        if self.interval <= timedelta(0):
            raise InvalidInput("step_interval", "must be greater than zero")
        longest = LAST_INSTANT - self.start_at
        if isinstance(self.expirations, SingleExpiration) and timedelta(days=self.expirations.days) > longest:
            raise InvalidInput("days_to_expiration", "the expiration would be after the year 9999")
        if self.interval > longest or self.total_steps - 1 > longest // self.interval:
            raise InvalidInput("steps", f"{self.steps} steps of this time frame end after the year 9999")

    def _check_history(self) -> None:
        if isinstance(self.method, Historical) and len(self.method.prices) < self.total_steps:
            raise InvalidInput(
                "method.Historical.prices",
                f"{len(self.method.prices)} prices were given and {self.total_steps} steps need one each",
            )

    def _check_carry(self) -> None:
        is_future = self.underlying == "future"
        if self.premium == "margined" and not is_future:
            raise InvalidInput("premium", "can be margined where the underlying is a future only")
        for field in ("dividends", "borrow_cost", "dividend_yield"):
            if is_future and getattr(self, field):
                raise InvalidInput(field, "is already in the price of a future: leave it out")
        if self.is_american and self.rate_curve is not None:
            raise InvalidInput("rate_curve", "is for european options: give american ones one risk_free_rate")
        if self.dividend_growth is not None and self.dividends is None:
            raise InvalidInput("dividend_growth", "needs dividends that grow")
        for index, (day, amount) in enumerate(self.dividends or ()):
            if date.fromisoformat(day) <= self.start_at.date():
                raise InvalidInput(f"dividends[{index}]", "must have an ex-date after the start")
            if amount >= self.initial_price:
                raise InvalidInput(f"dividends[{index}]", "must be less than the initial_price")
        if self.is_american and self.dividends and self.dividend_model == "forward":
            raise InvalidInput("dividend_model", "must be escrowed for american options")

    def _check_quotes(self) -> None:
        has_interval = self.strike_interval is not None
        if self.strike_ladder == "pinned" and not has_interval and self.strike_rule is None:
            raise InvalidInput("strike_interval", "must be given where the strike_ladder is pinned")
        if self.spread_tick is not None:
            cents = round(self.spread_tick * CENTS)
            if abs(self.spread_tick * CENTS - cents) > 1e-9 * cents:
                raise InvalidInput("spread_tick", "must be whole cents")
            object.__setattr__(self, "spread_tick", cents / CENTS)
        self._check_ticks()

    def _check_ticks(self) -> None:
        if (self.tick_size_above is None) != (self.coarse_tick_size is None):
            raise InvalidInput("tick_size_above", "and coarse_tick_size must be given together")
        if self.coarse_tick_size is None or self.tick_size_above is None:
            return
        if self.tick_size is None:
            raise InvalidInput("tick_size", "must be given beside coarse_tick_size")
        for field, number in (
            ("coarse_tick_size", self.coarse_tick_size),
            ("tick_size_above", self.tick_size_above),
        ):
            parts = number / (self.tick_size if field == "coarse_tick_size" else self.coarse_tick_size)
            if abs(parts - round(parts)) > 1e-9 * parts:
                fine = "tick_size" if field == "coarse_tick_size" else "coarse_tick_size"
                raise InvalidInput(field, f"must be a multiple of {fine}")


@lru_cache(maxsize=256)
def _scheduled(
    known: tuple[tuple[str, float], ...], growth: float | None, zone: ZoneInfo, start_at: datetime
) -> tuple[tuple[int, float], ...]:
    """The dividends of as many years as the longest expirations and paths have."""
    until = min(start_at + MOST_DIVIDEND_YEARS * timedelta(days=366), LAST_INSTANT - timedelta(days=2))
    return scheduled(known, growth, zone, until)


@lru_cache(maxsize=4096)
def _snapshots_up_to(expiration: SingleExpiration, interval: timedelta) -> int:
    """Snapshots from the start to the first one at the expiry or after it; a step asks several times."""
    return -(-expiration.lifetime // interval) + 1


def with_fallback_volatility(parameters: SimulationParameters) -> MarketModel:
    """The market model, knowing the volatility to use where it has none of its own yet."""
    if isinstance(parameters.method, Historical):
        return replace(parameters.method, fallback_volatility=parameters.volatility)
    return parameters.method


def with_dividends(path: SampledPaths, parameters: SimulationParameters) -> SampledPaths:
    """Paths whose prices fall by the dividends in cash on their ex-dates."""
    drops = parameters.drops
    if not drops:
        return path
    prices = fallen(path.prices, drops, price_floor(parameters.initial_price))
    return SampledPaths(prices=prices, volatilities=path.volatilities)
