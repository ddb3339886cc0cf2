"""HTTP v2: simulations with rolling expirations, whose parameters never change."""

from __future__ import annotations

from collections.abc import Awaitable
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response

from optionchain.session import Create, Delete, Inspect, Peek, Surface
from serve_app.bodies.configured_parameters import simulation_parameters
from serve_app.bodies.simulation_answers import CREATED, SERVED, SIMULATION, SIMULATION_PAGE, SNAPSHOT
from serve_app.bodies.simulations import SimulationRequest
from serve_app.edge.authentication import context_of, principal_of
from serve_app.openapi.documentation import DELETION, errors
from serve_app.routes.commands import Occasion
from serve_app.routes.idempotency import IDEMPOTENT, once
from serve_app.routes.kinds import ModelRoute
from serve_app.routes.session_calls import (
    AdvanceQuery,
    GreeksQuery,
    PageQuery,
    advance,
    new_session,
    page_of_sessions,
    reply_to,
)
from serve_app.services import services_of

router = APIRouter(prefix="/api/v2/simulations", tags=["simulations (v2)"], route_class=ModelRoute)

SimulationId = Annotated[UUID, Path(alias="id", description="The simulation's id")]


@router.post(
    "",
    status_code=201,
    summary="Create a simulation",
    responses=CREATED | errors(400, 409, 422),
    openapi_extra=IDEMPOTENT,
)
async def create(request: Request, body: SimulationRequest) -> Response:
    """The echoed parameters, sent again, give the same simulation."""

    async def act(occasion: Occasion) -> Response:
        parameters = await simulation_parameters(
            body, datetime.now(UTC), services_of(request), context_of(request)
        )
        session = new_session(occasion, principal_of(request), Surface.SIMULATION, parameters)
        return await reply_to(request, Surface.SIMULATION, session.id, Create(session), status=201)

    return await once(request, act, status=201)


@router.get("", summary="List your active simulations", responses=SIMULATION_PAGE | errors(400))
async def simulations(request: Request, query: Annotated[PageQuery, Query()]) -> Response:
    """Those written last come first. What was listed may be gone a moment later."""
    return await page_of_sessions(request, Surface.SIMULATION, query)


@router.get("/{id}", summary="Show a simulation", responses=SIMULATION | errors(400, 404))
async def inspect(request: Request, simulation_id: SimulationId) -> Response:
    return await reply_to(request, Surface.SIMULATION, simulation_id, Inspect())


@router.get("/{id}/snapshot", summary="Peek at the next snapshot", responses=SNAPSHOT | errors(400, 404, 410))
async def peek(
    request: Request, query: Annotated[GreeksQuery, Query()], simulation_id: SimulationId
) -> Response:
    """Safe and repeatable: the cursor stays."""
    return await reply_to(request, Surface.SIMULATION, simulation_id, Peek(query.greeks))


@router.post(
    "/{id}/step",
    summary="Serve the next snapshot, then advance",
    responses=SERVED | errors(400, 404, 409, 410, 412, 422),
    openapi_extra=IDEMPOTENT,
)
async def step(
    request: Request, query: Annotated[AdvanceQuery, Query()], simulation_id: SimulationId
) -> Response:
    """A step is answered after it was stored, so no crash serves it again or loses it."""

    def act(occasion: Occasion) -> Awaitable[Response]:
        return reply_to(request, Surface.SIMULATION, simulation_id, advance(query, occasion))

    return await once(request, act)


@router.delete("/{id}", summary="Delete a simulation", responses=DELETION | errors(400, 404))
async def delete(request: Request, simulation_id: SimulationId) -> Response:
    return await reply_to(request, Surface.SIMULATION, simulation_id, Delete())
