"""Refuses what Ray Serve itself reads of a request's headers where it is no UTF-8: Serve answers that with a 500 in
plain text.

Every other header is read within, by ourselves.
"""

from __future__ import annotations

from collections.abc import Iterable

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from serve_app.edge.request_id import request_id_of, telling_id

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
        send = telling_id(request_id_of(scope["headers"]), send)
        await JSONResponse(body, 400)(scope, receive, send)


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
