"""Opens processes that hold the keys of one database, and an issuer of tokens that is none of ours."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from typing import Any

import pytest

from adapters.settings import MongoSettings
from tests.integration.identity.replicas import Replica, replica_of
from tests.issuers import Issuer, issuing
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


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Issuer]:
    with issuing(tmp_path_factory.mktemp("issuer")) as issuer:
        yield issuer
