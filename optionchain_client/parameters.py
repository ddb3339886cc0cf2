"""What sessions, simulations and sweeps are made from: the names, and the types as a type checker sees them.

The server checks the values. A test compares this module with what the server documents; for its sake annotations are
evaluated here.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, NotRequired, Required, TypeAlias, TypedDict

Greeks: TypeAlias = Literal["none", "first", "all"]
"""Beside delta and gamma, of each side: `first`: theta, vega, rho and rho_d; `all`: those of the second order too."""

Method: TypeAlias = Mapping[str, Mapping[str, Any]]
"""A market model with its parameters: ``{"Heston": {"dt": 0.004, ...}}``."""

Part: TypeAlias = Mapping[str, Mapping[str, Any]]
"""A smile, a term structure or a spread model with its parameters: ``{"ssvi": {"rho": -0.7, "eta": 1.1}}``."""

TimeFrame: TypeAlias = str | Mapping[str, float]
"""``"Day"``, or ``{"Custom": periods_per_year}``."""

Instant: TypeAlias = str | datetime
"""RFC 3339, or a datetime that has a time zone."""


class _Optional(TypedDict, total=False):
    chain_size: int | None
    strike_interval: float | None
    skew_slope: float | None
    smile_curve: float | None
    spread: float | None
    strike_ladder: Literal["rolling", "pinned", "growing"] | None
    spread_proportional: float | None
    spread_moneyness_widening: float | None
    spread_tenor_widening: float | None
    spread_tick: float | None
    seed: int | None
    start_at: Instant | None
    exercise: Literal["european", "american", "bermudan"] | None
    settlement: Literal["cash", "physical", "coin"] | None
    multiplier: float | None
    currency: str | None
    smile: Part | None
    smile_dynamics: Literal["sticky_delta", "sticky_strike"] | None
    volatility_term: Part | None
    spread_model: Part | None
    strike_rule: Literal["stock", "fund", "index", "volatility_index", "btc", "eth", "nifty"] | None
    tick_size: float | None
    tick_size_above: float | None
    coarse_tick_size: float | None
    underlying: Literal["spot", "future"] | None
    premium: Literal["upfront", "margined"] | None
    rate_curve: Sequence[Sequence[float]] | None
    borrow_cost: float | None
    dividends: Sequence[Sequence[Any]] | None
    dividend_growth: float | None
    dividend_model: Literal["escrowed", "forward"] | None
    closed_day_weight: float | None
    night_weight: float | None
    event_weights: Sequence[Sequence[Any]] | None
    annual_days: float | None
    underlyings: Sequence[Mapping[str, Any]] | None
    correlations: Sequence[Sequence[float]] | None
    common_factors: Sequence[Sequence[float]] | None
    correlation_repair: Literal["nearest"] | None
    exercise_dates: Sequence[str] | None
    futures: Sequence[Sequence[Any]] | None
    futures_carry: float | None


class _Market(_Optional, total=False):
    symbol: Required[str]
    steps: Required[int]
    initial_price: Required[float]
    volatility: Required[float]
    method: Required[Method]
    time_frame: Required[TimeFrame]
    path: int | None


class SessionParameters(_Market):
    """A session: one expiration, a number of days after the start."""

    days_to_expiration: float
    risk_free_rate: float
    dividend_yield: float


class RecordedParameters(TypedDict, total=False):
    """What may be said beside the days of recorded chains: when they expire, and what they are."""

    symbol: str | None
    steps: int | None
    timezone: str | None
    calendar: str | None
    expiration_time: str | None
    risk_free_rate: float | None
    dividend_yield: float | None
    exercise: Literal["european", "american"] | None
    multiplier: float | None
    currency: str | None


class SessionChanges(_Optional, total=False):
    """Some parameters of a session; None keeps a required one, and clears an optional one to its default."""

    symbol: str | None
    steps: int | None
    initial_price: float | None
    days_to_expiration: float | None
    volatility: float | None
    risk_free_rate: float | None
    dividend_yield: float | None
    method: Method | None
    time_frame: TimeFrame | None
    path: int | None


class Rule(TypedDict, total=False):
    """A rule of rolling expirations."""

    rule_id: Required[str]
    kind: Required[
        Literal[
            "daily", "weekly", "monthly", "yearly", "month_end", "month_day", "monthly_third_friday", "leaps"
        ]
    ]
    target_count: Required[int]
    weekdays: Sequence[str]
    weekday: str
    occurrence: int
    month: int
    months: Sequence[int]
    lead_days: int
    day: int
    sessions_before: int
    last_trade_sessions: int
    holiday: Literal["previous", "next"]
    changed_on: str
    changed_to: str
    expiration_time: str
    settlement: Literal["AM", "PM"]
    root: str


class SimulationParameters(_Market):
    """A simulation: rolling expirations. The last five are what the server echoes, for a replay to be sure."""

    product: NotRequired[
        Literal["SPX", "NDX", "VIX", "SPY", "QQQ", "stock", "CL", "BTC", "ETH", "NIFTY"] | None
    ]
    risk_free_rate: NotRequired[float | None]
    dividend_yield: NotRequired[float | None]
    timezone: NotRequired[str | None]
    expiration_time: NotRequired[str | None]
    schedules: NotRequired[Sequence[Rule] | None]
    calendar: NotRequired[str | None]
    step_interval_seconds: NotRequired[int | None]
    effective_start: NotRequired[Instant | None]
    tzdb_version: NotRequired[str | None]
    calendar_version: NotRequired[str | None]
    rng: NotRequired[str | None]
    numerics: NotRequired[str | None]


class SweepBase(_Optional, total=False):
    """What all scenarios of a sweep have in common: a session's parameters, or with `schedules` a simulation's."""

    symbol: Required[str]
    steps: Required[int]
    initial_price: Required[float]
    volatility: Required[float]
    method: Required[Method]
    risk_free_rate: float | None
    dividend_yield: float | None
    time_frame: TimeFrame | None
    days_to_expiration: float | None
    timezone: str
    calendar: str | None
    expiration_time: str
    schedules: Sequence[Rule] | None


Line = TypedDict("Line", {"from": float, "to": float, "points": int})
"""So many values from one to another, evenly."""


class Design(TypedDict, total=False):
    """Scenarios that fill a box."""

    bounds: Required[Mapping[str, Sequence[float]]]
    points: Required[int]
    kind: str
    seed: int


class Shock(TypedDict, total=False):
    """A change of the market at the first step, on every scenario."""

    name: Required[str]
    spot: float
    volatility: float
    rates: float


class SweepDefinition(TypedDict, total=False):
    """A sweep: scenarios of a simulation, each with many paths, and what is measured on each path."""

    base: Required[SweepBase]
    measures: Required[Sequence[str | Mapping[str, Any]]]
    grid: Mapping[str, Sequence[Any] | Line] | None
    scenarios: Sequence[Mapping[str, Any]] | None
    design: Design | None
    shocks: Sequence[Shock] | None
    paths: int | None
    seed: int | None
    sampling: Literal["independent", "antithetic", "sobol"] | None
    control: Literal["terminal_price"] | None
    quantiles: Sequence[float] | None
    tail: float | None
    covariances: bool | None


class TaskDefinition(TypedDict, total=False):
    """A task: what is to be done, and when."""

    kind: Required[str]
    timing: Required[Mapping[str, Any]]
    parameters: Mapping[str, Any]
    name: str | None
    jitter_seconds: float | None
    misfire: Literal["run_late", "skip"] | None
    catch_up: int
    ends_at: str | None
    priority: int
    max_attempts: int
