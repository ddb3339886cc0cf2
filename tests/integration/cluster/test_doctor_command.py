"""`optionchain doctor` on real servers: exit codes for scripts, and a remedy where one is needed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from typer.testing import CliRunner, Result

from cluster.commands.app import app
from cluster.instance.ports import free_ports
from tests.integration.history import mongo_servers
from tests.servers import redis_server


def doctor(folder: Path, **variables: str) -> Result:
    port = str(free_ports(1)[0])
    return CliRunner().invoke(
        app, ["doctor", "--json", "--data", str(folder)], env={"OCS_HTTP_PORT": port, **variables}
    )


def grades(result: Result) -> dict[str, str]:
    return {each["what"]: each["grade"] for each in json.loads(result.stdout)}


def test_good_servers_are_found_good(tmp_path: Path) -> None:
    with (
        redis_server(tmp_path / "redis", fsync="always") as redis,
        mongo_servers.replica_set(tmp_path, 1) as mongo,
    ):
        result = doctor(tmp_path / "data", OCS_REDIS_URL=redis.url, OCS_MONGO_URI=mongo.uri)

    found = grades(result)
    of_servers = {what: grade for what, grade in found.items() if what.startswith(("Redis", "MongoDB"))}
    assert {what for what, grade in of_servers.items() if grade == "bad"} == set()
    assert of_servers["Redis: disk"] == of_servers["MongoDB: replica set"] == "good"
    assert result.exit_code == int("bad" in found.values())


def test_a_collection_without_its_unique_index_is_bad(tmp_path: Path) -> None:
    with mongo_servers.replica_set(tmp_path, 1) as mongo:
        with MongoClient[Any](mongo.uri) as client:
            client["optionchain"]["configurations"].insert_one({"name": "simulator", "version": 1})
        result = doctor(tmp_path / "data", OCS_MONGO_URI=mongo.uri)

    [found] = [each for each in json.loads(result.stdout) if each["what"] == "MongoDB: indexes"]
    assert (found["grade"], found["told"]) == ("bad", "configurations: not unique")
    assert grades(result)["MongoDB: write concern"] == "good"
    assert result.exit_code == 1


def test_a_redis_that_forgets_is_bad(tmp_path: Path) -> None:
    with redis_server(tmp_path / "redis", lines=["maxmemory-policy allkeys-lru", "appendonly no"]) as redis:
        result = doctor(tmp_path / "data", OCS_REDIS_URL=redis.url)

    found = grades(result)
    assert (found["Redis: disk"], found["Redis: when full"]) == ("bad", "bad")
    assert result.exit_code == 1


@pytest.mark.parametrize(
    ("variable", "url", "what"),
    [
        ("OCS_REDIS_URL", "redis://127.0.0.1:{}/0", "Redis"),
        ("OCS_MONGO_URI", "mongodb://127.0.0.1:{}/?serverSelectionTimeoutMS=500", "MongoDB"),
    ],
)
def test_a_server_that_is_not_there_is_named_with_its_variable(
    variable: str, url: str, what: str, tmp_path: Path
) -> None:
    result = doctor(tmp_path, **{variable: url.format(free_ports(1)[0])})

    (found,) = (each for each in json.loads(result.stdout) if each["what"] == what)
    assert found["grade"] == "bad"
    assert variable in found["remedy"]
    assert result.exit_code == 1


def test_without_kubectl_the_doctor_says_so(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["doctor", "--kuberay", "chains", "--json"], env={"PATH": str(tmp_path)})

    (found,) = json.loads(result.stdout)
    assert (found["what"], found["grade"], result.exit_code) == ("kubectl", "bad", 1)
    assert "install kubectl" in found["remedy"]
