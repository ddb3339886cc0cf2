"""The Ray Serve application: the FastAPI app, and the deployment that runs it."""

from __future__ import annotations

import gc
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from ray import serve
from ray.serve import Application
from starlette.types import ASGIApp

from cluster.bootstrap import open_services
from cluster.settings import Settings, load_settings
from optionchain import __version__, numerics
from serve_app.edge.authentication import Authenticator
from serve_app.edge.boundary import Edge
from serve_app.edge.errors import install_error_handlers
from serve_app.edge.rate_limit import RateLimit
from serve_app.openapi.documentation import DESCRIPTION, completed, operation_id
from serve_app.openapi.swagger_ui import install_swagger_ui
from serve_app.routes import chains as chain_routes
from serve_app.routes import configurations as config_routes
from serve_app.routes import exports as export_routes
from serve_app.routes import history as history_routes
from serve_app.routes import operations as operations_routes
from serve_app.routes import simulations as simulation_routes
from serve_app.routes import streams as stream_routes
from serve_app.routes import sweeps as sweep_routes
from serve_app.routes.streaming import Producers
from serve_app.services import Services

OPENAPI_URL = "/api-docs/openapi.json"
PUBLIC_ROUTES = ("/health", "/ready")
# New objects between two looks for garbage, as in Ray Serve's own proxy: at Python's 700, some requests at a time are
# reason enough to look, in vain, which was an eighth of a replica's time.
GARBAGE_THRESHOLD = 10_000


def build_fastapi(services: Services) -> FastAPI:
    """The routes over their services."""
    app = FastAPI(
        title="OptionChain Simulator",
        version=__version__,
        description=DESCRIPTION,
        openapi_url=OPENAPI_URL,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=operation_id,
    )
    app.state.services = services
    app.include_router(chain_routes.router)
    app.include_router(simulation_routes.router)
    app.include_router(export_routes.router)
    app.include_router(stream_routes.router)
    app.include_router(history_routes.router)
    app.include_router(config_routes.router)
    app.include_router(sweep_routes.router)
    app.include_router(operations_routes.router)
    install_swagger_ui(app, OPENAPI_URL)
    install_error_handlers(app)

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = get_openapi(
                title=app.title, version=app.version, description=app.description, routes=app.routes
            )
            app.openapi_schema = completed(document, PUBLIC_ROUTES)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]
    return app


def build_asgi(settings: Settings, services: Services) -> ASGIApp:
    """The routes behind the edge, and behind the rate limit where there is one."""
    authenticator = Authenticator(settings.auth)
    edge = Edge(
        build_fastapi(services), authenticator=authenticator, max_body_bytes=settings.http.max_body_bytes
    )
    if services.allowances is None:
        return edge
    return RateLimit(edge, allowances=services.allowances, authenticator=authenticator)


@serve.ingress()
class Ingress:
    """One replica of the HTTP service.

    Args:
        settings: All settings; the environment of the replica's node is not read.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        numerics.compile_in_background()
        gc.set_threshold(GARBAGE_THRESHOLD)

    def __serve_build_asgi_app__(self) -> ASGIApp:
        return build_asgi(
            self._settings,
            Services(
                **open_services(self._settings),
                producers=Producers(self._settings.http),
                limits=self._settings.limits,
            ),
        )


def deployment(settings: Settings) -> Application:
    """The application to run."""
    http = settings.http
    options = serve.deployment(
        name="http",
        num_replicas=http.replicas,
        max_ongoing_requests=http.max_ongoing_requests,
        max_queued_requests=http.max_queued_requests,
        backpressure_config={"status_code": 503, "retry_after_s": 1},
        # A new replica serves before an old one leaves.
        max_surge_percent=100,
        ray_actor_options={"num_cpus": 0},
        graceful_shutdown_timeout_s=5,
        health_check_period_s=5,
        # One line a request costs a tenth of the replica; Serve's metrics count requests by route and status.
        logging_config={"encoding": "JSON", "enable_access_log": settings.http.access_log},
    )
    return options(Ingress).bind(settings)


def build(arguments: dict[str, str]) -> Application:
    """The application from the environment, for `serve deploy` and KubeRay."""
    return deployment(load_settings(**arguments))
