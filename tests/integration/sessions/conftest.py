"""A real server for the session store, and stores on it whose keys no other test sees."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from adapters.redis.session_store import RedisSessionStore
from tests.integration.sessions.session_examples import StoreFactory
from tests.servers import RedisServer


@pytest.fixture
async def open_store(server: RedisServer, prefix: str) -> AsyncIterator[StoreFactory]:
    """Opens stores on the same keys, each with connections of its own, as two processes have them."""
    stores: list[RedisSessionStore] = []

    def open_one(**options: float) -> RedisSessionStore:
        stores.append(RedisSessionStore(server.open(), prefix=prefix, **options))
        return stores[-1]

    yield open_one
    for store in stores:
        await store.close()
