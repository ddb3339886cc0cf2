"""What the service answers, as a type checker sees it: each is the server's JSON object as it came, but
for instants and days of tables.

A test compares this module with what the server documents.
"""

from datetime import date, datetime
from typing import Any, Literal, NotRequired, TypedDict

from optionchain_client.parameters import SessionParameters, SimulationParameters


class WarningView(TypedDict):
    """Something that a request said in vain, or that contradicts itself."""

    field: str
    warning: str


class SessionView(TypedDict):
    """A session; one that is made from its `parameters` is the same."""

    id: str
    created_at: str
    updated_at: str
    parameters: SessionParameters
    current_step: int
    total_steps: int
    state: str
    warnings: NotRequired[list[WarningView]]


class CursorView(TypedDict):
    """Where a simulation is: the 0-based index of the next snapshot."""

    current_step: int
    total_steps: int


class SimulationView(TypedDict):
    """A simulation; one that is made from its `parameters` is the same."""

    id: str
    state: Literal["initialized", "in_progress", "completed", "error"]
    version: int
    cursor: CursorView
    created_at: str
    updated_at: str
    parameters: SimulationParameters
    gaps: NotRequired[list[str]]
    warnings: NotRequired[list[WarningView]]


class FanView(TypedDict):
    """The quantiles of the price at each step; `prices` has a list of all steps for each of the `levels`."""

    paths: int
    levels: list[float]
    prices: list[list[float]]


class SweepProgress(TypedDict):
    """How far a sweep is. Paths and contracts are those of this run: an earlier one's are in `share` only."""

    scenarios: int
    failures: int
    share: float
    paths: int
    contracts: int
    paths_per_second: float
    contracts_per_second: float
    seconds: float
    seconds_left: float | None


class SweepView(TypedDict):
    """A sweep."""

    id: str
    state: Literal["queued", "running", "completed", "cancelled", "failed"]
    error: str | None
    scenarios: int
    paths: int
    submitted_at: str
    ended_at: str | None
    progress: SweepProgress | None


class TaskView(TypedDict):
    """A task."""

    id: str
    name: str
    kind: str
    parameters: dict[str, Any]
    timing: dict[str, Any]
    jitter_seconds: float
    misfire: str
    catch_up: int
    ends_at: str | None
    priority: int
    max_attempts: int
    state: Literal["active", "paused", "ended", "cancelled"]
    created_at: str
    created_by: str
    next_for: str | None
    last_success_for: str | None
    last_success_at: str | None


class RunView(TypedDict):
    """One time that a task is due, and what became of it."""

    id: str
    task_id: str
    kind: str
    scheduled_for: str
    state: Literal["scheduled", "running", "succeeded", "failed", "cancelled"]
    attempts: int
    due_at: str
    started_at: str | None
    ended_at: str | None
    result: dict[str, Any] | None
    error: str | None
    log: list[str]
    trace: str


Days = TypedDict("Days", {"from": str, "to": str})
"""The first and the last day."""


class ChainDays(Days):
    """Days with a chain."""

    days: int


class AssetView(Days):
    """What is stored of an asset; `prices` is by time frame."""

    asset: str
    chains: ChainDays | None
    prices: dict[str, Days]


class Bar(TypedDict):
    """A bar; `time` is its beginning."""

    time: datetime
    open: float | None
    high: float | None
    low: float | None
    close: float
    volume: float | None


class VolatilityRow(TypedDict):
    """The smile of one expiration on one day; `skew` is the lower wing's put minus the upper wing's call."""

    date: date
    expiration: date
    days_to_expiration: int
    atm_volatility: float | None
    put_volatility: float | None
    call_volatility: float | None
    skew: float | None


class RealisedVolatility(Days):
    """Of the daily closes of a period, annualised by 252 days; None where there are fewer than three."""

    asset: str
    volatility: float | None


class HistoricalQuote(TypedDict, total=False):
    """One side of a strike; what nobody knows is None or absent."""

    bid: float | None
    ask: float | None
    last: float | None
    implied_volatility: float | None
    delta: float | None
    gamma: float | None
    theta: float | None
    vega: float | None
    volume: float | None
    open_interest: float | None


class HistoricalContract(TypedDict):
    """A strike with its call and its put."""

    strike: float
    call: NotRequired[HistoricalQuote]
    put: NotRequired[HistoricalQuote]


class HistoricalExpiration(TypedDict):
    """The contracts of one expiration."""

    expiration: str
    days_to_expiration: NotRequired[int]
    contracts: list[HistoricalContract]


class HistoricalUnderlying(TypedDict):
    """The asset when the chain was quoted."""

    symbol: NotRequired[str]
    price: float


class HistoricalChain(TypedDict):
    """The chain of an asset as quoted on one day."""

    asset: str
    date: str
    quote_time: str
    underlying: HistoricalUnderlying
    chains: list[HistoricalExpiration]


class SavedChain(TypedDict):
    """What was stored; `contracts` counts the strikes of all expirations."""

    asset: str
    date: str
    contracts: int


class ConfigurationVersion(TypedDict):
    """Who stored a version of a configuration, and when."""

    name: str
    version: int
    saved_by: str
    saved_at: str


class StoredConfiguration(ConfigurationVersion):
    """A version with its values; null where it is secret and the caller is no administrator."""

    secret: NotRequired[bool]
    values: dict[str, Any] | None


class ConfigurationView(TypedDict):
    """A version with its values; nobody wrote version 0, which is built in."""

    name: str
    version: int
    saved_by: str | None
    saved_at: str | None
    secret: NotRequired[bool]
    values: dict[str, Any] | None


class ParameterView(TypedDict):
    """A parameter of a configuration: built in (`default`), or of `version`; a request's own value may win over it."""

    configuration: str
    key: str
    value: Any
    source: Literal["default", "configuration"]
    version: int
    overridden_by: Literal["request"] | None


class Result(TypedDict):
    """The steps that a session was served since its parameters became what they are; `parameters` make it again."""

    parameters: dict[str, Any]
    served_steps: int
    prices: list[float]
    volatilities: list[float]
    stored_at: str


class Dependency(TypedDict):
    """A server that the service needs, or that helps it, and why it is down."""

    name: str
    status: Literal["up", "down"]
    reason: NotRequired[Literal["unreachable", "timed out"]]


class Readiness(TypedDict):
    """Whether everything that the service needs is up; `states` is `up` or `down` by name."""

    status: Literal["ready", "not_ready"]
    dependencies: list[Dependency]
    states: dict[str, Literal["up", "down"]]
