"""HTTP v1: sessions with one relative expiration, whose parameters can be changed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from optionchain.agreement import Disagreement
from optionchain.parameters import SimulationParameters
from optionchain.session import (
    Command,
    Delete,
    Inspect,
    Peek,
    Reinitialize,
    SessionKind,
)
from serve_app.bodies.chains import ChainChanges, ChainParameters, sent_fields
from serve_app.bodies.configured_parameters import chain_changes, chain_parameters, values_of_parameters
from serve_app.bodies.notices import PREFER, disagreements_of, told, unknown_fields
from serve_app.edge.caller import context_of
from serve_app.edge.route_table import handler
from serve_app.handling.idempotency import IDEMPOTENT, next_command_id
from serve_app.handling.session_calls import (
    AdvanceQuery,
    GreeksQuery,
    PageQuery,
    created,
    page_of_sessions,
    reply_to,
    stepped,
    stored_session,
)
from serve_app.openapi.documentation import CHAIN, CREATED, DELETION, SESSION, SESSION_PAGE, errors
from serve_app.services import services_of

_LENIENT: dict[str, Any] = {"parameters": [PREFER]}
_LENIENT_AND_IDEMPOTENT: dict[str, Any] = {"parameters": [*IDEMPOTENT["parameters"], PREFER]}


class SessionQuery(BaseModel):
    sessionid: UUID = Field(description="The session's id")


class PeekQuery(SessionQuery, GreeksQuery):
    # What is ours refuses what it does not know; clients of v1 may send what they like, and are told.
    model_config = ConfigDict(extra="allow")


class StepQuery(SessionQuery, AdvanceQuery):
    model_config = ConfigDict(extra="allow")


@handler(
    "Create a session", status=201, responses=CREATED | errors(400, 409, 422), extra=_LENIENT_AND_IDEMPOTENT
)
async def create(request: Request, body: ChainParameters) -> Response:
    unknown = unknown_fields(request, body)
    response = await created(request, SessionKind.CHAIN, partial(_parameters, request, body))
    return _told(response, unknown, body)


@handler("Peek at the next snapshot", responses=CHAIN | errors(400, 404, 410), extra=_LENIENT)
async def peek(request: Request, query: Annotated[PeekQuery, Query()]) -> Response:
    """Safe and repeatable: the cursor stays."""
    unknown = unknown_fields(request, query)
    return told(await reply_to(request, SessionKind.CHAIN, query.sessionid, Peek(query.greeks)), unknown)


@handler(
    "Serve the next snapshot, then advance",
    responses=CHAIN | errors(400, 404, 409, 410, 412, 422),
    extra=_LENIENT_AND_IDEMPOTENT,
)
async def step(request: Request, query: Annotated[StepQuery, Query()]) -> Response:
    """A step is answered after it was stored, so no crash serves it again or loses it."""
    unknown = unknown_fields(request, query)
    return told(await stepped(request, SessionKind.CHAIN, query.sessionid, query), unknown)


@handler("Replace all parameters; cursor to 0", responses=SESSION | errors(400, 404, 409), extra=_LENIENT)
async def replace(
    request: Request, query: Annotated[SessionQuery, Query()], body: ChainParameters
) -> Response:
    unknown = unknown_fields(request, query, body)
    command = Reinitialize(next_command_id(), values_of_parameters(await _parameters(request, body)))
    return _told(await reply_to(request, SessionKind.CHAIN, query.sessionid, command), unknown, body)


@handler("Change some parameters; cursor to 0", responses=SESSION | errors(400, 404, 409), extra=_LENIENT)
async def change(request: Request, query: Annotated[SessionQuery, Query()], body: ChainChanges) -> Response:
    """An empty body starts anew; one that names only what nobody knows changes nothing and leaves the cursor."""
    unknown = unknown_fields(request, query, body)
    command: Command = Inspect()
    if sent_fields(body) or not body.model_extra:
        stored = partial(stored_session, request, SessionKind.CHAIN, query.sessionid)
        changes = await chain_changes(
            body, midnight(datetime.now(UTC)), services_of(request), context_of(request), stored
        )
        command = Reinitialize(next_command_id(), changes)
    return _told(await reply_to(request, SessionKind.CHAIN, query.sessionid, command), unknown, body)


@handler("Delete a session", responses=DELETION | errors(400, 404))
async def delete(request: Request, query: Annotated[SessionQuery, Query()]) -> Response:
    return await reply_to(request, SessionKind.CHAIN, query.sessionid, Delete())


@handler("List your active sessions", responses=SESSION_PAGE | errors(400))
async def sessions(request: Request, query: Annotated[PageQuery, Query()]) -> Response:
    """Those written last come first. What was listed may be gone a moment later."""
    return await page_of_sessions(request, SessionKind.CHAIN, query)


async def _parameters(request: Request, body: ChainParameters) -> SimulationParameters:
    return await chain_parameters(
        body, midnight(datetime.now(UTC)), services_of(request), context_of(request)
    )


def _told(
    response: Response, unknown: Sequence[Disagreement], body: ChainParameters | ChainChanges
) -> Response:
    """A session, with what its request said in vain and where it contradicts itself."""
    return told(response, [*unknown, *disagreements_of(body, response.body)])


def midnight(now: datetime) -> datetime:
    """Midnight UTC of a day."""
    return now.replace(hour=0, minute=0, second=0, microsecond=0)
