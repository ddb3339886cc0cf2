"""What the routes of v1 and v2 share: their queries, a call for a caller's session, a page of them."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime

import orjson
from fastapi import Request, Response
from pydantic import BaseModel, ConfigDict, Field

from actors.sessions.messages import Call
from optionchain.chains import GreekSet
from optionchain.context import Principal
from optionchain.errors import NotFound
from optionchain.parameters import SimulationParameters
from optionchain.session import CREATION, Advance, Command, Create, Peek, Session, SessionKind
from optionchain.wire.sessions import session_json
from serve_app.edge.caller import context_of, principal_of
from serve_app.handling.encoded import json_response
from serve_app.handling.idempotency import Occasion, once
from serve_app.services import services_of

ABOUT_GREEKS = (
    "Beside delta and gamma, a block a side: `first` has theta, vega, rho and rho_d, `all` has twelve greeks"
)


class GreeksQuery(BaseModel):
    # A misspelt `expected_step` must not step without its guard.
    model_config = ConfigDict(extra="forbid")

    greeks: GreekSet = Field("none", description=ABOUT_GREEKS)


class AdvanceQuery(GreeksQuery):
    expected_step: int | None = Field(
        None, ge=0, description="Serve only if this is the cursor; otherwise 412, and nothing is consumed"
    )
    count: int | None = Field(
        None, ge=1, le=1000, description="Serve so many snapshots in one answer, as one atomic advance"
    )


class PageQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    page: int = Field(1, ge=1, le=1_000_000)
    limit: int = Field(100, ge=1, le=1000)

    def pagination(self, total: int) -> dict[str, int]:
        """Where this page is among all."""
        return {"total": total, "page": self.page, "limit": self.limit, "pages": -(-total // self.limit)}


def new_session(
    occasion: Occasion, caller: Principal, kind: SessionKind, parameters: SimulationParameters
) -> Session:
    """A session that is not stored yet."""
    now = datetime.now(UTC)
    return Session(
        id=occasion.session_id,
        owner=caller.tenant,
        kind=kind,
        parameters=parameters,
        created_at=now,
        updated_at=now,
        version=1,
        recalled=(CREATION,) if occasion.is_keyed else (),
    )


async def reply_to(
    request: Request, kind: SessionKind, session_id: uuid.UUID | str, command: Command, *, status: int = 200
) -> Response:
    """Have a command applied to a session of the request's caller; the answer is the actor's."""
    call, services = Call(str(session_id), context_of(request), kind, command), services_of(request)
    quotas = services.quotas
    if quotas is None or not isinstance(command, Peek | Advance):
        return json_response(await services.gateway.call(call), status)
    await quotas.admit(call.owner)
    answer = await services.gateway.call(call)
    quotas.served(call.owner, answer)
    return json_response(answer, status)


async def created(
    request: Request, kind: SessionKind, resolved: Callable[[], Awaitable[SimulationParameters]]
) -> Response:
    """Create a session of the request's caller.

    Args:
        request: The request.
        kind: What is created.
        resolved: Its parameters; not asked for where a keyed request comes again.
    """

    async def act(occasion: Occasion) -> Response:
        session = new_session(occasion, principal_of(request), kind, await resolved())
        services = services_of(request)
        if services.quotas is not None:
            await services.quotas.reserve(services.store, session.owner, kind, session.id)
        return await reply_to(request, kind, session.id, Create(session), status=201)

    return await once(request, act, status=201)


async def stepped(
    request: Request, kind: SessionKind, session_id: uuid.UUID, query: AdvanceQuery
) -> Response:
    """Serve the next snapshots of a session and advance, once for each key."""

    def act(occasion: Occasion) -> Awaitable[Response]:
        expected_step = occasion.expected_step(query.expected_step)
        command = Advance(occasion.command_id, expected_step, query.count, query.greeks, occasion.is_keyed)
        return reply_to(request, kind, session_id, command)

    return await once(request, act)


async def stored_session(request: Request, kind: SessionKind, session_id: uuid.UUID) -> Session:
    """The caller's session as it was last stored.

    Raises:
        NotFound: Unknown, expired, another caller's or of the other kind.
    """
    identity = str(session_id)
    session = (await _stored(request, [identity])).get(identity)
    if session is None or session.owner != principal_of(request).tenant or session.kind is not kind:
        raise NotFound("session", identity)
    return session


async def page_of_sessions(request: Request, kind: SessionKind, query: PageQuery) -> Response:
    """The caller's active sessions of a kind, those written last first."""
    store, owner, limit = services_of(request).store, principal_of(request).tenant, query.limit
    found = await store.list_active(owner, kind, offset=(query.page - 1) * limit, limit=limit)
    stored = await _stored(request, found.ids)
    bodies = [session_json(stored[session_id]) for session_id in found.ids if session_id in stored]
    pagination = query.pagination(found.total)
    return json_response(
        b'{"data":[' + b",".join(bodies) + b'],"pagination":' + orjson.dumps(pagination) + b"}"
    )


async def _stored(request: Request, session_ids: Sequence[str]) -> Mapping[str, Session]:
    app = services_of(request)
    return await app.calendars.given(lambda: app.store.get(session_ids))
