"""Opens processes that hold the keys of one database, and an issuer of tokens that is none of ours."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from adapters.settings import MongoSettings
from cluster.instance.ports import accepts, free_ports
from tests.integration.identity.replicas import Replica, replica_of
from tests.servers import RedisServer, redis_server
from tests.waiting import eventually


@pytest.fixture(scope="session")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with redis_server(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
async def replica(
    mongo: MongoSettings, redis: RedisServer
) -> AsyncIterator[Callable[..., Awaitable[Replica]]]:
    """Opens another process, with other settings where some are given."""
    async with AsyncExitStack() as stack:

        async def opened(**settings: Any) -> Replica:
            return await stack.enter_async_context(replica_of(mongo, redis, **settings))

        yield opened


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    [port] = free_ports(1)
    with Path(tmp_path_factory.mktemp("issuer"), "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "oidc_provider_mock", "--port", str(port)], stdout=log, stderr=log
        )
    try:
        eventually(lambda: accepts(port), "the issuer listens")
        yield f"http://localhost:{port}"
    finally:
        process.kill()
        process.wait(10)
