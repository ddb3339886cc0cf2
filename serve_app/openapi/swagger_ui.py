"""The interactive documentation, whole without the internet: its script and style come from this server."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

from fastapi import Request, Response
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import JSONResponse
from fastapi.staticfiles import StaticFiles

from optionchain.access.roles import Permission
from serve_app.edge.route_table import Route, handler

OPENAPI_URL = "/api-docs/openapi.json"
ASSETS = "/swagger-ui/assets"

_FILES = StaticFiles(directory=str(files("fastapi_offline") / "static"))


@handler("The OpenAPI document")
async def document(request: Request) -> Response:
    described: dict[str, Any] = request.app.openapi()
    return JSONResponse(described)


@handler("The document as pages on which each call can be tried")
async def pages(request: Request) -> Response:
    return get_swagger_ui_html(
        openapi_url=OPENAPI_URL,
        title=request.app.title,
        swagger_js_url=f"{ASSETS}/swagger-ui-bundle.js",
        swagger_css_url=f"{ASSETS}/swagger-ui.css",
        swagger_favicon_url=f"{ASSETS}/favicon.png",
        swagger_ui_parameters={"tryItOutEnabled": True, "displayRequestDuration": True},
    )


@handler("The script and the style of the pages")
async def asset(request: Request) -> Response:
    return await _FILES.get_response(request.path_params["file"], request.scope)


@handler("The icon that browsers ask for")
async def icon(request: Request) -> Response:
    return await _FILES.get_response("favicon.png", request.scope)


ROUTES = tuple(
    Route("GET", path, page, Permission.PUBLIC)
    for path, page in (
        (OPENAPI_URL, document),
        ("/swagger-ui", pages),
        ("/swagger-ui/", pages),
        ("/docs", pages),
        ("/docs/", pages),
        (f"{ASSETS}/{{file}}", asset),
        ("/favicon.ico", icon),
    )
)
