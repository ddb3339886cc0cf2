"""A replica that may open no more files refuses what needs one, and serves again as soon as it may."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.integration.http.in_process_service import service
from tests.servers import RedisServer

pytestmark = pytest.mark.anyio


@contextmanager
def no_more_files() -> Iterator[None]:
    """Of this process, for as long as the block lasts."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest_free = os.dup(0)
    os.close(lowest_free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest_free, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def test_what_needs_a_connection_is_refused_and_served_when_there_are_files_again(
    server: RedisServer, prefix: str, parameters: dict[str, Any]
) -> None:
    async with service(server, prefix) as running, running.client() as api:
        # Nobody has asked yet, so there is no connection to Redis.
        with no_more_files():
            refused = await api.post("/api/v1/chain", json=parameters)
            probe = await api.get("/health")
            ready = await api.get("/ready")
        served = await api.post("/api/v1/chain", json=parameters)

    assert (refused.status_code, probe.status_code, ready.status_code) == (503, 200, 503)
    assert refused.headers["Retry-After"] == "1"
    assert served.status_code == 201
