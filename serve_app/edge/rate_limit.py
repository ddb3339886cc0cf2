"""Too many requests of one caller are refused; every other answer says how many more may come.

Around everything else, so that wrong keys and oversized bodies count as well. Where no limit is set it is not there.
"""

from __future__ import annotations

import ipaddress
import math

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from optionchain.errors import RateLimited, Unauthenticated, Unavailable
from optionchain.ports import Allowance, Allowances
from serve_app.edge.authentication import EVERYBODY, Authenticator
from serve_app.edge.errors import error_response

# A probe that is refused would take a healthy replica out of service.
UNLIMITED_PATHS = ("/health", "/ready")
# What a provider gives one customer of IPv6, at least.
CUSTOMER_PREFIX = 64


class RateLimit:
    """Lets requests in while their caller's allowance lasts.

    Args:
        app: What is inside.
        allowances: Counts requests.
        authenticator: Finds the caller.
    """

    def __init__(self, app: ASGIApp, *, allowances: Allowances, authenticator: Authenticator) -> None:
        self._app = app
        self._allowances = allowances
        self._authenticator = authenticator

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in UNLIMITED_PATHS:
            await self._app(scope, receive, send)
            return
        try:
            allowance = await self._allowances.take(self._caller(scope))
        except Unavailable:
            # Whoever needs Redis is told so inside; what needs none is served without it.
            await self._app(scope, receive, send)
            return
        app = self._app if allowance.is_granted else error_response(RateLimited(allowance.retry_seconds))
        await app(scope, receive, _telling(allowance, send))

    def _caller(self, scope: Scope) -> str:
        """Who is counted: the owner of a key, or the address of who has none."""
        try:
            principal = self._authenticator.authenticate(Headers(scope=scope))
        except Unauthenticated:
            principal = EVERYBODY
        return f"address:{_network(scope)}" if principal is EVERYBODY else f"owner:{principal.tenant}"


def _network(scope: Scope) -> str:
    client = scope.get("client")
    try:
        address = ipaddress.ip_address(client[0] if client else "")
    except ValueError:
        return "unknown"
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address.packed, CUSTOMER_PREFIX), strict=False))


def _telling(allowance: Allowance, send: Send) -> Send:
    """`send`, with what remains in the headers of the answer."""

    async def tell(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers["X-RateLimit-Limit"] = str(allowance.limit)
            headers["X-RateLimit-Remaining"] = str(allowance.remaining)
            headers["X-RateLimit-Reset"] = str(math.ceil(allowance.whole_seconds))
        await send(message)

    return tell
