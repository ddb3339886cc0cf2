"""A MongoDB replica set: its members know each other by a key file, and whoever else asks them needs a password."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from pymongo import MongoClient
from pymongo.errors import PyMongoError
from pymongo.uri_parser import parse_uri

from cluster.instance import processes
from cluster.instance.ports import free_ports
from proving.chaos.load import BadLoad
from proving.patience import wait_until

SET = "rs"
USER, PASSWORD = "admin", "only-on-loopback"
# The server's own default, and what is quick enough for a test.
ELECTION_MILLISECONDS, QUICK_ELECTION_MILLISECONDS = 10_000, 1_000
SECURED_WITHIN_MILLISECONDS = 30_000
Hello = Mapping[str, Any]


def mongod() -> str:
    """The program.

    Raises:
        BadLoad: There is none, and nothing else has replica sets.
    """
    if found := shutil.which("mongod"):
        return found
    raise BadLoad("a replica set takes MongoDB itself: there is no mongod on the PATH")


def mongod_command(
    program: str,
    folder: Path,
    port: int,
    *,
    replica_set: str | None = SET,
    address: str = "127.0.0.1",
    key: Path | None = None,
) -> list[str]:
    """How a server is started.

    Args:
        program: Of MongoDB.
        folder: Of its data, which is made.
        port: Where it listens.
        replica_set: Of which it is a member, or is going to be.
        address: Where it listens, too.
        key: By which it knows the other members; with it, its clients need a password.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    place = ["--dbpath", str(folder), "--port", str(port), "--bind_ip", address, "--nounixsocket"]
    member = ["--replSet", replica_set] if replica_set else []
    secured = ["--keyFile", str(key)] if key else []
    return [program, *place, *member, *secured, "--wiredTigerCacheSizeGB", "0.25"]


def key_file(folder: Path) -> Path:
    """What the members of a set know each other by: of a folder always the same."""
    file = folder / "key"
    if not file.exists():
        file.touch(mode=0o600)
        file.write_text(secrets.token_hex(32))
    return file


def await_answer(uri: str, command: str, accept: Callable[[Hello], object] = lambda _: True) -> None:
    """Ask until the server answers what we wait for.

    Raises:
        BadLoad: It does not.
    """
    with MongoClient[dict[str, Any]](uri, serverSelectionTimeoutMS=500, directConnection=True) as client:

        def is_answered() -> object:
            with suppress(PyMongoError):
                return accept(client.admin.command(command))
            return False

        wait_until(is_answered, f"MongoDB answers {command}")


def initiate(hosts: Sequence[str], at: str, election_milliseconds: int = QUICK_ELECTION_MILLISECONDS) -> None:
    """Make servers a replica set, of which the first is elected.

    Args:
        hosts: Their addresses.
        at: The first of them, as it is on its own machine: there nobody needs a password as long as there is no user.
        election_milliseconds: For how long a primary is silent before another is elected.

    Raises:
        BadLoad: They do not become one.
    """
    for host in hosts:
        await_answer(f"mongodb://{host}", "ping")
    members = [{"_id": index, "host": host, "priority": int(not index)} for index, host in enumerate(hosts)]
    settings = {
        "electionTimeoutMillis": election_milliseconds,
        "heartbeatIntervalMillis": election_milliseconds // 5,
    }
    with MongoClient[dict[str, Any]](f"mongodb://{at}", directConnection=True) as client:
        client.admin.command("replSetInitiate", {"_id": SET, "members": members, "settings": settings})
    await_answer(f"mongodb://{at}", "hello", lambda hello: hello["isWritablePrimary"])
    for host in hosts:
        await_answer(f"mongodb://{host}", "hello", _is_member)


def secure(hosts: Sequence[str], at: str) -> str:
    """Make the user of a set that was just made, and let each of its members be elected; returns its URI."""
    everybody = {"w": len(hosts), "wtimeout": SECURED_WITHIN_MILLISECONDS}
    with MongoClient[dict[str, Any]](f"mongodb://{at}", directConnection=True) as client:
        client.admin.command("createUser", USER, pwd=PASSWORD, roles=["root"], writeConcern=everybody)
    uri = f"mongodb://{USER}:{PASSWORD}@{','.join(hosts)}/?replicaSet={SET}&authSource=admin"
    with MongoClient[dict[str, Any]](uri) as client:
        config = client.admin.command("replSetGetConfig")["config"]
        equals = [member | {"priority": 1} for member in config["members"]]
        client.admin.command(
            "replSetReconfig", config | {"version": config["version"] + 1, "members": equals}
        )
    return uri


def hosts_of(uri: str) -> list[str]:
    """The addresses of the members."""
    return [f"{host}:{port}" for host, port in parse_uri(uri)["nodelist"]]


def member_uri(uri: str, index: int) -> str:
    """Of one of them alone."""
    return f"mongodb://{USER}:{PASSWORD}@{hosts_of(uri)[index]}/?authSource=admin&directConnection=true"


def primary_index(uri: str) -> int:
    """Which of them is the primary.

    Raises:
        PyMongoError: None is, for as long as a client waits.
    """
    with MongoClient[dict[str, Any]](uri) as client:
        client.admin.command("ping")
        host, port = client.primary or ("", 0)
        return hosts_of(uri).index(f"{host}:{port}")


@contextmanager
def running(command: Sequence[str], log: Path) -> Iterator[psutil.Popen]:
    """A server for as long as the block lasts."""
    process = processes.start("MongoDB", command, log=log, marker=str(log.parent), env={})
    try:
        yield process
    finally:
        _kill(process)


@dataclass
class ReplicaSet:
    """Members that run on this machine.

    Attributes:
        uri: For clients.
        members: Their processes, in the order of its hosts.
    """

    uri: str
    members: list[psutil.Popen]
    _start: Callable[[int], psutil.Popen]

    def kill(self, index: int) -> None:
        """End a member without a word; until it has ended, its folder and port are taken."""
        _kill(self.members[index])

    def start_again(self, index: int) -> None:
        """Start a member that has ended, on its data."""
        self.members[index] = self._start(index)

    def await_member(self, index: int) -> None:
        """Wait until one is a member again.

        Raises:
            BadLoad: It does not become one.
        """
        await_answer(member_uri(self.uri, index), "hello", _is_member)


@contextmanager
def replica_set(
    folder: Path,
    nodes: int,
    program: str,
    *,
    election_milliseconds: int = ELECTION_MILLISECONDS,
    run: Callable[[Sequence[str], Path], AbstractContextManager[psutil.Popen]] = running,
) -> Iterator[ReplicaSet]:
    """A set for as long as the block lasts; one of several members has a key file and a user.

    Args:
        folder: Of their data.
        nodes: How many members.
        program: Of MongoDB.
        election_milliseconds: For how long a primary is silent before another is elected.
        run: How a server is run, by its command and the file of its log.

    Raises:
        BadLoad: They do not become one.
    """
    ports = free_ports(nodes)
    hosts = [f"127.0.0.1:{port}" for port in ports]
    key = key_file(folder) if nodes > 1 else None
    with ExitStack() as stack:

        def start(index: int) -> psutil.Popen:
            port = ports[index]
            command = mongod_command(program, folder / str(port), port, key=key)
            return stack.enter_context(run(command, folder / f"{port}.log"))

        members = [start(index) for index in range(nodes)]
        initiate(hosts, hosts[0], election_milliseconds)
        uri = secure(hosts, hosts[0]) if key else f"mongodb://{hosts[0]}/?replicaSet={SET}"
        yield ReplicaSet(uri, members, start)


def _is_member(hello: Hello) -> bool:
    return bool(hello["isWritablePrimary"] or hello["secondary"])


def _kill(process: psutil.Popen) -> None:
    with suppress(psutil.NoSuchProcess):
        process.kill()
    process.wait()
