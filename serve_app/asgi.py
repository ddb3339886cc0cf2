"""The ASGI application: the routes behind the edge. Whatever serves ASGI can run it; here Ray Serve does.

FastAPI's handlers serve the routes, without its own search and layers: the edge has found the route.
"""

from __future__ import annotations

from contextlib import AsyncExitStack
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from starlette.types import Receive, Scope, Send

from cluster.http_settings import networks_of
from cluster.settings import Settings
from optionchain import __version__
from serve_app.edge.boundary import Edge, Guards
from serve_app.edge.client_address import Networks, Proxies
from serve_app.edge.route_table import Found, Route, RouteTable, Section
from serve_app.edge.unusual import Lookout, SignInPauses
from serve_app.openapi.documentation import DESCRIPTION, completed, operation_id
from serve_app.routes.table import ROUTES
from serve_app.services import Services


def build_routes(services: Services) -> tuple[FastAPI, Dispatch]:
    """The routes over their services: as FastAPI documents them, and as they are served."""
    app = FastAPI(
        title="OptionChain Simulator",
        version=__version__,
        description=DESCRIPTION,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.services = services
    dispatch = _installed(app, ROUTES)

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = get_openapi(
                title=app.title, version=app.version, description=app.description, routes=app.routes
            )
            app.openapi_schema = completed(document, ROUTES)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]
    return app, dispatch


def build_asgi(settings: Settings, services: Services) -> Edge:
    """The routes behind the edge."""
    _, dispatch = build_routes(services)
    guards = Guards(
        routes=ROUTES,
        authentication=services.authentication,
        allowances=services.allowances,
        strangers=services.strangers or services.allowances,
        networks=Networks(
            networks_of(settings.http.allowed_networks), networks_of(settings.http.denied_networks)
        ),
        observer=services.observer,
        max_body_bytes=settings.http.max_body_bytes,
        body_seconds=settings.http.body_seconds,
        max_file_bytes=settings.http.max_file_bytes,
        file_seconds=settings.http.file_seconds,
        proxies=Proxies(
            networks_of(settings.http.trusted_proxies), settings.http.proxy_proof.get_secret_value()
        ),
        record=services.record,
        pauses=SignInPauses(settings.auth, services.observer) if settings.auth.enabled else None,
        lookout=Lookout(settings.audit, services.observer) if settings.auth.enabled else None,
    )
    return Edge(dispatch, guards)


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


def _installed(app: FastAPI, table: RouteTable) -> Dispatch:
    """Make the rows of a table routes of `app`, for the OpenAPI document, and return what serves them."""
    served = {
        route: _api_route(app, section, route) for section in table.sections for route in section.routes
    }
    app.router.routes.extend(served.values())
    return Dispatch(app, served)


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
