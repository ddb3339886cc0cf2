"""Serves the route that the edge has found, by FastAPI's handler for it, without FastAPI's own search and layers."""

from __future__ import annotations

from contextlib import AsyncExitStack
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.routing import APIRoute
from starlette.types import Receive, Scope, Send

from serve_app.edge.route_table import Found, Route, RouteTable, Section
from serve_app.openapi.documentation import operation_id


def install_routes(app: FastAPI, table: RouteTable) -> Dispatch:
    """Make the rows of a table routes of `app`, for the OpenAPI document, and return what serves them."""
    served = {
        route: _api_route(app, section, route) for section in table.sections for route in section.routes
    }
    app.router.routes.extend(served.values())
    return Dispatch(app, served)


class Dispatch:
    """The ASGI application within the edge.

    Args:
        app: Whose services the handlers use.
        routes: FastAPI's route for each row of the table.
    """

    def __init__(self, app: FastAPI, routes: dict[Route, APIRoute]) -> None:
        self._app = app
        self._routes = routes
        self._frequent = {row: route.get_route_handler() for row, route in routes.items() if row.is_frequent}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        found: Found = scope["state"]["found"]
        scope["app"], scope["path_params"] = self._app, found.path_parameters
        handle = self._frequent.get(found.route)
        if handle is not None:
            response = await handle(Request(scope, receive, send))
            await response(scope, receive, send)
            return
        async with AsyncExitStack() as stack:
            # Where FastAPI looks for what a request opens; its own layers are not there to make it.
            scope["fastapi_middleware_astack"] = stack
            await self._routes[found.route].app(scope, receive, send)


def _api_route(app: FastAPI, section: Section, route: Route) -> APIRoute:
    answers = route.handler
    return section.kind(
        route.path,
        answers.endpoint,
        methods=[route.method],
        summary=answers.summary,
        responses=answers.responses,
        status_code=None if answers.status == HTTPStatus.OK else answers.status,
        tags=[section.name],
        openapi_extra=dict(answers.extra) or None,
        include_in_schema=bool(section.name),
        dependency_overrides_provider=app,
        response_class=answers.response_class,
        generate_unique_id_function=operation_id,
    )
