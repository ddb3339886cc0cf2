"""HTTP: sweeps. Accepted at once, computed by the cluster, and fetched as a table.

The body is documented here; `optionchain.sweeps.wire` reads what is sent.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal
from uuid import UUID

import orjson
from fastapi import Depends, Path, Query, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from cluster.quotas.keeping import spending
from cluster.sweeps.following import Following
from cluster.sweeps.of_the_past import with_past
from optionchain.access.quotas import Quota
from optionchain.measures import MEASURES_WITH_TERMS, PLAIN_MEASURES
from optionchain.sweeps.tables import FORMATS, Format
from serve_app.edge.caller import CallerContext
from serve_app.edge.route_table import Responses, handler
from serve_app.handling.session_calls import PageQuery
from serve_app.handling.streaming import event_response
from serve_app.openapi.documentation import Pagination, errors
from serve_app.services import Services, current_services

_NAMES = ", ".join([*PLAIN_MEASURES, *MEASURES_WITH_TERMS])

EXAMPLE: dict[str, Any] = {
    "base": {
        "symbol": "SPX",
        "steps": 64,
        "initial_price": 5000.0,
        "days_to_expiration": 60.0,
        "volatility": 0.2,
        "risk_free_rate": 0.03,
        "method": {"GeometricBrownian": {"dt": 0.00274, "drift": 0.03, "volatility": 0.2}},
        "seed": 7,
    },
    "grid": {"volatility": {"from": 0.1, "to": 0.5, "points": 5}, "method.drift": [0.0, 0.05]},
    "measures": ["terminal_price", {"short_strangle": {"delta": 0.16, "days": 30}}],
    "paths": 1000,
}


class SweepRequest(BaseModel):
    """Scenarios of a simulation, each with many paths. Unknown keys are refused."""

    model_config = ConfigDict(
        extra="allow", json_schema_extra={"examples": [EXAMPLE], "required": ["base", "measures"]}
    )

    base: dict[str, Any] | None = Field(
        None, description="Parameters as of a v1 session, or with `schedules` as of a v2 simulation"
    )
    measures: Any = Field(None, description=f"Names, or objects of a name with its terms: {_NAMES}")
    grid: Any = Field(None, description="Parameter to list of values, or `{from, to, points}`")
    scenarios: Any = Field(None, description="List of objects from parameter to value, instead of a grid")
    design: Any = Field(None, description="`{bounds, points, kind, seed}`: scenarios that fill a box")
    shocks: Any = Field(None, description="List of `{name, spot, volatility, rates}`, each on every scenario")
    paths: Any = Field(None, description="Of each scenario; 1000 by default")
    seed: Any = Field(None, description="Instead of the base's")
    sampling: Any = Field(None, description="`independent`, `antithetic` or `sobol`")
    control: Any = Field(None, description="`terminal_price`: its known mean corrects the others")
    quantiles: Any = Field(None, description="Levels that are reported")
    tail: Any = Field(None, description="Share of the worst paths for value at risk and expected shortfall")
    covariances: Any = Field(None, description="Report the covariance of each pair of measures")


class SweepProgress(BaseModel):
    """How far it is. Paths and contracts are those of this run: an earlier one's are in `share` only."""

    scenarios: int
    failures: int
    share: float = Field(description="0 to 1")
    paths: int
    contracts: int
    paths_per_second: float
    contracts_per_second: float
    seconds: float
    seconds_left: float | None


class SweepView(BaseModel):
    """A sweep."""

    id: str = Field(
        description="Follows from the caller and the definition: the same sweep again is the same"
    )
    state: Literal["queued", "running", "completed", "cancelled", "failed"]
    error: str | None = Field(description="Why it failed")
    scenarios: int
    paths: int = Field(description="Of each scenario")
    submitted_at: str
    ended_at: str | None = Field(description="When it was completed, cancelled or failed")
    progress: SweepProgress | None


class SweepPage(BaseModel):
    """Some of a caller's sweeps."""

    data: list[SweepView]
    pagination: Pagination


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
