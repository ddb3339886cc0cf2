"""Stands around Ray Serve's own HTTP servers: refuses what Serve cannot read, and serves frequent requests before it.

Serve puts `middlewares` around each of its servers: the replicas' where HAProxy is in front, its proxy's where not; the
variable that names it is set with the others of Ray. Only a replica has a shortcut, which it takes when it starts.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from starlette.middleware import Middleware
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from serve_app.edge.request_id import request_id_of, telling_id

# The request's id and patience, session affinity, multiplexed models, traces.
READ_BY_SERVE = (b"x-request-", b"x-session", b"x_session", b"serve", b"trace")


class Shortcut(Protocol):
    """Serves some requests."""

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> bool:
        """Serve a request; False where it is for Ray Serve."""
        ...


class UnderWay:
    """How many requests this process has under way, those by a shortcut included, of which Ray Serve knows nothing."""

    def __init__(self) -> None:
        self.number = 0


under_way = UnderWay()
_of_this_process: list[Shortcut] = []


def take(shortcut: Shortcut) -> None:
    """Serve requests to this process by a shortcut, from now on."""
    _of_this_process[:] = [shortcut]


def forget() -> None:
    """Leave all requests to Ray Serve."""
    _of_this_process.clear()


class Outermost:
    """Asks the shortcut of this process first, where there is one.

    Args:
        app: Ray Serve.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        under_way.number += 1
        try:
            for shortcut in _of_this_process:
                if await shortcut.serve(scope, receive, send):
                    return
            await self._app(scope, receive, send)
        finally:
            under_way.number -= 1


class HeaderBytes:
    """Refuses what Ray Serve itself reads of a request's headers where it is no UTF-8: Serve answers that with a 500 in
    plain text. Every other header is read within, by ourselves.

    Args:
        app: What is inside.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        name = unreadable(scope.get("headers", ()))
        if name is None or scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = {"error": f"Validation Error: {name}: must be UTF-8", "field": name}
        send = telling_id(request_id_of(scope["headers"]), send)
        await JSONResponse(body, 400)(scope, receive, send)


def middlewares() -> list[Middleware]:
    """What Ray Serve is to put around its servers, the outermost last."""
    return [Middleware(Outermost), Middleware(HeaderBytes)]


def unreadable(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    """The name of the first header that Ray Serve reads and that is no UTF-8; None where there is none."""
    for name, value in headers:
        if name.startswith(READ_BY_SERVE) and not _is_utf_8(value):
            return name.decode("latin-1")
    return None


def _is_utf_8(value: bytes) -> bool:
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True
