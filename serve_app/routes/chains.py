"""HTTP v1: sessions with one relative expiration, whose parameters can be changed."""

from __future__ import annotations

from collections.abc import Awaitable
from datetime import UTC, datetime
from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from optionchain.session import (
    Create,
    Delete,
    Peek,
    Reinitialize,
    Surface,
)
from serve_app.bodies.chains import ChainChanges, ChainParameters
from serve_app.bodies.configured_parameters import chain_changes, chain_parameters, values_of_parameters
from serve_app.edge.authentication import context_of, principal_of
from serve_app.openapi.documentation import CHAIN, CREATED, DELETION, SESSION, SESSION_PAGE, errors
from serve_app.routes.commands import Occasion, next_command_id
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
    stored_session,
)
from serve_app.services import services_of

router = APIRouter(prefix="/api/v1/chain", tags=["sessions (v1)"], route_class=ModelRoute)


class SessionQuery(BaseModel):
    sessionid: UUID = Field(description="The session's id")


class PeekQuery(SessionQuery, GreeksQuery):
    # What is ours refuses what it does not know; clients of v1 may send what they like.
    model_config = ConfigDict(extra="ignore")


class StepQuery(SessionQuery, AdvanceQuery):
    model_config = ConfigDict(extra="ignore")


@router.post(
    "",
    status_code=201,
    summary="Create a session",
    responses=CREATED | errors(400, 409, 422),
    openapi_extra=IDEMPOTENT,
)
async def create(request: Request, body: ChainParameters) -> Response:
    async def act(occasion: Occasion) -> Response:
        parameters = await chain_parameters(
            body, midnight(datetime.now(UTC)), services_of(request), context_of(request)
        )
        session = new_session(occasion, principal_of(request), Surface.CHAIN, parameters)
        return await reply_to(request, Surface.CHAIN, session.id, Create(session), status=201)

    return await once(request, act, status=201)


@router.get("", summary="Peek at the next snapshot", responses=CHAIN | errors(400, 404, 410))
async def peek(request: Request, query: Annotated[PeekQuery, Query()]) -> Response:
    """Safe and repeatable: the cursor stays."""
    return await reply_to(request, Surface.CHAIN, query.sessionid, Peek(query.greeks))


@router.post(
    "/step",
    summary="Serve the next snapshot, then advance",
    responses=CHAIN | errors(400, 404, 409, 410, 412, 422),
    openapi_extra=IDEMPOTENT,
)
async def step(request: Request, query: Annotated[StepQuery, Query()]) -> Response:
    """A step is answered after it was stored, so no crash serves it again or loses it."""

    def act(occasion: Occasion) -> Awaitable[Response]:
        return reply_to(request, Surface.CHAIN, query.sessionid, advance(query, occasion))

    return await once(request, act)


@router.put("", summary="Replace all parameters; cursor to 0", responses=SESSION | errors(400, 404, 409))
async def replace(
    request: Request, query: Annotated[SessionQuery, Query()], body: ChainParameters
) -> Response:
    parameters = await chain_parameters(
        body, midnight(datetime.now(UTC)), services_of(request), context_of(request)
    )
    changes = values_of_parameters(parameters)
    return await reply_to(request, Surface.CHAIN, query.sessionid, Reinitialize(next_command_id(), changes))


@router.patch("", summary="Change some parameters; cursor to 0", responses=SESSION | errors(400, 404, 409))
async def change(request: Request, query: Annotated[SessionQuery, Query()], body: ChainChanges) -> Response:
    stored = partial(stored_session, request, Surface.CHAIN, query.sessionid)
    changes = await chain_changes(
        body, midnight(datetime.now(UTC)), services_of(request), context_of(request), stored
    )
    return await reply_to(request, Surface.CHAIN, query.sessionid, Reinitialize(next_command_id(), changes))


@router.delete("", summary="Delete a session", responses=DELETION | errors(400, 404))
async def delete(request: Request, query: Annotated[SessionQuery, Query()]) -> Response:
    return await reply_to(request, Surface.CHAIN, query.sessionid, Delete())


@router.get("/sessions", summary="List your active sessions", responses=SESSION_PAGE | errors(400))
async def sessions(request: Request, query: Annotated[PageQuery, Query()]) -> Response:
    """Those written last come first. What was listed may be gone a moment later."""
    return await page_of_sessions(request, Surface.CHAIN, query)


def midnight(now: datetime) -> datetime:
    """Midnight UTC of a day."""
    return now.replace(hour=0, minute=0, second=0, microsecond=0)
