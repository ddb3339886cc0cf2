"""Refuses what Ray Serve itself reads of a request's headers where it is no UTF-8: Serve answers that with a 500 in
plain text.

Serve puts `middlewares` around each of its own servers: the replicas' where HAProxy is in front, its proxy's where
not. The variable that names it is set with the others of Ray. Every other header is read within, by ourselves.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from starlette.middleware import Middleware
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

REQUEST_ID = b"x-request-id"
# The request's id and patience, session affinity, multiplexed models, traces.
READ_BY_SERVE = (b"x-request-", b"x-session", b"x_session", b"serve", b"trace")


class HeaderBytes:
    """Lets requests in whose headers Ray Serve can read.

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
        await JSONResponse(body, 400, {"X-Request-Id": _request_id(scope["headers"])})(scope, receive, send)


def unreadable(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    """The name of the first header that Ray Serve reads and that is no UTF-8; None where there is none."""
    for name, value in headers:
        if name.startswith(READ_BY_SERVE) and not _is_utf_8(value):
            return name.decode("latin-1")
    return None


def middlewares() -> list[Middleware]:
    """What Ray Serve is to put around its servers."""
    return [Middleware(HeaderBytes)]


def _request_id(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """The caller's, or one of our own in place of one that cannot be read."""
    given = dict(headers).get(REQUEST_ID, b"")
    return given.decode() if given.isascii() and given else str(uuid.uuid4())


def _is_utf_8(value: bytes) -> bool:
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True
