"""A site is lost with all that is in it, and another goes on: `optionchain drill run site-loss`.

What it takes with it is seen by clocks: they are written to its stores all the time, and read in their copies.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, replace

import psutil
from pymongo.errors import PyMongoError
from pymongo.write_concern import WriteConcern
from redis.exceptions import RedisError

from actors.background import Background
from cluster.instance import processes
from cluster.instance.ports import free_ports
from cluster.settings import Settings
from cluster.standby import copies, promote
from optionchain.errors import Unavailable
from proving.drills.scene import Scene
from proving.drills.two_sites import Site, follow, join
from proving.patience import until

PAUSE_SECONDS = 0.02
WAITED, UNWAITED = "waited for", "not waited for"
DATABASE, COLLECTION = "drill", "beats"


async def lost_site(scene: Scene) -> float:
    """Everything in a site is killed at once; the stores of another take over, nodes start there, and clients go on."""
    folder = scene.settings.data.folder.parent
    first, second = (Site.in_folder(name, folder / name) for name in ("first", "second"))
    try:
        first.start()
        second.start(following=first)
        uri = await join(first, second)
        here = _nodes(scene, first, uri, wait_replicas=1)
        there = _nodes(scene, second, second.uri, wait_replicas=0)
        scene.tell("both sites run: nodes in the first, copies of its stores in the second")
        return await _lost(here, there, first, second, uri)
    finally:
        first.kill()
        second.kill()


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


async def _lost(here: Scene, there: Scene, first: Site, second: Site, uri: str) -> float:
    await asyncio.to_thread(here.start)
    try:
        async with here.crowd() as crowd:
            async with beating(first, uri) as beats:
                await crowd.served_again()
                await _until_all_beat(beats)
                here.tell("the first site is lost: its nodes and its stores, at once")
                began = time.monotonic()
                await asyncio.to_thread(_cut, here, first)
            await until(lambda: _hears_nothing(there.settings), "the second site hears nothing of the first")
            here.tell("optionchain site promote")
            await promote(there.settings)
            here.tell(f"its stores take writes, {time.monotonic() - began:.1f} s after the loss")
            here.losses.update(await lost_seconds(beats, second))
            here.tell("optionchain up, in the second site; its clients turn there")
            crowd.turn_to(there.base_url)
            await asyncio.to_thread(there.start)
            here.tell(f"its nodes are ready, {time.monotonic() - began:.1f} s after the loss")
            await crowd.served_again()
            seconds = time.monotonic() - began
            here.tell("the first comes back, as a copy: until then it stays stopped")
            await follow(first, second)
            return seconds
    finally:
        await asyncio.to_thread(there.stop)
        await asyncio.to_thread(here.stop)


def _nodes(scene: Scene, site: Site, uri: str, *, wait_replicas: int) -> Scene:
    """The nodes of a site, which do not run yet."""
    (port,) = free_ports(1)
    settings = scene.settings.with_changes(
        {
            "data": {"folder": site.folder / "nodes"},
            "http": {"port": port},
            "redis": {"url": site.redis.url, "mode": "standalone", "wait_replicas": wait_replicas},
            "mongo": {"uri": uri},
        }
    )
    return replace(scene, settings=settings)


def _cut(nodes: Scene, site: Site) -> None:
    for process in processes.marked(nodes.state.marker):
        with suppress(psutil.NoSuchProcess):
            process.kill()
    site.kill()


async def _until_all_beat(beats: Mapping[str, Beat]) -> None:
    async def beat() -> bool:
        return all(each.acknowledged for each in beats.values())

    await until(beat, "every clock was written")


async def _hears_nothing(settings: Settings) -> bool:
    with suppress(Unavailable):
        return not any(copy.hears_the_first for copy in (await copies(settings)).values())
    return False
