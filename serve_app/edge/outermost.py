"""Stands around Ray Serve's own HTTP servers: refuses what Serve cannot read, and serves frequent requests before it.

Serve puts `middlewares` around each of its servers: the replicas' where HAProxy is in front, its proxy's where not; the
variable that names it is set with the others of Ray. Only a replica has a shortcut, which it takes when it starts.
"""

from __future__ import annotations

from typing import Protocol

from starlette.middleware import Middleware
from starlette.types import ASGIApp, Receive, Scope, Send

from serve_app.edge.header_bytes import HeaderBytes


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


def middlewares() -> list[Middleware]:
    """What Ray Serve is to put around its servers, the outermost last."""
    return [Middleware(Outermost), Middleware(HeaderBytes)]
