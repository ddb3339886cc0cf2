"""What happens to every request before a route sees it: its caller is found, its body is bounded.

The request's identity (`X-Request-Id`) is Ray Serve's: it takes the client's or makes one, and logs it.
One plain ASGI middleware: Starlette's `BaseHTTPMiddleware` costs a task and two streams per request.
"""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from optionchain.errors import OptionChainError, TooLarge
from serve_app.edge.authentication import PUBLIC_PATHS, Authenticator
from serve_app.edge.errors import error_response


class Edge:
    """Gives each request a caller and a bound.

    Args:
        app: What is inside.
        authenticator: Finds the caller.
        max_body_bytes: A longer body is refused as soon as it is known to be longer.
    """

    def __init__(self, app: ASGIApp, *, authenticator: Authenticator, max_body_bytes: int) -> None:
        self._app = app
        self._authenticator = authenticator
        self._max_body_bytes = max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        try:
            self._check_length(headers)
            if not is_public(scope["path"]):
                scope.setdefault("state", {})["principal"] = self._authenticator.authenticate(headers)
            await self._app(scope, self._bounded(receive), send)
        except OptionChainError as error:
            await error_response(error)(scope, receive, send)

    def _check_length(self, headers: Headers) -> None:
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > self._max_body_bytes:
            raise TooLarge(self._max_body_bytes)

    def _bounded(self, receive: Receive) -> Receive:
        received = 0

        async def bounded() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._max_body_bytes:
                raise TooLarge(self._max_body_bytes)
            return message

        return bounded


def is_public(path: str) -> bool:
    """Whether a path is served to callers without a key."""
    return any(path == public or path.startswith(public + "/") for public in PUBLIC_PATHS)
