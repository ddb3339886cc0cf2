"""What the session routes of both surfaces share: their queries, a call for a caller's session, a page of them."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

import orjson
from fastapi import Request, Response
from pydantic import BaseModel, ConfigDict, Field

from actors.sessions.messages import Call
from optionchain.chains import GreekSet
from optionchain.context import Principal
from optionchain.errors import NotFound
from optionchain.parameters import SimulationParameters
from optionchain.session import CREATION, Advance, Command, Session, Surface
from optionchain.wire.sessions import session_json
from serve_app.edge.authentication import context_of, principal_of
from serve_app.routes.commands import Occasion
from serve_app.services import services_of


class GreeksQuery(BaseModel):
    # A misspelt `expected_step` must not step without its guard.
    model_config = ConfigDict(extra="forbid")

    greeks: GreekSet = Field(
        "first", description="`first`: delta and gamma; `all`: theta, vega and rho as well"
    )


class AdvanceQuery(GreeksQuery):
    expected_step: int | None = Field(
        None, ge=0, description="Serve only if this is the cursor; otherwise 412, and nothing is consumed"
    )
    count: int | None = Field(
        None, ge=1, le=1000, description="Serve so many snapshots in one answer, as one atomic advance"
    )


def advance(query: AdvanceQuery, occasion: Occasion) -> Advance:
    """The command of a step."""
    expected_step = occasion.expected_step(query.expected_step)
    return Advance(occasion.command_id, expected_step, query.count, query.greeks, occasion.is_keyed)


class PageQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    page: int = Field(1, ge=1, le=1_000_000)
    limit: int = Field(100, ge=1, le=1000)

    def pagination(self, total: int) -> dict[str, int]:
        """Where this page is among all."""
        return {"total": total, "page": self.page, "limit": self.limit, "pages": -(-total // self.limit)}


def new_session(
    occasion: Occasion, caller: Principal, surface: Surface, parameters: SimulationParameters
) -> Session:
    """A session that is not stored yet."""
    now = datetime.now(UTC)
    return Session(
        id=occasion.session_id,
        owner=caller.tenant,
        surface=surface,
        parameters=parameters,
        created_at=now,
        updated_at=now,
        version=1,
        recalled=(CREATION,) if occasion.is_keyed else (),
    )


async def reply_to(
    request: Request, surface: Surface, session_id: uuid.UUID | str, command: Command, *, status: int = 200
) -> Response:
    """Have a command applied to a session of the request's caller; the answer is the actor's."""
    call = Call(str(session_id), context_of(request), surface, command)
    return json_response(await services_of(request).gateway.call(call), status)


async def stored_session(request: Request, surface: Surface, session_id: uuid.UUID) -> Session:
    """The caller's session as it was last stored.

    Raises:
        NotFound: Unknown, expired, another caller's or of the other surface.
    """
    identity = str(session_id)
    session = (await services_of(request).store.get([identity])).get(identity)
    if session is None or session.owner != principal_of(request).tenant or session.surface is not surface:
        raise NotFound("session", identity)
    return session


async def page_of_sessions(request: Request, surface: Surface, query: PageQuery) -> Response:
    """The caller's active sessions of a surface, those written last first."""
    store, owner, limit = services_of(request).store, principal_of(request).tenant, query.limit
    found = await store.list_active(owner, surface, offset=(query.page - 1) * limit, limit=limit)
    stored = await store.get(found.ids)
    bodies = [session_json(stored[session_id]) for session_id in found.ids if session_id in stored]
    pagination = query.pagination(found.total)
    return json_response(
        b'{"data":[' + b",".join(bodies) + b'],"pagination":' + orjson.dumps(pagination) + b"}"
    )


def json_response(body: bytes, status: int = 200) -> Response:
    """An answer from JSON that is already encoded."""
    return Response(body, status, media_type="application/json")
