"""The snapshots of a simulation as Server-Sent Events; the cursor stays."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterable, AsyncIterator, Iterator
from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import Path, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import Field

from cluster.quotas.keeping import Quotas
from optionchain.chains import GreekSet
from optionchain.errors import InvalidInput
from optionchain.session import Session, SessionKind, ShowSnapshots
from optionchain.simulation import Simulation
from optionchain.wire.sessions import snapshots_json
from optionchain.wire.snapshots import snapshot_body
from serve_app.edge.route_table import Responses, handler
from serve_app.handling.session_calls import GreeksQuery, stored_session
from serve_app.handling.streaming import event_response
from serve_app.openapi.documentation import errors
from serve_app.services import services_of

LAST_EVENT_ID = "Last-Event-ID"
STEP_PATTERN = "[0-9]{1,9}"
HEARTBEAT = b":\n\n"
EVENTS: Responses = {
    200: {
        "description": "Events `snapshot`, whose id is the step and whose data is a snapshot, then one event `end`",
        # Of one event: OpenAPI 3.1 has no word for a sequence of them.
        "content": {"text/event-stream": {"schema": {"type": "object", "required": ["event"]}}},
    },
    204: {"description": "Nothing comes after Last-Event-ID: do not connect again"},
}


class StreamQuery(GreeksQuery):
    from_step: int = Field(0, ge=0, description="The first step, unless the header Last-Event-ID tells")
    interval_seconds: float = Field(
        0.0, ge=0, le=3600, description="Pause between two snapshots; 0 sends them as fast as they are read"
    )


@handler(
    "Stream the snapshots of a simulation",
    responses=EVENTS | errors(400, 404),
    response_class=StreamingResponse,
    extra={
        "parameters": [
            {
                "name": LAST_EVENT_ID,
                "in": "header",
                "required": False,
                "description": "The step seen last; the stream goes on after it. Browsers send it by themselves",
                "schema": {"type": "string", "pattern": f"^({STEP_PATTERN})?$"},
            }
        ]
    },
)
async def stream(
    request: Request,
    query: Annotated[StreamQuery, Query()],
    simulation_id: Annotated[UUID, Path(alias="id", description="The simulation's id")],
) -> Response:
    """Read-only, from the first step or any other to the last one."""
    producers, quotas = services_of(request).producers, services_of(request).quotas
    session = await stored_session(request, SessionKind.SIMULATION, simulation_id)
    first = _first_step(query, request.headers.get(LAST_EVENT_ID), session.total_steps)
    if first == session.total_steps:
        return Response(status_code=204)
    if quotas is not None:
        await quotas.admit(session.owner)
    events = await producers.start(session.owner, partial(_events, session, first, query.greeks))
    shown = paced(events, query.interval_seconds, producers.heartbeat_seconds)
    if quotas is not None:
        shown = within_quota(shown, quotas, session.owner, producers.heartbeat_seconds)
    return event_response(events, shown, producers.stall_seconds)


def _first_step(query: StreamQuery, last_seen: str | None, total_steps: int) -> int:
    """Where to begin: from 0 to the number of steps, which means that there is nothing to send."""
    if last_seen:
        if not re.fullmatch(STEP_PATTERN, last_seen) or int(last_seen) >= total_steps:
            raise InvalidInput(LAST_EVENT_ID, f"must be a step from 0 to {total_steps - 1}")
        return int(last_seen) + 1
    if query.from_step >= total_steps:
        raise InvalidInput("from_step", f"must be from 0 to the last step, {total_steps - 1}")
    return query.from_step


def _events(session: Session, first: int, greeks: GreekSet) -> Iterator[bytes]:
    """The events from a step on; the path is computed at once."""
    simulation = Simulation(session.parameters)
    simulation.compute()
    return _encoded(session, simulation, first, greeks)


def _encoded(session: Session, simulation: Simulation, first: int, greeks: GreekSet) -> Iterator[bytes]:
    for step in range(first, session.total_steps):
        peek = ShowSnapshots(step, 1, greeks, is_served=False)
        snapshot = snapshots_json(session, peek, [snapshot_body(simulation, step, greeks)])
        yield b"event: snapshot\nid: %d\ndata: %b\n\n" % (step, snapshot)
    yield b'event: end\ndata: {"total_steps":%d}\n\n' % session.total_steps


async def paced(
    events: AsyncIterable[bytes], interval_seconds: float, heartbeat_seconds: float
) -> AsyncIterator[bytes]:
    """The events, with pauses between them in which heartbeats keep the connection alive."""
    async for event in events:
        yield event
        pause = interval_seconds
        while pause > 0.0:
            await asyncio.sleep(min(pause, heartbeat_seconds))
            pause -= heartbeat_seconds
            if pause > 0.0:
                yield HEARTBEAT


async def within_quota(
    pieces: AsyncIterable[bytes], quotas: Quotas, owner: str, heartbeat_seconds: float
) -> AsyncIterator[bytes]:
    """The pieces, with pauses and heartbeats while their owner has been served as much as it may be."""
    async for piece in pieces:
        yield piece
        quotas.served(owner, piece)
        while (pause := await quotas.pause(owner)) > 0.0:
            await asyncio.sleep(min(pause, heartbeat_seconds))
            yield HEARTBEAT
