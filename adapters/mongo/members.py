"""The members of a replica set that have a copy of its data: which are there, and how far each is behind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pymongo import AsyncMongoClient, ReadPreference
from pymongo.errors import OperationFailure

HAS_DATA = ("PRIMARY", "SECONDARY")


@dataclass(frozen=True, slots=True)
class Member:
    """One of them.

    Attributes:
        host: Its address.
        is_hidden: Whether no client is told of it, as of a copy in a second site.
        votes: Whether it takes part in elections, and counts for a majority.
        is_there: Whether it answers the others, and has all data up to some moment.
        seconds_behind: How long the oldest write has waited that it does not have, as of its last heartbeat; of one
            that is not there since when nothing was heard of it, as far as whoever tells remembers.
    """

    host: str
    is_hidden: bool
    votes: bool
    is_there: bool
    seconds_behind: float


async def members_of(client: AsyncMongoClient[dict[str, Any]]) -> list[Member]:
    """The members as the primary sees them.

    Raises:
        PyMongoError: The server is by itself or does not answer, or our user may not ask (who has the role
            `clusterMonitor` may).
    """
    status = await client.admin.command("replSetGetStatus", codec_options=client.codec_options)
    config = (await client.admin.command("replSetGetConfig"))["config"]
    now, told = status["date"], {member["name"]: member for member in status["members"]}
    newest = max(member["optimeDate"] for member in told.values())
    (own,) = (member for member in told.values() if member.get("self"))
    began = now - timedelta(seconds=own["uptime"])
    found = []
    for configured in config["members"]:
        member = told.get(configured["host"])
        if member is None or configured.get("arbiterOnly", False):
            continue
        is_there = bool(member["health"]) and member["stateStr"] in HAS_DATA
        heard = member.get("lastHeartbeatRecv", began)
        since = await _oldest_lacking(client, member, newest, now) if is_there else heard
        found.append(
            Member(
                host=configured["host"],
                is_hidden=bool(configured.get("hidden", False)),
                votes=bool(configured.get("votes", 1)),
                is_there=is_there,
                seconds_behind=max((now - max(since, began)).total_seconds(), 0.0),
            )
        )
    return found


async def _oldest_lacking(
    client: AsyncMongoClient[dict[str, Any]], member: Mapping[str, Any], newest: datetime, now: datetime
) -> datetime:
    """When the oldest write was made that a member does not have; now, where it has all of them.

    Not how much older its newest write is, which is the pause between two writes while hardly anybody writes: that is
    taken for it where our user may not read the log.
    """
    oplog = client["local"].get_collection("oplog.rs", read_preference=ReadPreference.PRIMARY)
    try:
        lacking = await oplog.find_one({"ts": {"$gt": member["optime"]["ts"]}}, {"wall": 1})
    except OperationFailure:
        newest_of_it: datetime = member["optimeDate"]
        return now - (newest - newest_of_it)
    oldest: datetime = lacking["wall"] if lacking else now
    return oldest
