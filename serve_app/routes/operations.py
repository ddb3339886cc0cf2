"""Is the process up, is what it needs up, and what has the cluster done?"""

from __future__ import annotations

import asyncio

import orjson
from fastapi import Request, Response
from fastapi.responses import JSONResponse

from cluster.metrics.page import CONTENT_TYPE
from optionchain.errors import Unavailable
from optionchain.ports import Dependency
from serve_app.edge.route_table import Responses, handler
from serve_app.handling.encoded import json_response
from serve_app.openapi.documentation import errors
from serve_app.services import services_of

PATIENCE_SECONDS = 3.0
SYSTEM: Responses = {
    200: {
        "description": "Nodes, and session actors with what they hold",
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "properties": {
                        "nodes": {"type": "array", "items": {"type": "object"}},
                        "actors": {"type": "array", "items": {"type": "object"}},
                        "silent_actors": {"type": "integer", "minimum": 0},
                        "links": {"type": "object", "additionalProperties": {"type": "string"}},
                    },
                    "required": ["nodes", "actors", "silent_actors"],
                }
            }
        },
    }
}
UP: Responses = {
    200: {
        "description": "It is",
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "properties": {"status": {"const": "up"}},
                    "required": ["status"],
                }
            }
        },
    }
}
PAGE: Responses = {200: {"description": "Prometheus text", "content": {"text/plain": {}}}}


@handler("Is the process up?", responses=UP)
async def health(request: Request) -> Response:
    return json_response(b'{"status":"up"}')


@handler("Is everything it needs up?", responses={503: {"description": "Something is down"}})
async def ready(request: Request) -> Response:
    """Sessions need Redis. Without MongoDB they go on, and so does what is cached of history and configurations."""
    app = services_of(request)
    asked = app.dependencies | app.helpers
    reasons = dict(zip(asked, await asyncio.gather(*map(_reason, asked.values())), strict=True))
    is_ready = all(reasons[name] is None for name in app.dependencies)
    body = {
        "status": "ready" if is_ready else "not_ready",
        "dependencies": [
            {"name": name, "status": "up"}
            if reason is None
            else {"name": name, "status": "down", "reason": reason}
            for name, reason in reasons.items()
        ],
        "states": {name: "up" if reason is None else "down" for name, reason in reasons.items()},
    }
    return JSONResponse(body, 200 if is_ready else 503, {} if is_ready else {"Retry-After": "1"})


@handler("Metrics of the whole cluster", responses=PAGE | errors(503))
async def metrics(request: Request) -> Response:
    """The `optionchain_*` series of all nodes, gathered from Ray's agents, which hear from us every few seconds."""
    return Response(await services_of(request).metrics(), media_type=CONTENT_TYPE)


@handler("Nodes and session actors", responses=SYSTEM | errors(503))
async def system(request: Request) -> Response:
    """What the cluster consists of now; `optionchain status` shows it."""
    app = services_of(request)
    return json_response(orjson.dumps({**await app.report(), "links": dict(app.links)}))


async def _reason(dependency: Dependency) -> str | None:
    """Why it is down, as a category that tells nothing of where it is; None where it is up."""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await dependency.ping()
    except Unavailable:
        return "unreachable"
    except TimeoutError:
        return "timed out"
    return None
