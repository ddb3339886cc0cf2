"""A cluster that others start is told what its nodes must have, and asks for CPUs where there are several."""

from __future__ import annotations

import pytest

from cluster.settings import BadSettings, Settings
from cluster.settings_of_node import settings_of_node

SERVERS = {
    "OCS_REDIS_URL": "redis://redis.example/0",
    "OCS_MONGO_URI": "mongodb://mongo.example/",
    "OCS_AUTH_KEYS": "owner:admin=a-key-of-sixteen-letters",
}


@pytest.fixture
def complete(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SERVERS.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize("missing", SERVERS)
@pytest.mark.usefixtures("complete")
def test_what_a_node_lacks_is_named(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(missing)

    with pytest.raises(BadSettings) as refusal:
        settings_of_node()

    (line,) = str(refusal.value).splitlines()
    assert line.startswith(f"{missing}: ")


@pytest.mark.usefixtures("complete")
def test_who_wants_no_keys_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OCS_AUTH_KEYS")
    monkeypatch.setenv("OCS_AUTH_ENABLED", "false")

    assert not settings_of_node().auth.enabled


@pytest.mark.usefixtures("complete")
def test_it_is_no_private_cluster() -> None:
    settings = settings_of_node()

    assert not settings.ray.is_alone
    assert not settings.ray.shares_process


def test_one_machine_is_asked_for_no_cpus() -> None:
    ray = Settings().ray

    assert (ray.cpus_of_replica, ray.cpus_of_actor("shards:4")) == (0.0, 0.0)


def test_several_nodes_have_room_for_what_was_on_one_that_is_lost() -> None:
    ray = Settings(ray={"address": "auto"}).ray

    assert (ray.cpus_of_replica, ray.cpus_of_actor("shards:4")) == (0.5, 0.5)


def test_an_actor_for_each_session_asks_for_no_cpus() -> None:
    assert Settings(ray={"address": "auto"}).ray.cpus_of_actor("per-session") == 0.0


@pytest.mark.parametrize("address", [None, "auto"])
def test_what_is_said_holds_anywhere(address: str | None) -> None:
    ray = Settings(ray={"address": address, "replica_cpus": 2, "actor_cpus": 0}).ray

    assert (ray.cpus_of_replica, ray.cpus_of_actor("shards:1")) == (2.0, 0.0)
