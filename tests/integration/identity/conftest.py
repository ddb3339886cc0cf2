"""Opens processes that hold the keys of one database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from typing import Any

import pytest

from adapters.settings import MongoSettings
from tests.integration.identity.replicas import Replica, replica_of
from tests.servers import RedisServer, redis_server


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
