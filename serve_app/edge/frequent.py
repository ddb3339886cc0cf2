"""Serves the frequent routes of a replica before Ray Serve's own layers.

What Serve does for a request in a replica (two tasks, a context, its counts, its search for a route) costs more than a
step does. So a frequent route is served by the same edge without them. What Serve would have bounded is bounded here,
and the server that both are in waits for what is under way when the replica ends.
"""

from __future__ import annotations

from starlette.types import Receive, Scope, Send

from optionchain.errors import Overloaded
from serve_app.edge.answers import error_response
from serve_app.edge.boundary import Edge
from serve_app.edge.request_id import identified, telling_id
from serve_app.edge.route_table import RouteTable


class FrequentRoutes:
    """The `Shortcut` of a replica.

    Args:
        edge: Serves requests.
        routes: Knows which are frequent.
        max_requests: How many are under way at a time; further ones are refused at once.
    """

    def __init__(self, edge: Edge, routes: RouteTable, *, max_requests: int) -> None:
        self._edge = edge
        self._routes = routes
        self._room = max_requests

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> bool:
        """Serve a request; False where it is not for a frequent route."""
        found = self._routes.find(scope["method"], scope["path"])
        if found is None or not found.route.is_frequent:
            return False
        send = telling_id(identified(scope), send)
        if self._room <= 0:
            await error_response(Overloaded("the service"))(scope, receive, send)
            return True
        self._room -= 1
        try:
            await self._edge.serve(found, scope, receive, send)
        finally:
            self._room += 1
        return True
