"""Two replicas over a MongoDB that announces no changes: what is configured reaches both all the same."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from optionchain.patience import SILENT_SOURCE_SECONDS
from tests.clusters import Cluster, create
from tests.integration.history import mongo_servers as servers
from tests.waiting import eventually, take

DATABASE = "optionchain"
CONFIGURATION = "/api/v1/config/simulator"
# Enough that HAProxy sends some of them to each of two replicas.
SESSIONS = 12


@pytest.fixture(scope="module")
def mongo_uri(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with servers.standalone(tmp_path_factory.mktemp("standalone")) as uri:
        yield uri


@pytest.fixture(scope="module")
def two(mongo_uri: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    cluster = Cluster(
        Path(tmp_path_factory.mktemp("two")),
        http={"replicas": 2},
        mongo={"uri": mongo_uri, "database": DATABASE},
    )
    with cluster.running():
        yield cluster


def written_by_another_program(uri: str, version: int, values: dict[str, Any]) -> None:
    facts = {"name": "simulator", "version": version, "saved_by": "another", "saved_at": datetime.now(UTC)}
    with MongoClient[dict[str, Any]](uri) as client:
        client[DATABASE]["configurations"].insert_one(facts | {"values": values})


def test_a_change_reaches_every_replica_within_a_second_though_the_server_announces_none(
    two: Cluster, mongo_uri: str
) -> None:
    with MongoClient[dict[str, Any]](mongo_uri) as client, pytest.raises(OperationFailure):
        client[DATABASE]["configurations"].watch()
    with two.client() as api:
        # Each request on a connection of its own: HAProxy spreads connections.
        api.headers["Connection"] = "close"

        def reaches_all_in_a_second(size: int) -> None:
            def all_have_it() -> bool:
                made = [create(api, chain_size=None) for _ in range(SESSIONS)]
                return {session["parameters"]["chain_size"] for session in made} == {size}

            eventually(all_have_it, "every replica has the change", patience_seconds=1.0)

        for version, size in ((0, 7), (1, 9)):
            values = {"defaults": {"chain_size": size}}
            saved = api.put(CONFIGURATION, json=values, headers={"If-Match": str(version)})
            assert saved.status_code == 200, saved.text
            reaches_all_in_a_second(size)

        written_by_another_program(mongo_uri, 3, {"defaults": {"chain_size": 11}})
        reaches_all_in_a_second(11)


def test_that_the_server_announces_nothing_is_told_once(two: Cluster) -> None:
    def told() -> list[str]:
        logs = "".join(file.read_text() for file in two.instance.ray_logs.glob("worker-*.err"))
        return [line for line in logs.splitlines() if "configuration.listen" in line]

    eventually(told, "it is told")
    # So that it is asked for changes a few times more.
    take(3 * SILENT_SOURCE_SECONDS)
    assert len(told()) == 1
