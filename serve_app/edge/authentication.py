"""Who is calling: a secret, in the three places where clients put one, and whose it is."""

from __future__ import annotations

import base64

from starlette.datastructures import Headers

from optionchain.context import Principal
from optionchain.ports import Authentication
from serve_app.edge.errors import Unauthenticated

# Of a signed token (JWT).
PARTS_OF_A_TOKEN = 3


async def authenticated(authentication: Authentication, headers: Headers) -> Principal:
    """The caller whose secret the headers carry.

    Raises:
        Unauthenticated: There is none, or nobody has it.
        Unavailable: It cannot be found out now.
    """
    secret = presented_secret(headers)
    principal = await authentication.principal(secret)
    if principal is not None:
        return principal
    if secret is None:
        raise Unauthenticated(
            "an API key is required: as X-API-Key, as Bearer token or as the password of HTTP Basic"
        )
    if secret.count(".") == PARTS_OF_A_TOKEN - 1:
        raise Unauthenticated("the token is not accepted: it may have expired, or be meant for others")
    raise Unauthenticated("the API key is not known")


def presented_secret(headers: Headers) -> str | None:
    """The secret in `X-API-Key`, in a Bearer token or in the password of HTTP Basic."""
    if key := headers.get("x-api-key"):
        return key
    scheme, _, value = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return value.strip() or None
    if scheme.lower() == "basic":
        try:
            decoded = base64.b64decode(value.strip(), validate=True).decode()
        except ValueError:
            # No base64, or no UTF-8 in it: whatever it is, it is no secret of ours.
            return None
        return decoded.partition(":")[2] or None
    return None
