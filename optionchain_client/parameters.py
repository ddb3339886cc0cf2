"""What sessions and simulations are made from, as type checkers see it; the server checks the values."""

from __future__ import annotations

from typing import Any, Literal, NotRequired, Required, TypeAlias, TypedDict

Greeks: TypeAlias = Literal["none", "first", "all"]
"""`first`: delta and gamma; `all`: theta, vega and rho as well."""

Method: TypeAlias = dict[str, dict[str, Any]]
"""A market model with its parameters: ``{"Heston": {"dt": 0.004, ...}}``."""

TimeFrame: TypeAlias = str | dict[str, float]
"""``"Day"``, or ``{"Custom": periods_per_year}``."""


class _Market(TypedDict, total=False):
    symbol: Required[str]
    steps: Required[int]
    initial_price: Required[float]
    volatility: Required[float]
    risk_free_rate: Required[float]
    dividend_yield: Required[float]
    method: Required[Method]
    time_frame: Required[TimeFrame]
    chain_size: int | None
    strike_interval: float | None
    skew_slope: float | None
    smile_curve: float | None
    spread: float | None
    seed: int | None
    path: int | None
    start_at: str | None


class SessionParameters(_Market):
    """A session: one expiration, a number of days after the start."""

    days_to_expiration: float


class SessionChanges(TypedDict, total=False):
    """Some parameters of a session; None clears an optional one to its default."""

    symbol: str
    steps: int
    initial_price: float
    days_to_expiration: float
    volatility: float
    risk_free_rate: float
    dividend_yield: float
    method: Method
    time_frame: TimeFrame
    chain_size: int | None
    strike_interval: float | None
    skew_slope: float | None
    smile_curve: float | None
    spread: float | None
    seed: int | None
    path: int | None
    start_at: str | None


class Rule(TypedDict, total=False):
    """A rule of rolling expirations."""

    rule_id: Required[str]
    kind: Required[Literal["daily", "weekly", "monthly", "yearly"]]
    target_count: Required[int]
    weekdays: list[str]
    weekday: str
    month: int


class SimulationParameters(_Market):
    """A simulation: rolling expirations."""

    timezone: str
    expiration_time: str
    schedules: list[Rule]
    calendar: NotRequired[str]
    step_interval_seconds: NotRequired[int | None]
