"""The primary of a group is killed, and another takes its place: `optionchain drill run lost-redis-primary`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from pymongo.errors import PyMongoError
from redis.exceptions import RedisError

from proving.drills.scene import Scene
from proving.groups.replica_set import mongod, primary_index, replica_set
from proving.groups.sentinel_group import sentinel_group
from proving.patience import until

MEMBERS = 3
Member = TypeVar("Member")


async def lost_redis_primary(scene: Scene) -> float:
    """The primary of the sessions' Redis is killed: the sentinels make a replica the primary, and it follows later."""
    folder = scene.settings.data.folder.parent / "redis"
    with sentinel_group(folder) as group:
        here = replace(scene, settings=scene.settings.with_changes({"redis": dict(group.settings())}))
        async with here.started(), here.crowd() as crowd:
            lost = group.primary()
            scene.tell("the primary of a group of three Redis servers is killed")
            began = time.monotonic()
            lost.kill()
            await until(
                lambda: _is_another(group.primary, lost), "the sentinels have made a replica the primary"
            )
            scene.tell(f"a replica is the primary, {time.monotonic() - began:.1f} s after the loss")
            await crowd.served_again()
            seconds = time.monotonic() - began
            scene.tell("the old one is started, and follows")
            lost.start()
            await asyncio.to_thread(group.is_whole)
            await crowd.served_again()
            return seconds


async def lost_mongodb_primary(scene: Scene) -> float:
    """The primary of a replica set is killed while configurations are stored: another is elected; sessions go on."""
    folder = scene.settings.data.folder.parent / "mongo"
    folder.mkdir(mode=0o700)
    with replica_set(folder, MEMBERS, mongod()) as members:
        here = replace(scene, settings=scene.settings.with_changes({"mongo": {"uri": members.uri}}))
        async with here.started(), here.crowd() as crowd, here.editors() as editors:
            lost = await asyncio.to_thread(primary_index, members.uri)
            scene.tell("the primary of a replica set of three is killed")
            began = time.monotonic()
            members.kill(lost)
            await until(
                lambda: _is_another(lambda: primary_index(members.uri), lost), "another is the primary"
            )
            scene.tell(f"another is the primary, {time.monotonic() - began:.1f} s after the loss")
            await editors.served_again()
            seconds = time.monotonic() - began
            scene.tell("the old one is started, and is a secondary")
            members.start_again(lost)
            await asyncio.to_thread(members.await_member, lost)
            await editors.served_again()
            await crowd.served_again()
            return seconds


async def _is_another(primary: Callable[[], Member], lost: Member) -> bool:
    try:
        return await asyncio.to_thread(primary) != lost
    except (RedisError, PyMongoError):
        return False
