"""Repositories of history and configurations, each on a real mongod and on the embedded server."""

from __future__ import annotations

import contextlib
import gc
import warnings
from pathlib import Path

import pytest

from adapters.mongo.config import MongoConfigRepository
from adapters.mongo.connection import open_mongo
from adapters.mongo.history import MongoHistoricalRepository
from tests.integration.history import mongo_servers as servers
from tests.integration.history.world import World
from tests.servers import redis_server


@pytest.fixture(scope="session")
def standalone_uri(tmp_path_factory):
    with servers.standalone(tmp_path_factory.mktemp("standalone")) as uri:
        yield uri


@pytest.fixture
async def history(mongo):
    repository = MongoHistoricalRepository(open_mongo(mongo), mongo.database)
    yield repository
    await repository.close()


@pytest.fixture
async def configurations(mongo):
    repository = MongoConfigRepository(open_mongo(mongo), mongo.database)
    yield repository
    await repository.close()


@pytest.fixture(scope="session")
def redis(tmp_path_factory):
    with redis_server(tmp_path_factory.mktemp("redis")) as server:
        yield server


def pytest_collection_modifyitems(items):
    """PyMongo leaves open what was connecting when it is cancelled: listeners that end, servers that are lost."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"))


@pytest.fixture(scope="module", autouse=True)
def cancelled_connections():
    """Collect them here, so that no other test is told of them."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.fixture
async def world(mongo, redis):
    async with contextlib.aclosing(World(mongo, redis, page_bars=100)) as world:
        yield world
