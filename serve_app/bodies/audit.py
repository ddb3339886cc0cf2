"""The bodies of the audit route."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from pydantic import BaseModel, Field

from optionchain.access.audit import AuditEntry
from optionchain.wire.instants import instant_to_wire
from serve_app.openapi.documentation import Pagination


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


def entry_view(entry: AuditEntry) -> dict[str, Any]:
    """An entry as it is shown."""
    return {**asdict(entry), "at": instant_to_wire(entry.at)}
