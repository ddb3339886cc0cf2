"""The interactive documentation, whole without the internet: its script and style come from this server."""

from __future__ import annotations

from importlib.resources import files

from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles

PATHS = ("/swagger-ui", "/swagger-ui/", "/docs", "/docs/")
ASSETS = "/swagger-ui/assets"


def install_swagger_ui(app: FastAPI, openapi_url: str) -> None:
    """Show the OpenAPI document of `app` as pages on which each call can be tried."""
    app.mount(ASSETS, StaticFiles(directory=str(files("fastapi_offline") / "static")))

    async def swagger_ui() -> HTMLResponse:
        return get_swagger_ui_html(
            openapi_url=openapi_url,
            title=app.title,
            swagger_js_url=f"{ASSETS}/swagger-ui-bundle.js",
            swagger_css_url=f"{ASSETS}/swagger-ui.css",
            swagger_favicon_url=f"{ASSETS}/favicon.png",
            swagger_ui_parameters={"tryItOutEnabled": True, "displayRequestDuration": True},
        )

    for path in PATHS:
        app.add_api_route(path, swagger_ui, include_in_schema=False)
