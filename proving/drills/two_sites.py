"""Two sites on one machine: a Redis and a MongoDB in each, those of the second copies of those of the first.

The Redis of the second is a replica; its MongoDB a member of the replica set without a vote, hidden and tagged with its
site. What has to survive the first site is written with `w=bothSites`, a mode of the set that asks for both tags.
"""

from __future__ import annotations

import shutil
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
from pymongo import AsyncMongoClient
from pymongo.errors import PyMongoError
from redis.asyncio import Redis
from redis.exceptions import RedisError

from cluster.instance import processes
from cluster.instance.embedded_servers import MONGODB, embedded_redis
from cluster.instance.ports import free_ports
from cluster.instance.state import PrivateServer
from proving.groups.replica_set import mongod, mongod_command
from proving.patience import until

SET = "optionchain"
PASSWORD = "only-on-loopback"  # noqa: S105
# Nobody votes in the second site, and nothing is read there, while the first one is there.
COPY = {"priority": 0, "votes": 0, "hidden": True}
SECONDARY = 2


@dataclass
class Site:
    """The stores of one site.

    Attributes:
        name: Its tag.
        folder: Of their data.
        redis: The one, as it is started.
        mongo: The other.
        running: Their processes.
    """

    name: str
    folder: Path
    redis: PrivateServer
    mongo: PrivateServer
    running: list[psutil.Popen] = field(default_factory=list)

    @classmethod
    def in_folder(cls, name: str, folder: Path) -> Site:
        """A site whose stores do not run yet.

        Raises:
            BadLoad: There is no mongod.
        """
        redis_port, mongo_port = free_ports(2)
        redis = embedded_redis(folder / "redis", redis_port, PASSWORD, fsync="everysec")
        command = mongod_command(mongod(), folder / "mongo", mongo_port, replica_set=SET)
        uri = f"mongodb://127.0.0.1:{mongo_port}/?directConnection=true"
        return cls(name, folder, redis, PrivateServer(MONGODB, tuple(command), mongo_port, uri))

    @property
    def host(self) -> str:
        """Of its MongoDB, as a replica set calls it."""
        return f"127.0.0.1:{self.mongo.port}"

    @property
    def uri(self) -> str:
        """Of its MongoDB itself."""
        return self.mongo.url

    def start(self, following: Site | None = None) -> None:
        """Start both; Redis as a replica of that of another site, if one is named."""
        with (self.folder / "redis" / "redis.conf").open("a") as config:
            if following is not None:
                config.write(f"replicaof 127.0.0.1 {following.redis.port}\nmasterauth {PASSWORD}\n")
        self.start_mongo()
        self._start(self.redis)

    def start_mongo(self) -> None:
        """Start MongoDB alone."""
        (self.folder / "mongo").mkdir(exist_ok=True)
        self._start(self.mongo)

    def kill(self) -> None:
        """End both without a word."""
        for process in self.running:
            with suppress(psutil.NoSuchProcess):
                process.kill()
            process.wait()
        self.running.clear()

    def open_redis(self) -> Redis:
        """A client of its Redis."""
        return Redis.from_url(self.redis.url, socket_timeout=2.0)

    def open_mongo(self) -> AsyncMongoClient[dict[str, Any]]:
        """A client of its MongoDB itself."""
        return AsyncMongoClient(self.uri, serverSelectionTimeoutMS=2000, timeoutMS=5000)

    def _start(self, server: PrivateServer) -> None:
        log = self.folder / f"{server.name.lower()}.log"
        self.running.append(
            processes.start(server.name, server.command, log=log, marker=str(self.folder), env={})
        )


async def join(first: Site, second: Site) -> str:
    """Make both a replica set in which the second only copies; returns the URI for clients of the first.

    Raises:
        BadLoad: It does not come about.
    """
    for site in (first, second):
        await until(lambda site=site: mongo_is(site, lambda hello: True), f"MongoDB of {site.name} answers")  # type: ignore[misc]
    members = [
        {"_id": 0, "host": first.host, "tags": {"site": first.name}},
        {"_id": 1, "host": second.host, "tags": {"site": second.name}} | COPY,
    ]
    modes = {"getLastErrorModes": {"bothSites": {"site": 2}}}
    async with first.open_mongo() as client:
        await client.admin.command("replSetInitiate", {"_id": SET, "members": members, "settings": modes})
    await until(
        lambda: mongo_is(first, lambda hello: hello["isWritablePrimary"]), "the first site is primary"
    )
    await follows(second)
    return f"mongodb://{first.host}/?replicaSet={SET}&w=bothSites"


async def follow(back: Site, primary: Site) -> None:
    """Let a site that was lost come back as a copy of the one that took over; what it had beyond that is forgotten.

    Raises:
        BadLoad: It does not catch up.
    """
    shutil.rmtree(back.folder / "mongo")
    back.start(following=primary)
    await until(lambda: mongo_is(back, lambda hello: True), f"MongoDB of {back.name} answers")
    async with primary.open_mongo() as client:
        config = (await client.admin.command("replSetGetConfig"))["config"]
        number = 1 + max(member["_id"] for member in config["members"])
        config["members"].append({"_id": number, "host": back.host, "tags": {"site": back.name}} | COPY)
        config["version"] += 1
        await client.admin.command("replSetReconfig", config)
    await follows(back)


async def follows(copy: Site) -> None:
    """Wait until a site is a copy of the other, in both stores.

    Raises:
        BadLoad: It does not become one.
    """
    await until(
        lambda: mongo_is(copy, lambda hello: hello["secondary"]), f"MongoDB of {copy.name} has a copy"
    )
    async with copy.open_redis() as client:

        async def is_linked() -> bool:
            with suppress(RedisError, OSError):
                told = await client.info("replication")
                return bool(told["role"] == "slave" and told["master_link_status"] == "up")
            return False

        await until(is_linked, f"Redis of {copy.name} has a copy")


async def mongo_is(site: Site, accept: Any) -> bool:
    """Whether the MongoDB of a site answers, and what we wait for."""
    async with site.open_mongo() as client:
        with suppress(PyMongoError):
            return bool(accept(await client.admin.command("hello")))
    return False
