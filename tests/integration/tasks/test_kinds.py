"""What kinds do, seen from outside: sessions gone, a file that is whole or not there."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from redis import Redis

from adapters.redis.connection import open_redis
from adapters.redis.session_store import RedisSessionStore
from adapters.settings import MongoSettings
from cluster.settings import Settings
from cluster.tasks.exports import EXPORT
from cluster.tasks.housekeeping import SESSION_CLEANUP
from cluster.tasks.kind import Kind
from cluster.tasks.work import Stopped, Work
from optionchain.ports import Checkpoint
from optionchain.tasks import Order, Run
from tests.integration.sessions.session_examples import new_session
from tests.integration.tasks.scheduling import SIMULATION, no_history
from tests.servers import RedisServer

NOW = datetime(2026, 1, 5, 21, tzinfo=UTC)


def work(settings: Settings, kind: Kind, parameters: dict[str, Any], *, token: int = 1) -> Work:
    order = Order(kind=kind.name, parameters=parameters, owner="desk")
    run = Run(
        id="r1", task_id="t1", scheduled_for=NOW, due_at=NOW, available_at=NOW, order=order, token=token
    )
    return Work(run, settings, no_history)


def done(settings: Settings, kind: Kind, parameters: dict[str, Any]) -> Any:
    assert kind.run is not None
    return kind.run(work(settings, kind, parameters), kind.read(parameters, settings))


def test_expired_sessions_are_gone_and_others_are_not(redis_there: RedisServer) -> None:
    settings = Settings(redis={"url": SecretStr(redis_there.url), "prefix": "cleanup"})
    # One of long ago, and one that lives.
    for owner, clock in (("old", lambda: 1000.0), ("young", time.time)):
        asyncio.run(_stored(settings, owner, clock))

    cleaned = [done(settings, SESSION_CLEANUP, {}) for _ in range(2)]

    assert cleaned == [{"sessions": 1}, {"sessions": 0}]
    assert _keys(redis_there, "young")
    assert not _keys(redis_there, "old")


async def _stored(settings: Settings, owner: str, clock: Callable[[], float]) -> None:
    store = RedisSessionStore(open_redis(settings.redis), prefix="cleanup", ttl_seconds=3600.0, clock=clock)
    await store.save([Checkpoint(new_session(owner=owner), None)])
    await store.close()


def _keys(server: RedisServer, owner: str) -> list[bytes]:
    """Of the lists of an owner."""
    with Redis.from_url(server.url) as client:
        return list(client.scan_iter(f"cleanup:active:*{owner}*"))


def test_a_file_has_its_name_when_it_is_whole(
    mongo_there: MongoSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(mongo=mongo_there, task={"places": str(tmp_path)})
    url = f"{tmp_path}/{{date}}/rows.csv"
    parameters = {"url": url, "simulation": SIMULATION, "dataset": "underlying", "format": "csv"}
    folder = tmp_path / "2026-01-05"
    folder.mkdir()
    (folder / "rows.csv").write_text("of an earlier attempt, whole")
    beside: list[list[str]] = []
    copying = shutil.copyfileobj

    def cut_off(source: Any, target: Any, piece: int) -> None:
        copying(source, target, piece)
        beside.append(sorted(path.name for path in folder.iterdir()))
        silent.stop()  # another worker has its run

    silent = work(settings, EXPORT, parameters, token=7)
    monkeypatch.setattr("cluster.tasks.exports.shutil.copyfileobj", cut_off)
    assert EXPORT.run is not None
    with pytest.raises(Stopped):
        EXPORT.run(silent, EXPORT.read(parameters, settings))
    assert beside == [["rows.csv", "rows.csv.7.part"]]
    assert (folder / "rows.csv").read_text() == "of an earlier attempt, whole"
    assert [path.name for path in folder.iterdir()] == ["rows.csv"]
    monkeypatch.undo()

    told = done(settings, EXPORT, parameters)

    assert told == {"url": f"{folder}/rows.csv", "bytes": (folder / "rows.csv").stat().st_size}
    assert (folder / "rows.csv").read_text().count("\n") == SIMULATION["steps"] + 1
    assert [path.name for path in folder.iterdir()] == ["rows.csv"]
