"""HTTP: the record of who did what, for administrators."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

import orjson
from fastapi import Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from optionchain.access.audit import AuditEntry
from optionchain.ports import AuditQuery, AuditRepository
from optionchain.wire.instants import instant_from_wire, instant_to_wire
from serve_app.edge.route_table import handler
from serve_app.handling.encoded import json_response
from serve_app.handling.session_calls import PageQuery
from serve_app.openapi.documentation import Pagination, errors, shown
from serve_app.services import services_of


class AuditPageQuery(PageQuery):
    """Which entries are asked for."""

    model_config = ConfigDict(extra="forbid")

    since: str | None = Field(None, description="RFC 3339: from then on")
    until: str | None = Field(None, description="RFC 3339: before then")
    tenant: str | None = Field(
        None, max_length=64, description="Of whose keys; empty for callers without one"
    )
    status: int | None = Field(None, ge=100, le=599, description="How they were answered")


class AuditEntryView(BaseModel):
    """What was done, or refused."""

    at: str
    action: str = Field(examples=["DELETE /api/v1/keys/{id}"])
    target: str = Field(description="The path, and what the route says of it")
    tenant: str = Field(description="Whose key it was; empty for nobody's")
    subject: str = Field(description="The id of the key, or the name of a person")
    address: str
    status: int
    request_id: str
    times: int = Field(description="Of refusals: how many of the kind since the last entry")


class AuditPage(BaseModel):
    """Some of the record, the latest first."""

    data: list[AuditEntryView]
    pagination: Pagination


async def current_audit(request: Request) -> AuditRepository:
    """The record, as a dependency; async, for FastAPI runs others in a thread."""
    return services_of(request).audit


Audit = Annotated[AuditRepository, Depends(current_audit)]


@handler("Who did what", responses=shown(AuditPage) | errors(400, 503))
async def audit_entries(query: Annotated[AuditPageQuery, Query()], audit: Audit) -> Response:
    """Acts of administrators, failed sign-ins, and what was not permitted; written a moment after the answer."""
    asked = AuditQuery(
        since=_instant("since", query.since),
        until=_instant("until", query.until),
        tenant=query.tenant,
        status=query.status,
    )
    total, found = await audit.listed(asked, offset=(query.page - 1) * query.limit, limit=query.limit)
    body = {"data": [_entry_view(entry) for entry in found], "pagination": query.pagination(total)}
    return json_response(orjson.dumps(body))


def _entry_view(entry: AuditEntry) -> dict[str, Any]:
    """An entry as it is shown."""
    return {**asdict(entry), "at": instant_to_wire(entry.at)}


def _instant(field: str, text: str | None) -> datetime | None:
    return None if text is None else instant_from_wire(field, text)
