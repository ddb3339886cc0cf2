"""How busy a session's or a simulation's contracts are at a step: sizes, open interest and volume; the cursor stays."""

from __future__ import annotations

from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from optionchain.chains.activity import MOST_OPEN
from optionchain.session import Session, SessionKind
from optionchain.simulation import Simulation
from optionchain.wire.activity import activity_json, require_activity
from serve_app.edge.route_table import handler
from serve_app.handling.encoded import json_response
from serve_app.handling.session_calls import stored_session
from serve_app.openapi.documentation import errors, shown
from serve_app.services import services_of


class ActivityQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    step: int | None = Field(None, ge=0, description="Of the snapshot; absent means the next one")
    scale: float = Field(
        1000.0, ge=0.0, le=MOST_OPEN, description="Open interest of a typical contract at the money"
    )


class SessionActivityQuery(ActivityQuery):
    sessionid: UUID = Field(description="The session's id")


class SideActivity(BaseModel):
    """Whole contracts."""

    bid_size: int = Field(description="0 where there is no bid")
    ask_size: int
    open_interest: int
    volume: int = Field(description="On the day of the snapshot")


class ContractActivity(BaseModel):
    strike: float
    call: SideActivity
    put: SideActivity


class ExpirationActivity(BaseModel):
    expires_at: str
    contracts: list[ContractActivity] = Field(description="As the snapshot has them")


class ActivityView(BaseModel):
    """Made up so that it looks like a market's; the same for the same seed."""

    step: int
    simulated_at: str
    chains: list[ExpirationActivity]


@handler("The activity of a snapshot", responses=shown(ActivityView) | errors(400, 404))
async def session_activity(request: Request, query: Annotated[SessionActivityQuery, Query()]) -> Response:
    """Sizes at the quotes, open interest and volume of each contract."""
    return await _activity(request, SessionKind.CHAIN, query.sessionid, query)


@handler("The activity of a snapshot", responses=shown(ActivityView) | errors(400, 404))
async def simulation_activity(
    request: Request,
    query: Annotated[ActivityQuery, Query()],
    simulation_id: Annotated[UUID, Path(alias="id", description="The simulation's id")],
) -> Response:
    """Sizes at the quotes, open interest and volume of each contract of the first underlying."""
    return await _activity(request, SessionKind.SIMULATION, simulation_id, query)


async def _activity(request: Request, kind: SessionKind, session_id: UUID, query: ActivityQuery) -> Response:
    """Computed where exports are: off the loop, and in turn with the other owners."""
    session = await stored_session(request, kind, session_id)
    step = min(session.current_step, session.total_steps - 1) if query.step is None else query.step
    require_activity(session.parameters, step)
    compute = partial(_computed, session, step, query.scale)
    return json_response(await services_of(request).producers.whole(session.owner, compute))


def _computed(session: Session, step: int, scale: float) -> bytes:
    return activity_json(Simulation(session.parameters), step, scale)
