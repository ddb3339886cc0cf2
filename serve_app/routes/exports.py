"""The rows of a session or a simulation as one file, streamed; the cursor stays."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import Path, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from cluster.quotas.keeping import spending
from optionchain.access.quotas import Quota
from optionchain.chains import GreekSet
from optionchain.export import Dataset, Export, Format, Layout
from optionchain.session import SessionKind
from serve_app.edge.route_table import Responses, handler
from serve_app.handling.session_calls import stored_session
from serve_app.handling.streaming import BodyResponse, in_chunks
from serve_app.openapi.documentation import errors
from serve_app.services import services_of

FILE: Responses = {
    200: {
        "description": "The file, as it is computed. The same request gives the same bytes.",
        "content": {
            format.media_type.partition(";")[0]: {"schema": {"type": "string", "format": "binary"}}
            for format in Format
            if format is not Format.JSON
        }
        | {"application/json": {"schema": {"type": "array", "items": {"type": "object"}}}},
    }
}


class ExportQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    dataset: Dataset = Field(Dataset.OPTION_CHAINS, description="What the rows are")
    format: Format = Field(
        Format.JSON,
        description="json | csv | arrow | packed. Also parquet: packed is for typed arrays, parquet for frames",
    )
    layout: Layout = Field(
        Layout.STANDARD, description="`ironcondor`: the columns that the backtester of that name reads"
    )
    greeks: GreekSet = Field(
        "none",
        description="Of option_chains, beside delta and gamma: `first` adds 8 columns, `all` 14 more behind them",
    )
    from_step: int = Field(0, ge=0, description="The first step")
    to_step: int | None = Field(
        None, ge=0, description="The last step, included; by default the last there is"
    )


class SessionExportQuery(ExportQuery):
    sessionid: UUID = Field(description="The session's id")


@handler("Export a session", responses=FILE | errors(400, 404), response_class=StreamingResponse)
async def export_session(request: Request, query: Annotated[SessionExportQuery, Query()]) -> Response:
    """Read-only. What is deleted or changed while it is sent is sent as it was."""
    return await _export(request, SessionKind.CHAIN, query.sessionid, query)


@handler("Export a simulation", responses=FILE | errors(400, 404), response_class=StreamingResponse)
async def export_simulation(
    request: Request,
    query: Annotated[ExportQuery, Query()],
    simulation_id: Annotated[UUID, Path(alias="id", description="The simulation's id")],
) -> Response:
    """Read-only. What is deleted while it is sent is sent as it was."""
    return await _export(request, SessionKind.SIMULATION, simulation_id, query)


async def _export(request: Request, kind: SessionKind, session_id: UUID, query: ExportQuery) -> Response:
    services = services_of(request)
    producers = services.producers
    session = await stored_session(request, kind, session_id)
    export = Export(
        parameters=session.parameters,
        dataset=query.dataset,
        format=query.format,
        layout=query.layout,
        greeks=query.greeks,
        from_step=query.from_step,
        to_step=query.to_step,
        max_rows=producers.max_rows,
    )
    async with spending(services.quotas, session.owner, Quota.EXPORT_ROWS, export.most_rows):
        body = await producers.start(session.owner, export.pieces)
    return BodyResponse(
        body,
        in_chunks(body),
        media_type=export.format.media_type,
        headers={"Content-Disposition": f'attachment; filename="{session.id}_{export.file_name}"'},
        stall_seconds=producers.stall_seconds,
    )
