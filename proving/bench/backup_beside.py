"""What callers notice of a backup: steps a second of a running instance, alone and while one is made."""

from __future__ import annotations

import asyncio
import os
import random
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from rich.console import Console

from adapters.redis.connection import open_redis
from adapters.redis.session_store import RedisSessionStore
from cluster.backup.reached import Reached
from cluster.instance.state import InstanceState
from cluster.instance.temporary import temporary_instance
from cluster.settings import Settings
from optionchain.ports import Checkpoint
from proving.bench.session_samples import new_sessions
from proving.chaos.load import Load
from proving.chaos.run import open_api

CLIENTS = 16
PAIRS = 5
SECONDS = 6.0
# So many that a backup of them takes most of that time.
SESSIONS = 50_000
SAVED_TOGETHER = 500


def beside() -> dict[str, float]:
    """Steps a second alone and beside backups, in turns within one run.

    Returns:
        ``steps_alone``, ``steps_beside`` and ``steps_beside_to_alone`` (goal: 0.8), beside so many ``backups_beside``,
        of which the last of each pair is ended before it is whole.

    Raises:
        RuntimeError: A backup failed, so that nothing was measured.
    """
    with temporary_instance(Console(stderr=True)) as (settings, state):
        return asyncio.run(_measured(Reached.by(settings), state))


async def _measured(reached: Reached, state: InstanceState) -> dict[str, float]:
    await fill_sessions(reached.settings, SESSIONS)
    alone, with_backup, made = 0.0, 0.0, 0
    async with open_api(state, CLIENTS) as api:
        load = Load(api, CLIENTS, random.Random(1), pause_seconds=0.0)
        stepping = asyncio.create_task(load.run())
        await load.served_again()
        for _ in range(PAIRS):
            alone += await _steps_a_second(load) / PAIRS
            async with _backups(reached) as begun:
                with_backup += await _steps_a_second(load) / PAIRS
            made += len(begun)
        load.finish()
        await stepping
    return {
        "steps_alone": alone,
        "steps_beside": with_backup,
        "steps_beside_to_alone": with_backup / alone,
        "backups_beside": made,
    }


async def _steps_a_second(load: Load) -> float:
    before, began = load.acknowledged, time.perf_counter()
    await asyncio.sleep(SECONDS)
    return (load.acknowledged - before) / (time.perf_counter() - began)


@asynccontextmanager
async def _backups(reached: Reached) -> AsyncIterator[list[int]]:
    """One after the other for as long as the block lasts, each by the command line, in a process of its own."""
    begun: list[int] = []
    making = asyncio.create_task(_make_backups(reached, begun))
    try:
        yield begun
    finally:
        making.cancel()
        with suppress(asyncio.CancelledError):
            await making


async def _make_backups(reached: Reached, begun: list[int]) -> None:
    settings = reached.settings
    addresses = {"OCS_REDIS_URL": settings.redis.url, "OCS_MONGO_URI": settings.mongo.uri}
    variables = {name: value.get_secret_value() for name, value in addresses.items() if value}
    while True:
        with tempfile.TemporaryDirectory() as folder:
            command = ("-m", "cluster.cli", "backup", "create", "--to", folder)
            process = await asyncio.create_subprocess_exec(
                sys.executable, *command, env=os.environ | variables, stdout=asyncio.subprocess.DEVNULL
            )
            begun.append(process.pid)
            try:
                if await process.wait():
                    raise RuntimeError("the backup failed: nothing is measured beside it")
            except asyncio.CancelledError:
                process.kill()
                await process.wait()
                raise


async def fill_sessions(settings: Settings, count: int) -> None:
    """Store so many sessions, as they are created."""
    store = RedisSessionStore(open_redis(settings.redis), prefix=settings.redis.prefix, timeout_seconds=60.0)
    for number in range(0, count, SAVED_TOGETHER):
        some = new_sessions(min(SAVED_TOGETHER, count - number))
        await store.save([Checkpoint(session, None) for session in some])
    await store.close()
