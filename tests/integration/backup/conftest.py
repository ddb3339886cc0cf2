"""Stores with something of everything in them, and empty ones to bring it back into."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from pymongo import MongoClient

from adapters.settings import MongoSettings
from cluster.backup.contents import Stores
from cluster.backup.place import Place
from cluster.settings import Settings
from tests.integration.backup.filled import filled
from tests.integration.backup.opened import opened, settings_on, uri_of
from tests.servers import RedisServer, redis_server


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with redis_server(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(str(tmp_path / "backups"), "to")


@pytest.fixture
def settings(redis: RedisServer, mongo: MongoSettings, tmp_path: Path) -> Settings:
    return settings_on(redis, mongo, tmp_path)


@pytest.fixture
async def stores(settings: Settings) -> AsyncIterator[Stores]:
    """With something of everything."""
    await filled(settings)
    async with opened(settings) as stores:
        yield stores


@pytest.fixture
async def other(redis: RedisServer, mongo: MongoSettings, tmp_path: Path) -> AsyncIterator[Stores]:
    """Empty ones on the same servers."""
    elsewhere = settings_on(redis, mongo, tmp_path, database=f"{mongo.database}b")
    async with opened(elsewhere) as stores:
        yield stores
    with MongoClient[dict[str, object]](uri_of(mongo)) as client:
        client.drop_database(f"{mongo.database}b")
