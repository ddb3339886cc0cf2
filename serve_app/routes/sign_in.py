"""HTTP: how one signs in, and who one is then."""

from __future__ import annotations

from typing import Annotated

import orjson
from fastapi import Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from cluster.identity.sign_in_codes import LONGEST_CODE
from optionchain.access.roles import GRANTS
from serve_app.edge.authentication import presented_secret
from serve_app.edge.caller import Caller
from serve_app.edge.errors import Unauthenticated
from serve_app.edge.route_table import Responses, handler
from serve_app.handling.encoded import json_response
from serve_app.openapi.documentation import errors, shown
from serve_app.services import Services, current_services

# Whoever stands between must not keep it.
UNKEPT = {"Cache-Control": "no-store"}
Application = Annotated[Services, Depends(current_services)]


class SignInView(BaseModel):
    """How one signs in here."""

    needs_key: bool = Field(description="Whether requests need a key or a token at all")
    issuer: str | None = Field(description="Of the tokens that are accepted (OpenID Connect); null for none")
    client_id: str | None = Field(description="Of the page, at that issuer; null where it has none")


class CodeRequest(BaseModel):
    """A code to be redeemed."""

    model_config = ConfigDict(extra="forbid")

    code: str = Field(max_length=LONGEST_CODE)


class KeyOfCode(BaseModel):
    """What the code was made for."""

    key: str = Field(description="To be sent as a Bearer token")


class CodeView(BaseModel):
    """A code that works once."""

    code: str
    expires_in: float = Field(description="Seconds")


class CallerView(BaseModel):
    """Who calls."""

    tenant: str = Field(description="To whom everything belongs that is made with this key")
    subject: str
    roles: list[str]
    permissions: list[str]


CODE: Responses = {201: {"model": CodeView, "description": "The code"}}


@handler("How one signs in", responses=shown(SignInView) | errors())
async def ways(services: Application) -> Response:
    sign_in = services.sign_in
    body = {
        "needs_key": sign_in.needs_key,
        "issuer": sign_in.issuer or None,
        "client_id": sign_in.client_id or None,
    }
    return json_response(orjson.dumps(body))


@handler("Sign in by a code", responses=shown(KeyOfCode) | errors(400, 401, 503))
async def redeem(body: CodeRequest, services: Application) -> Response:
    """It works once, on any replica, and for some minutes: `optionchain up` prints an address with one."""
    key = await services.sign_in.codes.redeem(body.code)
    if key is None:
        raise Unauthenticated("the code does not work: each works once, for some minutes")
    return json_response(orjson.dumps({"key": key}), headers=UNKEPT)


@handler("Make a code that signs in once", status=201, responses=CODE | errors(503))
async def make_code(request: Request, services: Application) -> Response:
    """For the key of this request. In the fragment of an address (`/#code=...`), the page takes it from there."""
    codes = services.sign_in.codes
    made = await codes.make(presented_secret(request.headers) or "")
    return json_response(orjson.dumps({"code": made, "expires_in": codes.seconds}), 201, UNKEPT)


@handler("Who calls", responses=shown(CallerView) | errors())
async def caller(principal: Caller) -> Response:
    granted = {permission for role in principal.roles for permission in GRANTS[role]}
    body = {
        "tenant": principal.tenant,
        "subject": principal.subject,
        "roles": sorted(principal.roles),
        "permissions": sorted(granted),
    }
    return json_response(orjson.dumps(body), headers=UNKEPT)
