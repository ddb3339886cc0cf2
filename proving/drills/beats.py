"""What a lost site takes with it: clocks that are written to a store all the time, and read in its copy."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass

from pymongo.errors import PyMongoError
from pymongo.write_concern import WriteConcern
from redis.exceptions import RedisError

from actors.background import Background
from optionchain.errors import Unavailable
from proving.drills.two_sites import Site

PAUSE_SECONDS = 0.02
WAITED, UNWAITED = "waited for", "not waited for"
DATABASE, COLLECTION = "drill", "beats"


@dataclass
class Beat:
    """One clock.

    Attributes:
        write: Stores an instant; raises where it is not acknowledged.
        acknowledged: The latest that was.
    """

    write: Callable[[float], Awaitable[None]]
    acknowledged: float = 0.0

    async def run(self) -> None:
        """Beat without end."""
        while True:
            instant = time.monotonic()
            with suppress(RedisError, PyMongoError, Unavailable, OSError):
                await self.write(instant)
                self.acknowledged = instant
            await asyncio.sleep(PAUSE_SECONDS)


@asynccontextmanager
async def beating(site: Site, uri: str) -> AsyncIterator[Mapping[str, Beat]]:
    """Clocks in both stores of a site, by name, whose copies are waited for, and others whose are not.

    Args:
        site: The first.
        uri: For clients of its MongoDB.
    """
    async with AsyncExitStack() as stack:
        redis = await stack.enter_async_context(site.open_redis())
        mongo = await stack.enter_async_context(site.open_mongo())
        beats = mongo[DATABASE][COLLECTION]

        def in_redis(name: str, replicas: int) -> Beat:
            async def write(instant: float) -> None:
                await redis.set(name, instant)
                if replicas and await redis.wait(replicas, 1000) < replicas:
                    raise Unavailable("the replica")

            return Beat(write)

        def in_mongo(name: str, concern: WriteConcern) -> Beat:
            collection = beats.with_options(write_concern=concern)

            async def write(instant: float) -> None:
                await collection.update_one({"_id": name}, {"$set": {"instant": instant}}, upsert=True)

            return Beat(write)

        found = {
            f"Redis, {WAITED}": in_redis(WAITED, 1),
            f"Redis, {UNWAITED}": in_redis(UNWAITED, 0),
            f"MongoDB, {WAITED}": in_mongo(WAITED, WriteConcern("bothSites")),
            f"MongoDB, {UNWAITED}": in_mongo(UNWAITED, WriteConcern(1)),
        }
        running = [Background(beat.run) for beat in found.values()]
        for each in running:
            each.begin()
        try:
            yield found
        finally:
            for each in running:
                await each.end()


async def lost_seconds(beats: Mapping[str, Beat], site: Site) -> dict[str, float]:
    """By how many seconds what a site has is older than what was acknowledged, by name."""
    async with site.open_redis() as redis, site.open_mongo() as mongo:
        found = {f"Redis, {name}": float(await redis.get(name) or 0.0) for name in (WAITED, UNWAITED)}
        async for beat in mongo[DATABASE][COLLECTION].find({}):
            found[f"MongoDB, {beat['_id']}"] = beat["instant"]
    return {name: max(beat.acknowledged - found.get(name, 0.0), 0.0) for name, beat in beats.items()}
