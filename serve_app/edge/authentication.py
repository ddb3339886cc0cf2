"""Who is calling: API keys, in the three places where clients put them."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from typing import Annotated

from fastapi import Depends, Request

from cluster.api_keys import parse_keys
from cluster.settings import AuthSettings
from optionchain.context import ADMIN, Context, Principal
from optionchain.errors import Forbidden, Unauthenticated

PUBLIC_PATHS = ("/health", "/ready", "/docs", "/swagger-ui", "/api-docs", "/favicon.ico")

EVERYBODY = Principal("public", "public", frozenset({ADMIN}))


class Authenticator:
    """Finds the caller of a request.

    Args:
        settings: The keys; without `enabled`, everybody is welcome.
    """

    def __init__(self, settings: AuthSettings) -> None:
        self._enabled = settings.enabled
        keys = parse_keys(settings.keys.get_secret_value())
        self._principals = [(_digest(key), principal) for key, principal in keys.items()]

    def authenticate(self, headers: Mapping[str, str]) -> Principal:
        """The caller whose key the headers carry.

        Raises:
            Unauthenticated: There is none, or nobody has it.
        """
        if not self._enabled:
            return EVERYBODY
        secret = presented_secret(headers)
        if secret is None:
            raise Unauthenticated(
                "an API key is required: as X-API-Key, as Bearer token or as the password of HTTP Basic"
            )
        presented = _digest(secret)
        found = None
        for digest, principal in self._principals:
            # Every key is compared, so that the time says nothing about which one matched.
            if hmac.compare_digest(digest, presented):
                found = principal
        if found is None:
            raise Unauthenticated("the API key is not known")
        return found


def presented_secret(headers: Mapping[str, str]) -> str | None:
    """The secret in `X-API-Key`, in a Bearer token or in the password of HTTP Basic."""
    if key := headers.get("x-api-key"):
        return key
    scheme, _, value = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return value.strip() or None
    if scheme.lower() == "basic":
        try:
            decoded = base64.b64decode(value.strip(), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            return None
        return decoded.partition(":")[2] or None
    return None


def principal_of(request: Request) -> Principal:
    """The caller, as found by the edge middleware."""
    principal: Principal = request.state.principal
    return principal


def context_of(request: Request) -> Context:
    """What travels with every call that the request leads to."""
    return Context(principal_of(request))


async def current_principal(request: Request) -> Principal:
    """The caller, as a dependency; async, for FastAPI runs others in a thread."""
    return principal_of(request)


async def current_admin(caller: Annotated[Principal, Depends(current_principal)]) -> Principal:
    """The caller, who must be an administrator.

    Raises:
        Forbidden: The key has not the role.
    """
    if not caller.is_admin:
        raise Forbidden("this needs the key of an administrator")
    return caller


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
