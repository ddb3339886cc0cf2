"""HTTP: API keys, for administrators."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import orjson
from fastapi import Body, Depends, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from cluster.identity.key_service import LONGEST_NOTE, LONGEST_OVERLAP_SECONDS, KeyService, NewKey
from optionchain.access.api_keys import ApiKey
from optionchain.access.roles import GIVEN_ROLES, SCOPES, in_words
from optionchain.wire.instants import instant_from_wire, instant_to_wire
from serve_app.edge.caller import Caller
from serve_app.edge.on_record import acted_on
from serve_app.edge.route_table import Responses, handler
from serve_app.handling.encoded import json_response
from serve_app.handling.session_calls import PageQuery
from serve_app.openapi.documentation import Pagination, errors, shown
from serve_app.services import services_of

_ROLES = Field(description=f"At least one of {', '.join(GIVEN_ROLES)}", examples=[["trader"]])
_SCOPES = f"What it is narrowed to, of {', '.join(SCOPES)}; empty: all that its roles permit"
_EXPIRES = "RFC 3339; from then on it does not work"


class KeyRequest(BaseModel):
    """A key that is asked for."""

    model_config = ConfigDict(extra="forbid")

    owner: str = Field(description="The tenant: letters, digits, - and _, at most 64", examples=["desk"])
    roles: list[str] = _ROLES
    scopes: list[str] = Field([], description=_SCOPES, examples=[["read"]])
    note: str = Field("", description=f"What it is for: one line of at most {LONGEST_NOTE} characters")
    expires_at: str | None = Field(None, description=f"{_EXPIRES}. Null: never")


class RotationRequest(BaseModel):
    """How a key is replaced."""

    model_config = ConfigDict(extra="forbid")

    overlap_seconds: float = Field(
        0.0, ge=0, le=LONGEST_OVERLAP_SECONDS, description="How long the old one works beside the new one"
    )
    expires_at: str | None = Field(None, description=f"{_EXPIRES}. Null: as the old one")


class KeyView(BaseModel):
    """A key, without its secret."""

    id: str
    owner: str
    roles: list[str] = _ROLES
    scopes: list[str] = Field(description=_SCOPES)
    note: str
    created_at: str
    created_by: str
    expires_at: str | None = Field(description=_EXPIRES)
    revoked_at: str | None
    last_used_at: str | None = Field(description="To about a minute")
    replaces: str | None = Field(description="The id of the key whose successor it is")


class NewKeyView(KeyView):
    """A new key, with its secret, which is shown only here."""

    key: str


class KeyPage(BaseModel):
    """Some of the keys, those made last first."""

    data: list[KeyView]
    pagination: Pagination


MADE: Responses = {201: {"model": NewKeyView, "description": "The key; its secret is shown only here"}}
# Whoever stands between must not keep it.
UNKEPT = {"Cache-Control": "no-store"}


async def current_keys(request: Request) -> KeyService:
    """What changes keys, as a dependency; async, for FastAPI runs others in a thread."""
    return services_of(request).keys


Keys = Annotated[KeyService, Depends(current_keys)]
KeyId = Annotated[str, Path(alias="id", description="The key's id", max_length=64)]


@handler("Make a key", status=201, responses=MADE | errors(400, 503))
async def make_key(body: KeyRequest, keys: Keys, caller: Caller, request: Request) -> Response:
    """It works at once, on every replica."""
    expires_at = _instant(body.expires_at)
    made = await keys.create(
        body.owner,
        body.roles,
        scopes=body.scopes,
        note=body.note,
        expires_at=expires_at,
        created_by=caller.tenant,
    )
    return _made(request, made)


@handler("List the keys", responses=shown(KeyPage) | errors(400, 503))
async def list_keys(query: Annotated[PageQuery, Query()], keys: Keys) -> Response:
    """Revoked and expired ones too; those made last come first."""
    total, found = await keys.listed(offset=(query.page - 1) * query.limit, limit=query.limit)
    body = {"data": [_key_view(key) for key in found], "pagination": query.pagination(total)}
    return json_response(orjson.dumps(body))


@handler("A key", responses=shown(KeyView) | errors(400, 404, 503))
async def get_key(key_id: KeyId, keys: Keys) -> Response:
    return json_response(orjson.dumps(_key_view(await keys.get(key_id))))


@handler("Revoke a key", responses=shown(KeyView) | errors(400, 404, 503))
async def revoke_key(key_id: KeyId, keys: Keys) -> Response:
    """Within a second it works nowhere. One that is revoked already stays as it is."""
    return json_response(orjson.dumps(_key_view(await keys.revoke(key_id))))


@handler("Replace a key", status=201, responses=MADE | errors(400, 404, 503))
async def rotate_key(
    key_id: KeyId,
    keys: Keys,
    caller: Caller,
    request: Request,
    body: Annotated[RotationRequest | None, Body(description="Left out: at once")] = None,
) -> Response:
    """A new key of the same owner, roles and scopes; the old one works for `overlap_seconds` more."""
    asked = body or RotationRequest()
    expires_at = _instant(asked.expires_at)
    made = await keys.rotate(
        key_id, overlap_seconds=asked.overlap_seconds, expires_at=expires_at, created_by=caller.tenant
    )
    return _made(request, made)


def _made(request: Request, made: NewKey) -> Response:
    acted_on(request, f"key {made.key.id} of {made.key.owner}: {in_words(made.key.roles, made.key.scopes)}")
    body = {**_key_view(made.key), "key": made.secret}
    return json_response(orjson.dumps(body), 201, UNKEPT)


def _key_view(key: ApiKey) -> dict[str, Any]:
    """A key as it is shown."""
    instants = ("created_at", "expires_at", "revoked_at", "last_used_at")
    times = {name: instant_to_wire(instant) if (instant := getattr(key, name)) else None for name in instants}
    plain = {name: getattr(key, name) for name in ("id", "owner", "note", "created_by", "replaces")}
    return {**plain, "roles": sorted(key.roles), "scopes": sorted(key.scopes), **times}


def _instant(text: str | None) -> datetime | None:
    return None if text is None else instant_from_wire("expires_at", text)
