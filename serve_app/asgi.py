"""The ASGI application: the routes behind the edge. Whatever serves ASGI can run it; here Ray Serve does."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from cluster.http_settings import networks_of
from cluster.settings import Settings
from optionchain import __version__
from serve_app.edge.boundary import Edge, Guards
from serve_app.edge.client_address import Networks, Proxies
from serve_app.edge.unusual import Lookout, SignInPauses
from serve_app.handling.dispatch import Dispatch, install_routes
from serve_app.openapi.documentation import DESCRIPTION, completed
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
    dispatch = install_routes(app, ROUTES)

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
