"""The drills: each loses something, brings it back by the steps of its runbook, and says how long that took; and what
each has to reach."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from adapters.copies import Wanted
from cluster.backup.jobs import keyring_of
from cluster.backup.verifying import verify
from cluster.instance.instance import Instance
from cluster.instance.progress import Progress
from optionchain.errors import Damaged
from proving.chaos.load import BadLoad
from proving.chaos.sessions import METHODS, START
from proving.drills.lost_node import lost_node
from proving.drills.lost_primaries import lost_mongodb_primary, lost_redis_primary
from proving.drills.machine_losses import expired_certificate, full_disk
from proving.drills.scene import ADMIN, VICTIM, Scene
from proving.drills.site_loss import lost_site
from proving.patience import until

# What a release that is good makes, and one whose limit is a strike refuses.
SIMULATION: dict[str, object] = {
    "symbol": "DRILL",
    "steps": 8,
    "start_at": START.isoformat(),
    "step_interval_seconds": 86_400,
    "timezone": "America/New_York",
    "expiration_time": "16:00",
    "schedules": [{"rule_id": "daily", "kind": "daily", "target_count": 2}],
    "initial_price": 100.0,
    "volatility": 0.2,
    "risk_free_rate": 0.04,
    "dividend_yield": 0.0,
    "method": METHODS[0],
    "time_frame": "Day",
    "chain_size": 3,
    "seed": 7,
}


@dataclass(frozen=True, slots=True)
class Goal:
    """What a drill has to reach. No acknowledged step may be lost, doubled or wrong in any of them.

    Attributes:
        seconds: From the loss on, until whoever was hurt is served again; nobody who goes on asking waits for longer.
        lost_seconds: Of writes to a store, at most, by how it was written.
    """

    seconds: float
    lost_seconds: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Drill:
    """One drill; its runbook is in ``docs/runbooks/drills``.

    Attributes:
        about: What is lost, in a sentence.
        run: Loses and brings back; returns the seconds from the loss until whoever was hurt was served again.
        goal: What it has to reach.
        starts: Whether the instance of the scene is started for it.
    """

    about: str
    run: Callable[[Scene], Awaitable[float]]
    goal: Goal
    starts: bool = True


async def lost_data_folder(scene: Scene) -> float:
    """The disk with everything on it is gone: an instance is started anew, and the latest backup restored."""
    async with scene.bystanders() as clients:
        backup = await scene.save()
        scene.tell("the instance ends, and its data folder is removed")
        began = time.monotonic()
        scene.stop()
        await asyncio.to_thread(shutil.rmtree, scene.settings.data.folder)
        scene.tell("optionchain up")
        scene.start()
        await scene.restore(backup, Wanted())
        await clients.step_each()
        return time.monotonic() - began


async def deleted_sessions(scene: Scene) -> float:
    """An owner has deleted every session by mistake; they come back while others are served."""
    async with scene.crowd(), scene.bystanders() as clients:
        backup = await scene.save()
        scene.tell(f"the {len(clients.session_ids)} sessions of an owner are deleted")
        began = time.monotonic()
        await scene.delete(clients)
        await scene.restore(backup, Wanted(owner=VICTIM))
        await clients.step_each()
        return time.monotonic() - began


async def corrupt_backup(scene: Scene) -> float:
    """The latest backup is damaged: verifying names it, and the one before comes back."""
    async with scene.bystanders() as clients:
        good, bad = await scene.save(), await scene.save()
        scene.tell(f"a bit of {bad}, an increment of {good}, is flipped")
        await asyncio.to_thread(_flip, min((scene.backups / bad).glob("*/*.part")))
        began = time.monotonic()
        scene.tell("optionchain backup verify")
        try:
            await verify(scene.place, bad, keyring_of(scene.settings))
        except Damaged as error:
            scene.tell(str(error))
        else:
            raise BadLoad("a damaged backup was verified")
        await verify(scene.place, good, keyring_of(scene.settings))
        await scene.delete(clients)
        await scene.restore(good, Wanted(owner=VICTIM))
        await clients.step_each()
        return time.monotonic() - began


async def leaked_key(scene: Scene) -> float:
    """A key is in the wrong hands: it is revoked, and works nowhere."""
    async with scene.crowd(), scene.api(ADMIN) as api:
        body = {"owner": VICTIM, "roles": ["viewer"], "note": "leaked", "expires_at": None}
        made = (await api.post("/api/v1/keys", json=body)).raise_for_status().json()
        leaked = {"X-API-Key": made["key"]}
        await until(lambda: _answers(api, leaked, httpx.codes.OK), "the key works")
        scene.tell("optionchain keys revoke")
        began = time.monotonic()
        (await api.delete(f"/api/v1/keys/{made['id']}")).raise_for_status()
        await until(lambda: _answers(api, leaked, httpx.codes.UNAUTHORIZED), "it works no more")
        return time.monotonic() - began


async def bad_release(scene: Scene) -> float:
    """What was deployed refuses everything that is asked for anew; the release before is deployed again."""
    bad = scene.settings.with_changes({"limits": {"contracts": 1}})
    async with scene.crowd(), scene.api(VICTIM) as api:
        scene.tell("optionchain redeploy, of a release that is bad")
        await asyncio.to_thread(Instance(bad).redeploy, Progress())
        await until(lambda: _creates(api, is_refused=True), "new sessions are refused")
        began = time.monotonic()
        scene.tell("optionchain redeploy, of the one before")
        await asyncio.to_thread(Instance(scene.settings).redeploy, Progress())
        await until(lambda: _creates(api, is_refused=False), "new sessions are made")
        return time.monotonic() - began


DRILLS: Mapping[str, Drill] = {
    "lost-redis-primary": Drill(
        "The primary of Redis is killed under load; sentinels make a replica the primary",
        lost_redis_primary,
        Goal(seconds=10.0),
        starts=False,
    ),
    "lost-mongodb-primary": Drill(
        "The primary of MongoDB is killed under load; another is elected",
        lost_mongodb_primary,
        Goal(seconds=30.0),
        starts=False,
    ),
    "lost-data-folder": Drill(
        "The disk is gone: a new instance goes on from the backup", lost_data_folder, Goal(seconds=120.0)
    ),
    "deleted-sessions": Drill(
        "An owner has deleted all sessions; they come back", deleted_sessions, Goal(seconds=60.0)
    ),
    "corrupt-backup": Drill(
        "The latest backup is damaged; the one before comes back", corrupt_backup, Goal(seconds=120.0)
    ),
    "leaked-key": Drill("An API key is in the wrong hands; it is revoked", leaked_key, Goal(seconds=5.0)),
    "bad-release": Drill(
        "What was deployed refuses new sessions; it is rolled back", bad_release, Goal(seconds=120.0)
    ),
    "full-disk": Drill(
        "Somebody fills the disk; writes are refused until there is room",
        full_disk,
        Goal(seconds=60.0),
        starts=False,
    ),
    "expired-certificate": Drill(
        "The certificate of HTTPS has expired; it is renewed",
        expired_certificate,
        Goal(seconds=30.0),
        starts=False,
    ),
    "lost-node": Drill(
        "One of two machines loses power; its sessions go on, and another joins",
        lost_node,
        Goal(seconds=15.0),
        starts=False,
    ),
    "site-loss": Drill(
        "A site is lost with all that is in it; another takes over",
        lost_site,
        Goal(seconds=60.0, lost_seconds={"waited for": 0.0, "not waited for": 5.0}),
        starts=False,
    ),
}


async def _answers(api: httpx.AsyncClient, headers: dict[str, str], status: int) -> bool:
    answer = await api.get("/api/v1/config", headers=headers)
    return answer.status_code == status


async def _creates(api: httpx.AsyncClient, *, is_refused: bool) -> bool:
    answer = await api.post("/api/v2/simulations", json=SIMULATION)
    return answer.status_code == (httpx.codes.BAD_REQUEST if is_refused else httpx.codes.CREATED)


def _flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
