"""Is the process up, and is what it needs up?"""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import JSONResponse

from optionchain.errors import Unavailable
from optionchain.ports import Dependency
from serve_app.services import Services, current_services

router = APIRouter(tags=["operations"])
PATIENCE_SECONDS = 3.0


@router.get("/health", summary="Is the process up?")
async def health() -> dict[str, str]:
    return {"status": "up"}


@router.get(
    "/ready", summary="Is everything it needs up?", responses={503: {"description": "Something is down"}}
)
async def ready(app: Annotated[Services, Depends(current_services)]) -> JSONResponse:
    names = list(app.dependencies)
    states = await asyncio.gather(*(_state(app.dependencies[name]) for name in names))
    is_ready = all(state == "up" for state in states)
    body = {
        "status": "ready" if is_ready else "not ready",
        "dependencies": dict(zip(names, states, strict=True)),
    }
    return JSONResponse(body, 200 if is_ready else 503, {} if is_ready else {"Retry-After": "1"})


async def _state(dependency: Dependency) -> str:
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await dependency.ping()
    except (Unavailable, TimeoutError):
        return "down"
    return "up"
