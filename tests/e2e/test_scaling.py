"""Replicas come with the load and go with it; nobody's request fails, and no owner gets more by their number."""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from proving.chaos.checker import check
from proving.chaos.history import Unanswered
from proving.chaos.load import Load
from tests.clusters import OTHER_KEYS, Cluster
from tests.waiting import passing, until

pytestmark = [pytest.mark.anyio, pytest.mark.long, pytest.mark.timeout(400)]

PER_SECOND, BURST = 50, 50
CLIENTS, GREEDY_CALLS = 6, 8
REPLICA = "ray::ServeReplica"
# A replica is started while the machine is busy, and drains for some seconds.
PATIENCE_SECONDS = 120.0


@pytest.fixture(scope="module")
def scaling() -> Iterator[Cluster]:
    with tempfile.TemporaryDirectory(prefix="optionchain-scaling-") as folder:
        cluster = Cluster(
            Path(folder),
            auth={"keys": OTHER_KEYS},
            http={"replicas": "1:2", "target_requests": 2, "scale_out_seconds": 2, "scale_in_seconds": 4},
            rate={"per_minute": 60 * PER_SECOND, "burst": BURST},
        )
        with cluster.running():
            yield cluster


def replicas(cluster: Cluster) -> int:
    """How many there are, those that drain included."""

    def is_replica(process: psutil.Process) -> bool:
        try:
            return process.cmdline()[0].startswith(REPLICA)
        except (psutil.Error, IndexError):
            return False

    return sum(map(is_replica, cluster.processes()))


async def becomes(cluster: Cluster, number: int) -> None:
    """Wait until there are so many."""

    async def are() -> bool:
        await passing(0.5)  # to look takes a while of a core
        return await asyncio.to_thread(replicas, cluster) == number

    await until(are, f"{number} replicas", patience_seconds=PATIENCE_SECONDS)


class Greedy:
    """An owner who asks for much more than its share.

    Args:
        cluster: The service.
    """

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._key = OTHER_KEYS.rpartition("=")[2]
        self._began = time.monotonic()
        self.answers: Counter[int] = Counter()

    async def ask(self) -> None:
        """Ask until cancelled."""
        async with self._cluster.async_client() as api, asyncio.TaskGroup() as calls:
            for _ in range(GREEDY_CALLS):
                calls.create_task(self._ask(api))

    async def _ask(self, api: httpx.AsyncClient) -> None:
        while True:
            answer = await api.get("/api/v1/chain/sessions", headers={"X-API-Key": self._key})
            self.answers[answer.status_code] += 1

    @property
    def share(self) -> float:
        """What it may have been given since it began."""
        return BURST + PER_SECOND * (time.monotonic() - self._began)


async def test_replicas_follow_the_load_without_a_failed_request(scaling: Cluster) -> None:
    assert replicas(scaling) == 1

    async with scaling.async_client() as api:
        load = Load(api, CLIENTS, random.Random(1), pause_seconds=0.2)
        stepping = asyncio.create_task(load.run())
        greedy = Greedy(scaling)
        asking = asyncio.create_task(greedy.ask())
        await becomes(scaling, 2)
        await passing(5.0)  # it is started, serves, and counts its owners' requests too
        asking.cancel()
        share = greedy.share
        await becomes(scaling, 1)
        await load.served_again()
        load.finish()
        await stepping

    verdict = check(load.attempts, load.is_replay)
    assert verdict.is_clean, verdict.violations[:5]
    failed = [each for each in load.attempts if isinstance(each.outcome, Unanswered)]
    assert failed == [], "each step of whoever keeps to its share is served"
    assert set(greedy.answers) == {httpx.codes.OK, httpx.codes.TOO_MANY_REQUESTS}
    assert greedy.answers[httpx.codes.OK] <= share
