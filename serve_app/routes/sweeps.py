"""HTTP: sweeps. Accepted at once, computed by the cluster, and fetched as a table."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any
from uuid import UUID

import orjson
from fastapi import Depends, Path, Query, Response
from fastapi.responses import StreamingResponse

from cluster.quotas.keeping import spending
from cluster.sweeps.following import Following
from cluster.sweeps.of_the_past import with_past
from optionchain.access.quotas import Quota
from optionchain.sweeps.tables import FORMATS, Format
from serve_app.bodies.sweeps import SweepPage, SweepRequest, SweepView
from serve_app.edge.caller import CallerContext
from serve_app.edge.route_table import Responses, handler
from serve_app.handling.session_calls import PageQuery
from serve_app.handling.streaming import event_response
from serve_app.openapi.documentation import errors
from serve_app.services import Services, current_services

SWEEPS = "/api/v1/sweeps"
SHOWN: Responses = {200: {"model": SweepView, "description": "The sweep"}}
DEFINITION: Responses = {200: {"model": SweepRequest, "description": "The body that it was started with"}}
PAGE: Responses = {200: {"model": SweepPage, "description": "One page"}}
ACCEPTED: Responses = {202: {"model": SweepView, "description": "The sweep, which will be computed"}}
TABLE: Responses = {
    200: {
        "description": "One row a scenario: what varies, seed, paths, error, and the statistics of each measure",
        "content": {kind: {} for kind in (each.media_type for each in FORMATS.values())},
    }
}
EVENTS: Responses = {
    200: {
        "description": "Events `progress`, whose data is the sweep; the last one is of a sweep that is over",
        "content": {"text/event-stream": {}},
    }
}


_ALSO_YAML: dict[str, Any] = {
    "requestBody": {
        "content": {
            "application/yaml": {
                "schema": {"type": "string", "description": "The same, as `optionchain sweep` reads it"}
            }
        }
    }
}

Application = Annotated[Services, Depends(current_services)]
SweepId = Annotated[UUID, Path(alias="id", description="The sweep's id")]


@handler("Start a sweep", status=202, responses=ACCEPTED | errors(400, 503), extra=_ALSO_YAML)
async def submit(body: SweepRequest, context: CallerContext, services: Application) -> Response:
    """The same sweep again is not computed again; one that was cancelled goes on. The body may be YAML."""
    document = await with_past(body.model_dump(exclude_unset=True), services.history, context)
    quotas, tenant = services.quotas, context.principal.tenant
    prices = 0 if quotas is None else await services.sweeps.price(context, document)
    async with spending(quotas, tenant, Quota.SWEEP_PRICES, prices):
        shown = await services.sweeps.submit(context, document)
    return _json(shown, 202, {"Location": f"{SWEEPS}/{shown['id']}"})


@handler("List your sweeps", responses=PAGE | errors(400, 503))
async def sweeps(
    query: Annotated[PageQuery, Query()], context: CallerContext, services: Application
) -> Response:
    """Those submitted last come first; of those that are over, the oldest are forgotten in time."""
    offset = (query.page - 1) * query.limit
    total, shown = await services.sweeps.listed(context, offset=offset, limit=query.limit)
    return _json({"data": shown, "pagination": query.pagination(total)})


@handler("State and progress of a sweep", responses=SHOWN | errors(400, 404))
async def status(sweep_id: SweepId, context: CallerContext, services: Application) -> Response:
    return _json(await services.sweeps.status(context, str(sweep_id)))


@handler("The definition of a sweep", responses=DEFINITION | errors(400, 404))
async def definition(sweep_id: SweepId, context: CallerContext, services: Application) -> Response:
    """Started again, it is this sweep; with another seed, another one."""
    return _json(await services.sweeps.definition(context, str(sweep_id)))


@handler("Cancel a sweep", responses=SHOWN | errors(400, 404, 503))
async def cancel(sweep_id: SweepId, context: CallerContext, services: Application) -> Response:
    """What is done is kept and can be fetched. A sweep that is over stays as it is."""
    return _json(await services.sweeps.cancel(context, str(sweep_id)))


@handler("The table of a sweep", responses=TABLE | errors(400, 404, 409))
async def results(
    sweep_id: SweepId,
    context: CallerContext,
    services: Application,
    style: Annotated[Format, Query(alias="format")] = "json",
) -> Response:
    """Of a sweep that is completed or cancelled; 409 before that."""
    table = await services.sweeps.results(context, str(sweep_id), style)
    return Response(table, media_type=FORMATS[style].media_type)


@handler("Progress as Server-Sent Events", responses=EVENTS | errors(400, 404, 503))
async def events(sweep_id: SweepId, context: CallerContext, services: Application) -> StreamingResponse:
    """An event whenever something has changed, until the sweep is over."""
    following = await services.sweeps.follow(context, str(sweep_id))  # a 404 comes before the first event
    return event_response(following, _events(following), services.producers.stall_seconds)


async def _events(following: Following) -> AsyncIterator[bytes]:
    async for shown in following:
        # A comment keeps the line open, and finds out whether anybody is still there.
        yield b":\n\n" if shown is None else b"event: progress\ndata: %b\n\n" % orjson.dumps(shown)


def _json(shown: dict[str, Any], status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(orjson.dumps(shown), status, headers, media_type="application/json")
