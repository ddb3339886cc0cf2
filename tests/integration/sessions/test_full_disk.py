"""A disk that fills up under the private Redis: writes are refused in time, and nothing acknowledged is lost."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from adapters.redis.connection import open_redis
from adapters.redis.session_store import RedisSessionStore
from cluster.instance.embedded_servers import REDIS
from cluster.instance.state import PrivateServer
from cluster.instance.supervisor import LOOK_SECONDS, Supervisor
from optionchain.errors import NoRoom, Unavailable
from optionchain.ports import Checkpoint
from tests.integration.sessions.session_examples import new_session
from tests.servers import RedisServer, redis_server
from tests.waiting import passing

pytestmark = pytest.mark.anyio

DISK_MEGABYTES = 24
FILLED_AT_A_TIME = 128 << 10


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small disk of its own."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MEGABYTES}m", "tmpfs", str(place)]
    if subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("tmpfs cannot be mounted here")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


class Filler:
    """Somebody else on the same disk, who takes all of it."""

    def __init__(self, disk: Path) -> None:
        self._file = disk / "of-somebody-else"

    async def fill(self) -> None:
        with suppress(OSError), self._file.open("wb", buffering=0) as file:
            while file.write(b"x" * FILLED_AT_A_TIME) == FILLED_AT_A_TIME:
                await passing(0.01)

    def go(self) -> None:
        self._file.unlink()


def look(supervisor: Supervisor, server: RedisServer) -> None:
    supervisor._look_at_the_disk([PrivateServer(REDIS, (), server.port, server.url)])


async def looking(supervisor: Supervisor, server: RedisServer) -> None:
    """In the rhythm of the supervisor."""
    while True:
        look(supervisor, server)
        await passing(LOOK_SECONDS)


async def stored_until_refused(store: RedisSessionStore) -> tuple[set[str], Unavailable]:
    acknowledged: set[str] = set()
    while True:
        session = new_session()
        try:
            await store.save([Checkpoint(session, None)])
        except Unavailable as refusal:
            return acknowledged, refusal
        acknowledged.add(session.id)


@pytest.mark.parametrize("fsync", ["always", "everysec"])
async def test_a_disk_that_fills_up_loses_nothing_that_was_acknowledged(disk: Path, fsync: str) -> None:
    filler, supervisor = Filler(disk), Supervisor(disk)
    with redis_server(disk / "redis", fsync=fsync) as server:
        store = RedisSessionStore(open_redis(server.settings()))
        watch = asyncio.create_task(looking(supervisor, server))
        filling = asyncio.create_task(filler.fill())
        acknowledged, refusal = await stored_until_refused(store)
        await filling

        assert isinstance(refusal, NoRoom), refusal
        assert "disk" in str(refusal)
        with pytest.raises(NoRoom):
            await store.save([Checkpoint(new_session(), None)])
        assert len(await store.get(sorted(acknowledged))) == len(acknowledged) > 0, "it can be read"
        server.process.kill()
        server.process.wait()
        watch.cancel()
        await store.close()

    with redis_server(disk / "redis", fsync=fsync, port=server.port) as server:
        store = RedisSessionStore(open_redis(server.settings()))
        assert set(await store.get(sorted(acknowledged))) == acknowledged, "though there is still no room"
        look(supervisor, server)
        with pytest.raises(NoRoom):
            await store.save([Checkpoint(new_session(), None)])

        filler.go()

        look(supervisor, server)
        assert await store.save([Checkpoint(new_session(), None)]) == [None]
        await store.close()
