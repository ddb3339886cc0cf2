"""HTTP v2: simulations with rolling expirations, whose parameters never change."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import Path, Query, Request, Response

from optionchain.parameters import SimulationParameters
from optionchain.session import Delete, Inspect, Peek, SessionKind
from serve_app.bodies.configured_parameters import simulation_parameters
from serve_app.bodies.notices import disagreements_of, told
from serve_app.bodies.simulation_answers import CREATED, SERVED, SIMULATION, SIMULATION_PAGE, SNAPSHOT
from serve_app.bodies.simulations import SimulationRequest
from serve_app.edge.caller import context_of
from serve_app.edge.route_table import handler
from serve_app.handling.idempotency import IDEMPOTENT
from serve_app.handling.session_calls import (
    AdvanceQuery,
    GreeksQuery,
    PageQuery,
    created,
    page_of_sessions,
    reply_to,
    stepped,
)
from serve_app.openapi.documentation import DELETION, errors
from serve_app.services import services_of

SimulationId = Annotated[UUID, Path(alias="id", description="The simulation's id")]


@handler("Create a simulation", status=201, responses=CREATED | errors(400, 409, 422), extra=IDEMPOTENT)
async def create(request: Request, body: SimulationRequest) -> Response:
    """The echoed parameters, sent again, give the same simulation."""

    async def resolved() -> SimulationParameters:
        return await simulation_parameters(body, datetime.now(UTC), services_of(request), context_of(request))

    response = await created(request, SessionKind.SIMULATION, resolved)
    return told(response, disagreements_of(body, response.body))


@handler("List your active simulations", responses=SIMULATION_PAGE | errors(400))
async def simulations(request: Request, query: Annotated[PageQuery, Query()]) -> Response:
    """Those written last come first. What was listed may be gone a moment later."""
    return await page_of_sessions(request, SessionKind.SIMULATION, query)


@handler("Show a simulation", responses=SIMULATION | errors(400, 404))
async def inspect(request: Request, simulation_id: SimulationId) -> Response:
    return await reply_to(request, SessionKind.SIMULATION, simulation_id, Inspect())


@handler("Peek at the next snapshot", responses=SNAPSHOT | errors(400, 404, 410))
async def peek(
    request: Request, query: Annotated[GreeksQuery, Query()], simulation_id: SimulationId
) -> Response:
    """Safe and repeatable: the cursor stays."""
    return await reply_to(request, SessionKind.SIMULATION, simulation_id, Peek(query.greeks))


@handler(
    "Serve the next snapshot, then advance",
    responses=SERVED | errors(400, 404, 409, 410, 412, 422),
    extra=IDEMPOTENT,
)
async def step(
    request: Request, query: Annotated[AdvanceQuery, Query()], simulation_id: SimulationId
) -> Response:
    """A step is answered after it was stored, so no crash serves it again or loses it."""
    return await stepped(request, SessionKind.SIMULATION, simulation_id, query)


@handler("Delete a simulation", responses=DELETION | errors(400, 404))
async def delete(request: Request, simulation_id: SimulationId) -> Response:
    return await reply_to(request, SessionKind.SIMULATION, simulation_id, Delete())
