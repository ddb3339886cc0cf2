"""Stores in servers of their own, which are gone with the block: to prove a backup by, and to measure."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

from cluster.backup.contents import Stores, open_stores
from cluster.instance.embedded_servers import embedded_mongo, embedded_redis, running
from cluster.instance.ports import free_ports
from cluster.settings import Settings

START_SECONDS = 60.0
# Of a server that holds nothing else.
CALL_SECONDS = 60.0


@asynccontextmanager
async def private_settings_of_stores() -> AsyncIterator[Settings]:
    """The settings that lead to servers of their own, in a temporary folder.

    Raises:
        ProcessFailed: One does not start.
    """
    with tempfile.TemporaryDirectory(prefix="optionchain-stores-") as folder, ExitStack() as servers:
        redis_port, mongo_port = free_ports(2)
        redis = embedded_redis(Path(folder, "redis"), redis_port, "only-on-loopback", fsync="everysec")
        mongo = embedded_mongo(Path(folder, "mongo"), mongo_port)
        for server in (redis, mongo):
            running_server = running(server, Path(folder), patience_seconds=START_SECONDS)
            await asyncio.to_thread(servers.enter_context, running_server)
        yield Settings(data={"folder": Path(folder)}).with_changes(
            {
                "redis": {"url": redis.url, "mode": "standalone", "timeout_seconds": CALL_SECONDS},
                "mongo": {"uri": mongo.url, "timeout_seconds": CALL_SECONDS},
            }
        )


@asynccontextmanager
async def private_stores() -> AsyncIterator[Stores]:
    """The stores of such servers, empty; errors as above."""
    async with private_settings_of_stores() as settings:
        output = f"{settings.data.folder}/sweeps"
        async with open_stores(settings, name="servers of its own", output=output) as stores:
            yield stores
