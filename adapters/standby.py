"""The copy of the stores in a second site: how far it is behind, and how it takes over.

A Redis replica, and members of the MongoDB replica set that have no vote and are hidden, so that nothing here is
elected or read while the first site is there. Which members are of one site, their tag `site` says.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from pymongo import AsyncMongoClient

from adapters.mongo.connection import mongo_errors
from adapters.redis.connection import RedisClient, redis_call
from optionchain.errors import InvalidInput, Unavailable

REDIS, MONGO = "the Redis of the second site", "the MongoDB of the second site"
POLL_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Copy:
    """One store of the second site.

    Attributes:
        is_first: Whether it takes writes itself.
        hears_the_first: Whether the first site's store answers it.
        seconds_behind: Since it last heard of the first, or by which its newest write is older.
        is_passive: Whether it neither votes nor is elected nor read while the first site is there.
    """

    is_first: bool
    hears_the_first: bool
    seconds_behind: float
    is_passive: bool = True


async def redis_copy(client: RedisClient, timeout_seconds: float) -> Copy:
    """How a Redis follows its primary.

    Raises:
        Unavailable: It does not answer.
    """
    async with redis_call(REDIS, timeout_seconds):
        told: Mapping[str, Any] = await client.execute_command("INFO", "replication")
    if told["role"] == "master":
        return Copy(is_first=True, hears_the_first=False, seconds_behind=0.0)
    hears = told["master_link_status"] == "up"
    silent = told["master_last_io_seconds_ago"] if hears else told.get("master_link_down_since_seconds", 0)
    return Copy(is_first=False, hears_the_first=hears, seconds_behind=float(max(silent, 0)))


async def promote_redis(client: RedisClient, timeout_seconds: float) -> None:
    """Let a Redis follow nobody any more.

    Raises:
        Unavailable: It does not answer.
    """
    async with redis_call(REDIS, timeout_seconds):
        await client.execute_command("REPLICAOF", "NO", "ONE")


async def mongo_copy(client: AsyncMongoClient[dict[str, Any]]) -> Copy:
    """How a member of a replica set follows its primary.

    Args:
        client: Of the member itself (`directConnection=true`).

    Raises:
        InvalidInput: It is no member of a replica set.
        Unavailable: It does not answer.
    """
    with mongo_errors(MONGO):
        hello = await client.admin.command("hello")
        if "setName" not in hello:
            raise InvalidInput("mongo", "leads to no member of a replica set")
        if hello["isWritablePrimary"]:
            return Copy(is_first=True, hears_the_first=False, seconds_behind=0.0)
        status = await client.admin.command("replSetGetStatus")
        config = (await client.admin.command("replSetGetConfig"))["config"]
    site = _members_of_site(config, hello["me"])
    members = status["members"]
    own = next(member for member in members if member.get("self"))
    others = [member for member in members if member["name"] not in site and member["health"]]
    newest = max((member["optimeDate"] for member in others), default=own["optimeDate"])
    behind = (newest - own["optimeDate"]).total_seconds()
    here = [member for member in config["members"] if member["host"] in site]
    return Copy(
        is_first=False,
        hears_the_first=bool(others),
        seconds_behind=max(behind, 0.0),
        is_passive=all(member["hidden"] and not member["votes"] for member in here),
    )


async def promote_mongo(client: AsyncMongoClient[dict[str, Any]], timeout_seconds: float) -> None:
    """Make the members of a site a replica set of their own, without those of any other site, and wait for its primary.

    Args:
        client: Of one of the members itself (`directConnection=true`).
        timeout_seconds: Patience with the election.

    Raises:
        Unavailable: It does not answer, or nobody is elected.
    """
    with mongo_errors(MONGO):
        me = (await client.admin.command("hello"))["me"]
        config = (await client.admin.command("replSetGetConfig"))["config"]
        await client.admin.command("replSetReconfig", _alone(config, me), force=True)
    deadline = time.monotonic() + timeout_seconds
    while not await _has_primary(client):
        if time.monotonic() > deadline:
            raise Unavailable(MONGO)
        await asyncio.sleep(POLL_SECONDS)


def _alone(config: Mapping[str, Any], me: str) -> dict[str, Any]:
    """A configuration of nobody but the members of a site, each of whom may be elected."""
    site = _members_of_site(config, me)
    mine = [member for member in config["members"] if member["host"] in site]
    voting = [member | {"votes": 1, "priority": 1, "hidden": False} for member in mine]
    # Modes that ask for a copy in another site could not be met.
    settings = {
        name: value for name, value in config.get("settings", {}).items() if name != "getLastErrorModes"
    }
    return {**config, "version": config["version"] + 1, "members": voting, "settings": settings}


def _members_of_site(config: Mapping[str, Any], me: str) -> set[str]:
    """The hosts of the members that are tagged with the same site as this one; without a tag it is by itself."""
    sites = {member["host"]: member.get("tags", {}).get("site") for member in config["members"]}
    return {host for host, site in sites.items() if host == me or (site is not None and site == sites[me])}


async def _has_primary(client: AsyncMongoClient[dict[str, Any]]) -> bool:
    with suppress(Unavailable), mongo_errors(MONGO):  # it closes connections when its role changes
        return (await client.admin.command("hello")).get("primary") is not None
    return False
