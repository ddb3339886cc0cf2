"""The bodies of the key routes."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from cluster.identity.key_service import LONGEST_NOTE, LONGEST_OVERLAP_SECONDS
from optionchain.access.api_keys import ApiKey
from optionchain.access.roles import GIVEN_ROLES, SCOPES
from optionchain.wire.instants import instant_to_wire
from serve_app.openapi.documentation import Pagination

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


def key_view(key: ApiKey) -> dict[str, Any]:
    """A key as it is shown."""
    instants = ("created_at", "expires_at", "revoked_at", "last_used_at")
    shown = {name: instant_to_wire(instant) if (instant := getattr(key, name)) else None for name in instants}
    plain = {name: getattr(key, name) for name in ("id", "owner", "note", "created_by", "replaces")}
    return {**plain, "roles": sorted(key.roles), "scopes": sorted(key.scopes), **shown}
