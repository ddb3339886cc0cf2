"""HTTP: tokens that are not accepted any more, for administrators."""

from __future__ import annotations

from typing import Annotated, Any

import orjson
from fastapi import Depends, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from cluster.identity.held_denials import LONGEST_VALUE, DenialService
from optionchain.access.denials import Denial, DeniedKind
from optionchain.wire.instants import instant_from_wire, instant_to_wire
from serve_app.edge.caller import Caller
from serve_app.edge.on_record import acted_on
from serve_app.edge.route_table import Responses, handler
from serve_app.handling.encoded import json_response
from serve_app.openapi.documentation import errors, shown
from serve_app.services import services_of


class DenialRequest(BaseModel):
    """What is to be denied."""

    model_config = ConfigDict(extra="forbid")

    kind: DeniedKind = Field(description="`jti`: one token; `subject`: all tokens of a person or program")
    value: str = Field(description=f"Of that claim, at most {LONGEST_VALUE} characters")
    until: str | None = Field(
        None, description="RFC 3339: when the tokens have expired. Null: until it is removed"
    )


class DenialView(BaseModel):
    """Something that is denied."""

    id: str
    kind: DeniedKind
    value: str
    made_at: str
    made_by: str
    until: str | None


class DenialList(BaseModel):
    """All that is denied, the latest first."""

    data: list[DenialView]


DENIED: Responses = {201: {"model": DenialView, "description": "What is denied from now on"}}


async def current_denials(request: Request) -> DenialService:
    """What denies tokens, as a dependency; async, for FastAPI runs others in a thread."""
    return services_of(request).denials


Denials = Annotated[DenialService, Depends(current_denials)]


@handler("Deny tokens", status=201, responses=DENIED | errors(400, 503))
async def deny_tokens(body: DenialRequest, denials: Denials, caller: Caller, request: Request) -> Response:
    """Within a second they are accepted nowhere."""
    until = None if body.until is None else instant_from_wire("until", body.until)
    denied = await denials.deny(body.kind, body.value, until=until, made_by=caller.tenant)
    acted_on(request, f"{denied.kind} {denied.value}")
    return json_response(orjson.dumps(_denial_view(denied)), 201)


@handler("List what is denied", responses=shown(DenialList) | errors(503))
async def list_denials(denials: Denials) -> Response:
    """The latest comes first."""
    return json_response(orjson.dumps({"data": [_denial_view(each) for each in await denials.listed()]}))


@handler("Accept tokens again", responses=shown(DenialView) | errors(400, 404, 503))
async def allow_tokens(
    denial_id: Annotated[str, Path(alias="id", description="The denial's id", max_length=64)],
    denials: Denials,
    request: Request,
) -> Response:
    """Those that have not expired work again."""
    allowed = await denials.allow(denial_id)
    acted_on(request, f"{allowed.kind} {allowed.value}")
    return json_response(orjson.dumps(_denial_view(allowed)))


def _denial_view(denial: Denial) -> dict[str, Any]:
    """Something denied as it is shown."""
    return {
        "id": denial.id,
        "kind": denial.kind,
        "value": denial.value,
        "made_at": instant_to_wire(denial.made_at),
        "made_by": denial.made_by,
        "until": None if denial.until is None else instant_to_wire(denial.until),
    }
