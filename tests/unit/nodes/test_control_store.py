"""Where a head keeps what it knows: told to Ray by variables and arguments, another place for each cluster."""

from __future__ import annotations

from pathlib import Path

import pytest

from cluster.instance.control_store import control_store
from cluster.instance.ray_node import RayPorts, ray_command, ray_environment
from cluster.settings import Settings

PORTS = RayPorts(*range(9))
TOKEN = "a-token-of-the-cluster"
NAMESPACE = "RAY_external_storage_namespace"


def head(folder: Path, url: str, **ray: object) -> Settings:
    given = {"listen": "10.0.0.1", "token": TOKEN, "redis_url": url} | ray
    return Settings(data={"folder": folder}, ray=given)


@pytest.mark.parametrize(
    ("url", "address", "options"),
    [
        ("redis://10.0.0.9", "10.0.0.9:6379", []),
        ("redis://:p%40ss@redis:6380/", "redis:6380", ["--redis-password=p@ss"]),
        (
            "rediss://me:secret@redis:6380",
            "rediss://redis:6380",
            ["--redis-username=me", "--redis-password=secret"],
        ),
    ],
)
def test_ray_is_told_where_it_is(url: str, address: str, options: list[str], tmp_path: Path) -> None:
    settings = head(tmp_path, url)

    store = control_store(settings)

    assert store is not None
    assert (store.address, store.options) == (address, options)
    assert ray_environment(settings, PORTS, tmp_path)["RAY_REDIS_ADDRESS"] == address
    assert set(options) <= set(ray_command(settings, PORTS, tmp_path))


def test_clusters_of_one_redis_keep_apart_and_a_head_finds_its_own_again(tmp_path: Path) -> None:
    url = "redis://10.0.0.9"

    def namespace(folder: str, token: str) -> str:
        (tmp_path / folder).mkdir(exist_ok=True)
        settings = head(tmp_path / folder, url, token=token)
        return ray_environment(settings, PORTS, tmp_path / folder)[NAMESPACE]

    assert namespace("a", TOKEN) == namespace("b", TOKEN) != namespace("c", "a-token-of-another")
    assert TOKEN not in namespace("a", TOKEN)


def test_a_node_that_joins_and_one_that_is_alone_have_none(tmp_path: Path) -> None:
    worker = head(tmp_path, "redis://10.0.0.9", address="10.0.0.1:6380")
    alone = head(tmp_path, "redis://10.0.0.9", listen=None)

    for settings in (worker, alone):
        assert control_store(settings) is None
        assert "RAY_REDIS_ADDRESS" not in ray_environment(settings, PORTS, tmp_path)


def test_a_head_may_have_no_work_of_its_own(tmp_path: Path) -> None:
    command = ray_command(head(tmp_path, "redis://10.0.0.9", cpus=0), PORTS, tmp_path)

    assert "--num-cpus=0" in command
