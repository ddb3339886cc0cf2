"""HTTP: sweeps. Accepted at once, computed by the cluster, and fetched as a table."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any
from uuid import UUID

import orjson
from fastapi import APIRouter, Depends, Path, Query, Response
from fastapi.responses import StreamingResponse

from cluster.sweep.gateway import Following
from cluster.sweep.table_formats import Format
from optionchain.context import Context, Principal
from serve_app.bodies.sweep_history import with_prices
from serve_app.bodies.sweeps import SweepPage, SweepRequest, SweepView
from serve_app.edge.authentication import current_principal
from serve_app.openapi.documentation import Responses, errors
from serve_app.routes.kinds import JsonRoute
from serve_app.routes.session_calls import PageQuery
from serve_app.routes.streaming import event_response
from serve_app.services import Services, current_services

router = APIRouter(prefix="/api/v1/sweeps", tags=["sweeps"], route_class=JsonRoute)

MEDIA_TYPES: dict[Format, str] = {
    "json": "application/json",
    "csv": "text/csv; charset=utf-8",
    "arrow": "application/vnd.apache.arrow.stream",
    "parquet": "application/vnd.apache.parquet",
}
SHOWN: Responses = {200: {"model": SweepView, "description": "The sweep"}}
PAGE: Responses = {200: {"model": SweepPage, "description": "One page"}}
ACCEPTED: Responses = {202: {"model": SweepView, "description": "The sweep, which will be computed"}}
TABLE: Responses = {
    200: {
        "description": "One row a scenario: what varies, seed, paths, error, and the statistics of each measure",
        "content": {kind: {} for kind in MEDIA_TYPES.values()},
    }
}
EVENTS: Responses = {
    200: {
        "description": "Events `progress`, whose data is the sweep; the last one is of a sweep that is over",
        "content": {"text/event-stream": {}},
    }
}


Caller = Annotated[Principal, Depends(current_principal)]
Application = Annotated[Services, Depends(current_services)]
SweepId = Annotated[UUID, Path(alias="id", description="The sweep's id")]


@router.post("", status_code=202, summary="Start a sweep", responses=ACCEPTED | errors(400, 503))
async def submit(body: SweepRequest, caller: Caller, services: Application) -> Response:
    """The same sweep again is not computed again; one that was cancelled goes on."""
    document = await with_prices(body.model_dump(exclude_unset=True), services.history, Context(caller))
    shown = await services.sweeps.submit(caller.tenant, document)
    return _json(shown, 202, {"Location": f"{router.prefix}/{shown['id']}"})


@router.get("", summary="List your sweeps", responses=PAGE | errors(400, 503))
async def sweeps(query: Annotated[PageQuery, Query()], caller: Caller, services: Application) -> Response:
    """Those submitted last come first; of those that are over, the oldest are forgotten in time."""
    offset = (query.page - 1) * query.limit
    total, shown = await services.sweeps.listed(caller.tenant, offset=offset, limit=query.limit)
    return _json({"data": shown, "pagination": query.pagination(total)})


@router.get("/{id}", summary="State and progress of a sweep", responses=SHOWN | errors(400, 404))
async def status(sweep_id: SweepId, caller: Caller, services: Application) -> Response:
    return _json(await services.sweeps.status(caller.tenant, str(sweep_id)))


@router.delete("/{id}", summary="Cancel a sweep", responses=SHOWN | errors(400, 404))
async def cancel(sweep_id: SweepId, caller: Caller, services: Application) -> Response:
    """What is done is kept and can be fetched. A sweep that is over stays as it is."""
    return _json(await services.sweeps.cancel(caller.tenant, str(sweep_id)))


@router.get("/{id}/results", summary="The table of a sweep", responses=TABLE | errors(400, 404, 409))
async def results(
    sweep_id: SweepId,
    caller: Caller,
    services: Application,
    style: Annotated[Format, Query(alias="format")] = "json",
) -> Response:
    """Of a sweep that is completed or cancelled; 409 before that."""
    table = await services.sweeps.results(caller.tenant, str(sweep_id), style)
    return Response(table, media_type=MEDIA_TYPES[style])


@router.get(
    "/{id}/events", summary="Progress as Server-Sent Events", responses=EVENTS | errors(400, 404, 503)
)
async def events(sweep_id: SweepId, caller: Caller, services: Application) -> StreamingResponse:
    """An event whenever something has changed, until the sweep is over."""
    following = await services.sweeps.follow(
        caller.tenant, str(sweep_id)
    )  # a 404 comes before the first event
    return event_response(following, _events(following))


async def _events(following: Following) -> AsyncIterator[bytes]:
    async for shown in following:
        # A comment keeps the line open, and finds out whether anybody is still there.
        yield b":\n\n" if shown is None else b"event: progress\ndata: %b\n\n" % orjson.dumps(shown)


def _json(shown: dict[str, Any], status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(orjson.dumps(shown), status, headers, media_type="application/json")
