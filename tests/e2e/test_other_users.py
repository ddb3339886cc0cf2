"""What another user of the machine can reach of a local instance: nothing."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from pymongo import MongoClient
from pymongo.errors import OperationFailure
from redis import Redis
from redis.exceptions import AuthenticationError

from cluster.instance.private_files import private_folder
from cluster.instance.problem import InstanceProblem
from cluster.instance.ray_node import HAPROXY_FOLDER, ray_temporary_folder
from tests.clusters import Cluster

NOBODY = 65_534

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as another user")


def refused_to_others(attempt: Callable[[], object]) -> bool:
    """Whether an attempt fails by PermissionError when another user makes it, in a process of its own."""
    child = os.fork()
    if child == 0:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
        try:
            attempt()
        except PermissionError:
            os._exit(0)
        except BaseException:
            os._exit(2)
        os._exit(1)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status) == 0


def connect(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))


@as_root
def test_another_user_reaches_neither_haproxys_sockets_nor_its_configuration(cluster: Cluster) -> None:
    parent = ray_temporary_folder(cluster.folder).parent
    haproxy = parent / HAPROXY_FOLDER
    sockets = [file for file in haproxy.rglob("*") if file.is_socket()]
    assert sockets

    for path in sockets:
        assert refused_to_others(lambda path=path: connect(path))  # type: ignore[misc]
    assert refused_to_others(lambda: haproxy.rename(parent / "elsewhere"))
    assert refused_to_others(lambda: (haproxy / "haproxy.cfg").symlink_to("/dev/null"))
    assert refused_to_others(lambda: list(parent.iterdir()))


@as_root
def test_another_user_reads_nothing_of_the_data_folder(cluster: Cluster) -> None:
    assert refused_to_others(lambda: list(cluster.folder.iterdir()))
    for name in ("instance.json", "api_key", "mongo_password", "redis/redis.conf", "logs/redis.log"):
        if (cluster.folder / name).exists():
            assert refused_to_others(lambda name=name: (cluster.folder / name).read_bytes())  # type: ignore[misc]


def test_what_is_written_is_for_its_owner_alone(cluster: Cluster) -> None:
    assert stat.S_IMODE(cluster.folder.stat().st_mode) == 0o700
    opened = [
        entry
        for entry in cluster.folder.rglob("*")
        if (entry.is_file() or entry.is_dir()) and stat.S_IMODE(entry.stat().st_mode) & 0o077
    ]
    assert opened == []


def test_the_private_stores_ask_for_a_password(cluster: Cluster) -> None:
    for server in cluster.state.servers:
        if server.name == "Redis":
            with Redis(port=server.port) as redis, pytest.raises(AuthenticationError):
                redis.ping()
        else:
            with (
                MongoClient(port=server.port, directConnection=True) as mongo,
                pytest.raises(OperationFailure),
            ):
                mongo["optionchain"]["anything"].find_one()


@as_root
def test_a_folder_that_somebody_else_made_first_is_refused(tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir(mode=0o700)
    os.chown(theirs, NOBODY, NOBODY)

    with pytest.raises(InstanceProblem, match="belongs to somebody else"):
        private_folder(theirs)


def test_an_open_folder_or_a_link_is_refused(tmp_path: Path) -> None:
    opened, link = tmp_path / "open", tmp_path / "link"
    opened.mkdir()
    opened.chmod(0o755)
    link.symlink_to(tmp_path)

    with pytest.raises(InstanceProblem, match="chmod 700"):
        private_folder(opened)
    with pytest.raises(InstanceProblem, match="is no folder"):
        private_folder(link)
    assert stat.S_IMODE(private_folder(tmp_path / "new").stat().st_mode) == 0o700
