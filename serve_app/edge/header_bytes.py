"""Refuses header values that are no UTF-8, before Ray Serve reads them: it answers those with a 500 in plain text.

Ray Serve puts `middlewares` around each of its own servers: the replicas' where HAProxy is in front, its proxy's
where not. The variable that names it is set with the others of Ray.
"""

from __future__ import annotations

from starlette.middleware import Middleware
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send


class HeaderBytes:
    """Lets requests in whose header values are UTF-8.

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
        await JSONResponse(body, 400)(scope, receive, send)


def unreadable(headers: list[tuple[bytes, bytes]]) -> str | None:
    """The name of the first header whose value is no UTF-8; None where there is none."""
    try:
        # All in one go, for there hardly ever is one.
        b"\n".join([value for _, value in headers]).decode()
    except UnicodeDecodeError:
        for name, value in headers:
            try:
                value.decode()
            except UnicodeDecodeError:
                return name.decode("latin-1")
    return None


def middlewares() -> list[Middleware]:
    """What Ray Serve is to put around its servers."""
    return [Middleware(HeaderBytes)]
