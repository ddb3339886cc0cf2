"""HTTP v1: sessions with one relative expiration, whose parameters can be changed."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

import orjson
from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, Field

from actors.messages import Call
from cluster.api_keys import Principal
from optionchain.chains import GreekSet
from optionchain.session import (
    Advance,
    Command,
    Create,
    Delete,
    Peek,
    Reinitialize,
    Session,
    Surface,
)
from optionchain.wire.sessions import session_json
from serve_app.auth import current_principal, principal_of
from serve_app.chain_models import ChainChanges, ChainParameters, changes_of, parameters_of
from serve_app.commands import next_command_id
from serve_app.documentation import CHAIN, CREATED, DELETION, SESSION, SESSION_PAGE, errors
from serve_app.routing import JsonRoute, QueryRoute
from serve_app.services import Services, current_services, services_of

router = APIRouter(prefix="/api/v1/chain", tags=["sessions (v1)"], route_class=QueryRoute)
body_router = APIRouter(prefix="/api/v1/chain", tags=["sessions (v1)"], route_class=JsonRoute)

Caller = Annotated[Principal, Depends(current_principal)]
Application = Annotated[Services, Depends(current_services)]
SessionId = Annotated[UUID, Query(description="The session's id")]


class SessionQuery(BaseModel):
    sessionid: UUID = Field(description="The session's id")


class PeekQuery(SessionQuery):
    greeks: GreekSet = Field(
        "first", description="`first`: delta and gamma; `all`: theta, vega and rho as well"
    )


class StepQuery(PeekQuery):
    expected_step: int | None = Field(
        None, ge=0, description="Serve only if this is the cursor; otherwise 412, and nothing is consumed"
    )
    count: int | None = Field(
        None, ge=1, le=1000, description="Serve so many snapshots in one answer, as one atomic advance"
    )


class PageQuery(BaseModel):
    page: int = Field(1, ge=1, le=1_000_000)
    limit: int = Field(100, ge=1, le=1000)


@body_router.post("", status_code=201, summary="Create a session", responses=CREATED | errors(400))
async def create(body: ChainParameters, caller: Caller, app: Application) -> Response:
    now = datetime.now(UTC)
    session = Session(
        id=str(uuid.uuid4()),
        owner=caller.owner,
        surface=Surface.CHAIN,
        parameters=parameters_of(body, midnight(now)),
        created_at=now,
        updated_at=now,
        version=1,
    )
    return await _reply(app, caller, session.id, Create(session), status=201)


@router.get("", summary="Peek at the next snapshot", responses=CHAIN | errors(400, 404, 410))
async def peek(request: Request, query: Annotated[PeekQuery, Query()]) -> Response:
    """Safe and repeatable: the cursor stays."""
    return await _reply_to(request, query, Peek(query.greeks))


@router.post(
    "/step",
    summary="Serve the next snapshot, then advance",
    responses=CHAIN | errors(400, 404, 409, 410, 412),
)
async def step(request: Request, query: Annotated[StepQuery, Query()]) -> Response:
    """A step is answered after it was stored, so no crash serves it again or loses it."""
    command = Advance(next_command_id(), query.expected_step, query.count, query.greeks)
    return await _reply_to(request, query, command)


@body_router.put("", summary="Replace all parameters; cursor to 0", responses=SESSION | errors(400, 404, 409))
async def replace(sessionid: SessionId, body: ChainParameters, caller: Caller, app: Application) -> Response:
    changes = changes_of(body, midnight(datetime.now(UTC)))
    return await _reply(app, caller, str(sessionid), Reinitialize(next_command_id(), changes))


@body_router.patch(
    "", summary="Change some parameters; cursor to 0", responses=SESSION | errors(400, 404, 409)
)
async def change(sessionid: SessionId, body: ChainChanges, caller: Caller, app: Application) -> Response:
    changes = changes_of(body, midnight(datetime.now(UTC)))
    return await _reply(app, caller, str(sessionid), Reinitialize(next_command_id(), changes))


@router.delete("", summary="Delete a session", responses=DELETION | errors(400, 404))
async def delete(request: Request, query: Annotated[SessionQuery, Query()]) -> Response:
    return await _reply_to(request, query, Delete())


@router.get("/sessions", summary="List your active sessions", responses=SESSION_PAGE | errors(400))
async def sessions(request: Request, query: Annotated[PageQuery, Query()]) -> Response:
    """Those written last come first. What was listed may be gone a moment later."""
    store = services_of(request).store
    owner, limit = principal_of(request).owner, query.limit
    found = await store.list_active(owner, Surface.CHAIN, offset=(query.page - 1) * limit, limit=limit)
    stored = await store.get(found.ids)
    bodies = [session_json(stored[session_id]) for session_id in found.ids if session_id in stored]
    pagination = {"total": found.total, "page": query.page, "limit": limit, "pages": -(-found.total // limit)}
    body = b'{"data":[' + b",".join(bodies) + b'],"pagination":' + orjson.dumps(pagination) + b"}"
    return json_response(body)


def midnight(now: datetime) -> datetime:
    """Midnight UTC of a day."""
    return now.replace(hour=0, minute=0, second=0, microsecond=0)


def json_response(body: bytes, status: int = 200) -> Response:
    """An answer from JSON that is already encoded."""
    return Response(body, status, media_type="application/json")


async def _reply_to(request: Request, query: SessionQuery, command: Command) -> Response:
    return await _reply(services_of(request), principal_of(request), str(query.sessionid), command)


async def _reply(
    app: Services, caller: Principal, session_id: str, command: Command, *, status: int = 200
) -> Response:
    call = Call(session_id, caller.owner, Surface.CHAIN, command)
    return json_response(await app.gateway.call(call), status)
