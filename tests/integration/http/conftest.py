"""One Redis for all tests of the HTTP service in this folder, and a service on keys that no other test sees."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.integration.http.in_process_service import Service, service
from tests.servers import RedisServer

PARAMETERS: dict[str, Any] = {
    "symbol": "SPX",
    "steps": 5,
    "initial_price": 5000.0,
    "days_to_expiration": 30.0,
    "volatility": 0.2,
    "risk_free_rate": 0.04,
    "dividend_yield": 0.015,
    "method": {"GeometricBrownian": {"dt": 1 / 365, "drift": 0.05, "volatility": 0.2}},
    "time_frame": "Day",
    "chain_size": 2,
    "seed": 42,
}


@pytest.fixture
async def running(server: RedisServer, prefix: str) -> AsyncIterator[Service]:
    async with service(server, prefix) as running:
        yield running


@pytest.fixture
async def api(running: Service) -> AsyncIterator[httpx.AsyncClient]:
    async with running.client() as api:
        yield api


@pytest.fixture
def parameters() -> dict[str, Any]:
    """Of a small session."""
    return dict(PARAMETERS)
