"""Servers that several folders of tests share: one small Ray cluster, a Redis, a mongod, and the embedded MongoDB."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
from pydantic import SecretStr
from pymongo import MongoClient

from adapters.settings import MongoSettings
from tests.integration.history import mongo_servers as servers
from tests.servers import RedisServer, redis_server


@pytest.fixture(scope="session")
def ray_address() -> Iterator[str]:
    """On ports of its own, with a custom resource to place by."""
    ray = pytest.importorskip("ray")
    ray.init(
        address="local",
        num_cpus=2,
        resources={"sweep": 1},
        include_dashboard=False,
        log_to_driver=False,
        _system_config={"metrics_report_interval_ms": 500},
    )
    try:
        yield ray.get_runtime_context().gcs_address
    finally:
        ray.shutdown()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A Redis that stays up: who stops one has one of its own."""
    with redis_server(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def prefix() -> str:
    """Of keys that no other test sees."""
    return f"test{uuid.uuid4().hex[:12]}"


@pytest.fixture(scope="session")
def mongod_uri(given_mongodb_uri: str | None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if given_mongodb_uri:
        yield given_mongodb_uri
        return
    with servers.replica_set(tmp_path_factory.mktemp("mongod"), 1) as started:
        yield started.uri


@pytest.fixture
def mongo_there(mongod_uri: str) -> Iterator[MongoSettings]:
    """A database of a real mongod, once; the stores' own tests run on both servers."""
    settings = MongoSettings(
        uri=SecretStr(mongod_uri), database=f"t{uuid.uuid4().hex[:12]}", timeout_seconds=20
    )
    yield settings
    with MongoClient(mongod_uri) as client:
        client.drop_database(settings.database)


@pytest.fixture(scope="session")
def secantus_uri(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with servers.secantus(tmp_path_factory.mktemp("secantus") / "data") as uri:
        yield uri


@pytest.fixture(params=["mongod", "secantus"])
def mongo(request: pytest.FixtureRequest) -> Iterator[MongoSettings]:
    """Settings with a database of its own, gone afterwards."""
    uri = request.getfixturevalue(f"{request.param}_uri")
    settings = MongoSettings(uri=SecretStr(uri), database=f"t{uuid.uuid4().hex[:12]}", timeout_seconds=20)
    yield settings
    with MongoClient(uri) as client:
        client.drop_database(settings.database)
