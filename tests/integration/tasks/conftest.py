"""A database for the tests of the scheduler: of a real mongod, once; the store's own tests run on both servers."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
from pydantic import SecretStr
from pymongo import MongoClient

from adapters.settings import MongoSettings
from tests.servers import RedisServer, redis_server


@pytest.fixture
def mongo_there(mongod_uri: str) -> Iterator[MongoSettings]:
    settings = MongoSettings(
        uri=SecretStr(mongod_uri), database=f"t{uuid.uuid4().hex[:12]}", timeout_seconds=20
    )
    yield settings
    with MongoClient(mongod_uri) as client:
        client.drop_database(settings.database)


@pytest.fixture(scope="module")
def redis_there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    folder = tmp_path_factory.mktemp("redis")
    with redis_server(folder) as server:
        yield server
