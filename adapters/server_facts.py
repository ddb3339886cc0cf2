"""What Redis and MongoDB say of how they are set up, for whoever examines an installation."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pymongo import AsyncMongoClient
from pymongo.errors import OperationFailure

from adapters.mongo.connection import mongo_errors
from adapters.mongo.indexes import unindexed
from adapters.mongo.members import Member, members_of
from adapters.redis.connection import RedisClient, redis_call


@dataclass(frozen=True, slots=True)
class RedisFacts:
    """Of a server, or of the worst of a cluster's nodes.

    Attributes:
        seconds: That it took to answer.
        skew_seconds: By which its clock is before ours.
        is_on_disk: Whether it appends every write to a file.
        eviction: What it does when it is full.
        replicas: How many follow it.
    """

    seconds: float
    skew_seconds: float
    is_on_disk: bool
    eviction: str
    replicas: int


@dataclass(frozen=True, slots=True)
class MongoFacts:
    """Of a server.

    Attributes:
        seconds: That it took to answer.
        skew_seconds: By which its clock is before ours.
        replica_set: Its name; None where the server is by itself.
        members: How many the set has.
        is_journaled: Whether a majority has written to its disks what it has acknowledged; None where we may not ask.
        unknown_mode: The `w` of our URI where the set has no such mode, and so refuses every write.
        hidden: Its members that clients do not see, such as the copy in a second site.
        unindexed: Our collections that lack the unique index which their writers rely on.
    """

    seconds: float
    skew_seconds: float
    replica_set: str | None
    members: int
    is_journaled: bool | None = None
    unknown_mode: str | None = None
    hidden: tuple[Member, ...] = ()
    unindexed: tuple[str, ...] = ()


async def redis_facts(client: RedisClient, timeout_seconds: float) -> RedisFacts:
    """Ask Redis.

    Raises:
        Unavailable: It does not answer.
    """
    any_client: Any = client
    async with redis_call("Redis", timeout_seconds):
        await any_client.ping()
        began = time.perf_counter()
        await any_client.ping()
        seconds = time.perf_counter() - began
        told = await any_client.info()
        instant = await any_client.time()
    infos = [told] if "used_memory" in told else list(told.values())
    primaries = [info for info in infos if info.get("role", "master") == "master"]
    instants = list(instant.values()) if isinstance(instant, dict) else [instant]
    return RedisFacts(
        seconds=seconds,
        skew_seconds=max((whole + part / 1e6 - time.time() for whole, part in instants), key=abs),
        is_on_disk=all(info.get("aof_enabled") for info in primaries),
        eviction=next((p for p in _policies(primaries) if p != "noeviction"), "noeviction"),
        replicas=min(info.get("connected_slaves", 0) for info in primaries),
    )


async def mongo_facts(client: AsyncMongoClient[dict[str, Any]], database: str) -> MongoFacts:
    """Ask MongoDB.

    Args:
        client: An open client.
        database: The name of ours.

    Raises:
        Unavailable: It does not answer.
    """
    with mongo_errors("MongoDB"):
        await client.admin.command("ping")
        began = time.perf_counter()
        said = await client.admin.command("hello")
        seconds = time.perf_counter() - began
        config = await _configuration(client)
        members = await _members(client) if config else []
        lacking = await unindexed(client[database])
    instant = said.get("localTime")
    # It has no time zone, and is in that of Greenwich.
    skew = instant.timestamp() - time.timezone - time.time() if instant is not None else 0.0
    return MongoFacts(
        seconds=seconds,
        skew_seconds=skew,
        replica_set=said.get("setName"),
        members=len(said.get("hosts", ())),
        is_journaled=_is_journaled(config) if config else None,
        unknown_mode=_unknown_mode(config, client.write_concern.document.get("w")) if config else None,
        hidden=tuple(member for member in members if member.is_hidden),
        unindexed=lacking,
    )


async def _configuration(client: AsyncMongoClient[dict[str, Any]]) -> Mapping[str, Any] | None:
    """Of the replica set; None where the server is by itself, or our user may not ask."""
    try:
        told = await client.admin.command("replSetGetConfig")
    except OperationFailure:
        return None
    found: Mapping[str, Any] = told["config"]
    return found


async def _members(client: AsyncMongoClient[dict[str, Any]]) -> list[Member]:
    """Of the replica set; none where our user may not ask."""
    try:
        return await members_of(client)
    except OperationFailure:
        return []


def _is_journaled(config: Mapping[str, Any]) -> bool:
    """Whether "majority", which is what all our writers ask for, means the disks of one."""
    return bool(config.get("writeConcernMajorityJournalDefault", True))


def _unknown_mode(config: Mapping[str, Any], mode: object) -> str | None:
    known = {"majority", *config.get("settings", {}).get("getLastErrorModes", {})}
    return mode if isinstance(mode, str) and mode not in known else None


def _policies(infos: list[dict[str, Any]]) -> list[str]:
    return [info.get("maxmemory_policy", "noeviction") for info in infos]
