"""HTTP v1: sessions with one relative expiration, whose parameters can be changed."""

from __future__ import annotations

from collections.abc import Awaitable
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, Field

from cluster.api_keys import Principal
from optionchain.session import (
    Create,
    Delete,
    Peek,
    Reinitialize,
    Surface,
)
from serve_app.auth import current_principal
from serve_app.chain_models import ChainChanges, ChainParameters, changes_of
from serve_app.commands import Occasion, next_command_id
from serve_app.configured_parameters import configured_parameters
from serve_app.documentation import CHAIN, CREATED, DELETION, SESSION, SESSION_PAGE, errors
from serve_app.idempotency import IDEMPOTENT, once
from serve_app.routing import JsonRoute, QueryRoute
from serve_app.services import Services, current_services
from serve_app.session_calls import (
    AdvanceQuery,
    GreeksQuery,
    PageQuery,
    advance,
    new_session,
    page_of_sessions,
    reply,
    reply_to,
)

router = APIRouter(prefix="/api/v1/chain", tags=["sessions (v1)"], route_class=QueryRoute)
body_router = APIRouter(prefix="/api/v1/chain", tags=["sessions (v1)"], route_class=JsonRoute)

Caller = Annotated[Principal, Depends(current_principal)]
Application = Annotated[Services, Depends(current_services)]
SessionId = Annotated[UUID, Query(description="The session's id")]


class SessionQuery(BaseModel):
    sessionid: UUID = Field(description="The session's id")


class PeekQuery(SessionQuery, GreeksQuery):
    pass


class StepQuery(SessionQuery, AdvanceQuery):
    pass


@body_router.post(
    "",
    status_code=201,
    summary="Create a session",
    responses=CREATED | errors(400, 422),
    openapi_extra=IDEMPOTENT,
)
async def create(request: Request, body: ChainParameters, caller: Caller, app: Application) -> Response:
    parameters = await configured_parameters(body, midnight(datetime.now(UTC)), app)

    async def act(occasion: Occasion) -> Response:
        session = new_session(occasion.session_id, caller, Surface.CHAIN, parameters)
        return await reply(app, caller, Surface.CHAIN, session.id, Create(session), status=201)

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


@body_router.put("", summary="Replace all parameters; cursor to 0", responses=SESSION | errors(400, 404, 409))
async def replace(sessionid: SessionId, body: ChainParameters, caller: Caller, app: Application) -> Response:
    changes = changes_of(body, midnight(datetime.now(UTC)))
    return await reply(app, caller, Surface.CHAIN, str(sessionid), Reinitialize(next_command_id(), changes))


@body_router.patch(
    "", summary="Change some parameters; cursor to 0", responses=SESSION | errors(400, 404, 409)
)
async def change(sessionid: SessionId, body: ChainChanges, caller: Caller, app: Application) -> Response:
    changes = changes_of(body, midnight(datetime.now(UTC)))
    return await reply(app, caller, Surface.CHAIN, str(sessionid), Reinitialize(next_command_id(), changes))


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
