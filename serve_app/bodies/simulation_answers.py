"""The shapes of the v2 answers, for the OpenAPI document: the bytes themselves come from the actors."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field

from serve_app.bodies.chains import Method, WireTimeFrame
from serve_app.bodies.declared import shown_body
from serve_app.edge.route_table import Responses
from serve_app.openapi.documentation import WARNINGS, Pagination, SimulationContract, WarningView, links

State = Literal["initialized", "in_progress", "completed", "error"]


class Cursor(BaseModel):
    """Where the simulation is: the 0-based index of the next snapshot."""

    current_step: int
    total_steps: int


class SimulationParametersView(shown_body()):  # type: ignore[misc]  # its fields are declared in the domain
    """Every replay input: a request with this body gives the same simulation."""

    method: Method
    time_frame: WireTimeFrame
    start_at: str
    effective_start: str = Field(description="As `start_at`")
    step_interval_seconds: int
    timezone: str
    calendar: str
    expiration_time: str
    schedules: list[dict[str, Any]] = Field(description="Sorted by `rule_id`")
    tzdb_version: str
    calendar_version: str | None = Field(description="Of the exchange's holidays; null for `weekdays_v1`")
    rng: str
    numerics: str = Field(
        description="Of the arithmetic; snapshots are the same to the byte where it is the same"
    )


class SimulationView(BaseModel):
    """A simulation."""

    id: str
    state: State
    version: int
    cursor: Cursor
    created_at: str
    updated_at: str
    parameters: SimulationParametersView
    gaps: list[str] = Field([], description="Of recorded days: the sessions without a chain; else absent")
    warnings: list[WarningView] = WARNINGS


class SimulationPage(BaseModel):
    data: list[SimulationView]
    pagination: Pagination


class Underlying(BaseModel):
    symbol: str
    price: float
    base_volatility: float = Field(description="Annualised, at the money")


class Future(BaseModel):
    """A future of a curve."""

    expires_at: str
    price: float


class ExpirationChain(BaseModel):
    """The contracts of one expiration, ascending by strike."""

    expires_at: str
    days_to_expiration: float = Field(gt=0)
    labels: list[str] = Field(description="Ids of the rules that asked for it, sorted")
    root: str | None = Field(
        None, description="Root symbol of its contracts; absent where its rules say none"
    )
    settlement: Literal["AM", "PM"] | None = Field(None, description="Absent where its rules say none")
    last_trade_at: str | None = Field(
        None, description="When trading ends; absent where that is when it expires"
    )
    date: str | None = Field(
        None, description="The exchange's date; absent where it is that of `expires_at` in UTC"
    )
    future: Future | None = Field(
        None, description="What its contracts are on; absent without a curve of futures"
    )
    contracts: list[SimulationContract]


class OtherUnderlying(BaseModel):
    """A further underlying of a market at the same step."""

    underlying: Underlying
    chains: list[ExpirationChain]


class Snapshot(BaseModel):
    """The simulated market at one step; chains ascend by expiration."""

    id: str
    state: State
    version: int
    cursor: Cursor
    simulated_at: str
    underlying: Underlying
    chains: list[ExpirationChain]
    futures: list[Future] = Field([], description="The curve; absent where there is none")
    others: list[OtherUnderlying] = Field(
        [], description="The further `underlyings`, in their order; absent where there are none"
    )


class Snapshots(BaseModel):
    """Several snapshots, with `count`."""

    snapshots: list[Snapshot]


CREATED: Responses = {
    201: {
        "model": SimulationView,
        "description": "The new simulation",
        "links": links("v2", inspect="path.id", peek="path.id", step="path.id", delete="path.id"),
    }
}
SIMULATION: Responses = {200: {"model": SimulationView, "description": "The simulation"}}
SNAPSHOT: Responses = {200: {"model": Snapshot, "description": "The next snapshot"}}
SERVED: Responses = {
    200: {"model": Snapshot | Snapshots, "description": "The snapshot; with `count`, the snapshots"}
}
SIMULATION_PAGE: Responses = {200: {"model": SimulationPage, "description": "One page"}}
