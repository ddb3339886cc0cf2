"""What must never happen, does not: a step lost or served twice when processes die or the instance restarts."""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
import psutil
import pytest

from cluster.instance.progress import Progress
from cluster.settings import LimitsSettings
from optionchain.export import Export, Format
from optionchain.parameters import SimulationParameters
from optionchain.session import REMEMBERED_COMMANDS
from serve_app.bodies.simulations import SimulationRequest, values_of
from tests.clusters import Cluster, create, step
from tests.e2e.simulations import FORMATS, SIMULATIONS, export, simulate
from tests.waiting import eventually

# The requirement, on a machine of its own: the next step goes on at the right cursor within five seconds.
RECOVERY_SECONDS = 5.0

# Rounds of a test that must catch a replica at work.
KILLS = 10


def recovery_seconds() -> float:
    """The time allowed: most of a recovery is the start of a process, which shares its cores with others."""
    return RECOVERY_SECONDS * max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


def killed_actors(cluster: Cluster) -> int:
    """End all session actors as the kernel would when memory runs out; returns how many there were."""
    actors = cluster.session_actors()
    for actor in actors:
        actor.kill()
    return len(actors)


def check_outage(answer: httpx.Response) -> None:
    assert answer.status_code == 503, answer.text
    assert int(answer.headers["Retry-After"]) >= 1


def test_a_session_goes_on_at_the_right_step_when_its_actor_is_killed(
    cluster: Cluster, api: httpx.Client
) -> None:
    session_id = create(api, start_at="2026-01-05T00:00:00Z")["id"]
    undisturbed = create(api, start_at="2026-01-05T00:00:00Z")["id"]
    expected = [step(api, undisturbed).json()["price"] for _ in range(3)]
    served = [step(api, session_id).json()["price"]]

    assert killed_actors(cluster) > 0
    killed_at = time.monotonic()
    while len(served) < 2:
        answer = step(api, session_id)
        if answer.status_code == 200:
            served.append(answer.json()["price"])
        else:
            check_outage(answer)
        assert time.monotonic() - killed_at < recovery_seconds()
    served.append(step(api, session_id, expected_step=2).json()["price"])

    assert served == expected


@pytest.mark.anyio
async def test_nothing_is_lost_or_served_twice_when_all_actors_die_under_load(cluster: Cluster) -> None:
    steppers, steps = 20, 15
    async with cluster.async_client() as api:
        with cluster.client() as client:
            ids = [create(client, steps=steps)["id"] for _ in range(steppers)]
        served: Counter[tuple[str, int]] = Counter()
        halfway = asyncio.Event()

        async def run(session_id: str) -> None:
            cursor = 0
            while cursor < steps:
                query = {"sessionid": session_id, "expected_step": cursor}
                answer = await api.post("/api/v1/chain/step", params=query)
                if answer.status_code == 200:
                    cursor = answer.json()["session_info"]["current_step"]
                    served[session_id, cursor - 1] += 1
                elif answer.status_code == 412:
                    # A 503 may hide a step that was stored: the cursor says so, and nothing was skipped.
                    assert answer.json()["current_step"] == cursor + 1
                    cursor += 1
                else:
                    check_outage(answer)
                if cursor == steps // 2:
                    halfway.set()

        runs = asyncio.gather(*map(run, ids))
        await halfway.wait()
        assert await asyncio.to_thread(killed_actors, cluster) > 0
        await runs
        ends = await asyncio.gather(
            *(api.post("/api/v1/chain/step", params={"sessionid": session_id}) for session_id in ids)
        )

    assert max(served.values()) == 1
    assert {end.status_code for end in ends} == {410}


def test_killed_actors_come_back_by_themselves(cluster: Cluster, api: httpx.Client) -> None:
    before = len(cluster.session_actors())
    assert killed_actors(cluster) == before

    eventually(lambda: len(cluster.session_actors()) == before, "as many session actors as before")
    assert api.get("/ready").status_code == 200


@dataclass(frozen=True)
class Before:
    """What an instance served before everything of it was ended and started again."""

    api_key: str | None
    session_id: str
    peeked: dict[str, Any]
    simulation: dict[str, Any]
    snapshots: list[dict[str, Any]]
    exports: dict[str, bytes]


@pytest.fixture(scope="module")
def before_restart(cluster: Cluster) -> Before:
    with cluster.client() as api:
        session_id = create(api)["id"]
        step(api, session_id)
        simulation = simulate(api, calendar="XNYS", start_at=None, seed=None)
        before = Before(
            api_key=cluster.state.api_key,
            session_id=session_id,
            peeked=api.get("/api/v1/chain", params={"sessionid": session_id}).json(),
            simulation=simulation,
            snapshots=market(api, simulation),
            exports=exports(api, simulation),
        )
    cluster.instance.down(Progress())
    cluster.check_nothing_is_left()
    cluster.instance.up(Progress())
    return before


def test_a_session_is_stepped_after_a_restart_of_everything(cluster: Cluster, before_restart: Before) -> None:
    with cluster.client() as api:
        after = step(api, before_restart.session_id, expected_step=1).json()

    assert cluster.state.api_key == before_restart.api_key
    assert after["session_info"]["current_step"] == 2
    assert {**after, "session_info": None} == {**before_restart.peeked, "session_info": None}


def test_the_echo_of_a_simulation_replays_it_to_the_byte_after_a_restart_of_everything(
    cluster: Cluster, before_restart: Before
) -> None:
    echo = before_restart.simulation["parameters"]

    with cluster.client() as api:
        # The first is computed anew from its checkpoint, the second from what its echo says.
        again = simulate(api, **echo)
        assert exports(api, before_restart.simulation) == before_restart.exports
        assert exports(api, again) == before_restart.exports
        assert market(api, again) == before_restart.snapshots

    assert again["parameters"] == echo


def test_the_echo_of_a_simulation_replays_it_to_the_byte_in_another_process(before_restart: Before) -> None:
    """This one, which has nothing but the library and the echo."""
    request = SimulationRequest.model_validate(before_restart.simulation["parameters"])
    parameters = SimulationParameters(**values_of(request, datetime.now(UTC), LimitsSettings()))

    exports = {
        format: b"".join(Export(parameters=parameters, format=Format(format)).pieces()) for format in FORMATS
    }

    assert exports == before_restart.exports


def market(api: httpx.Client, simulation: dict[str, Any]) -> list[dict[str, Any]]:
    """Every snapshot, without what names this simulation."""
    answer = api.post(f"{SIMULATIONS}/{simulation['id']}/step", params={"count": 1000, "greeks": "all"})
    own = ("id", "version")
    snapshots: list[dict[str, Any]] = answer.json()["snapshots"]
    return [{name: snapshot[name] for name in snapshot if name not in own} for snapshot in snapshots]


def exports(api: httpx.Client, simulation: dict[str, Any]) -> dict[str, bytes]:
    return {format: export(api, simulation, format=format).content for format in FORMATS}


@pytest.mark.anyio
async def test_a_keyed_step_whose_replica_was_killed_takes_effect_once_however_late_it_is_repeated(
    cluster: Cluster,
) -> None:
    later = REMEMBERED_COMMANDS + 1
    with cluster.client() as client:
        answered = await broken_keyed_steps(cluster, client)

        for session_id, was_answered in answered.items():
            cursor = current_step(client, session_id)
            assert cursor == 1 if was_answered else cursor in (0, 1)
            for expected in range(cursor, cursor + later):
                eventually(
                    lambda query={"expected_step": expected}, one=session_id: was_stepped(client, one, query),
                    "it steps on",
                )
        async with cluster.async_client() as api:
            repeated = [await keyed_step(api, session_id) for session_id in answered]

        assert all(repeated)
        assert {current_step(client, session_id) for session_id in answered} == {1 + later}


async def broken_keyed_steps(cluster: Cluster, client: httpx.Client) -> dict[str, bool]:
    """Sessions that were stepped while every replica was killed, and which steps were answered: not all.

    Where the replicas were too fast to be killed, the next sessions are tried.
    """
    for _ in range(KILLS):
        ids = [create(client)["id"] for _ in range(24)]
        async with cluster.async_client() as api:
            tasks = [asyncio.create_task(keyed_step(api, session_id)) for session_id in ids]
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            kill_replicas(cluster)
            answered = dict(zip(ids, await asyncio.gather(*tasks), strict=True))
        eventually(lambda: is_served(client, "/ready"), "another replica serves")
        if not all(answered.values()):
            return answered
    raise AssertionError("no step was ever broken")


async def keyed_step(api: httpx.AsyncClient, session_id: str) -> bool:
    """Whether a step is answered whose key is the session's own."""
    try:
        query, key = {"sessionid": session_id}, {"Idempotency-Key": f"once-{session_id}"}
        answer = await api.post("/api/v1/chain/step", params=query, headers=key)
    except httpx.TransportError:
        return False
    return answer.status_code == 200


def kill_replicas(cluster: Cluster) -> None:
    replicas = [one for one in cluster.processes() if is_replica(one)]
    assert replicas
    for replica in replicas:
        replica.kill()


def is_replica(process: psutil.Process) -> bool:
    try:
        return process.cmdline()[0].startswith("ray::ServeReplica")
    except (psutil.Error, IndexError):
        return False


def was_stepped(client: httpx.Client, session_id: str, query: dict[str, int]) -> bool:
    """Whether the session is behind a step: 412 says that it was, and its answer lost."""
    try:
        return step(client, session_id, **query).status_code in (200, 412)
    except httpx.TransportError:
        return False


def is_served(client: httpx.Client, path: str) -> bool:
    try:
        return client.get(path).status_code == 200
    except httpx.TransportError:
        return False


def current_step(client: httpx.Client, session_id: str) -> int:
    peek = client.get("/api/v1/chain", params={"sessionid": session_id})
    cursor: int = peek.json()["session_info"]["current_step"]
    return cursor
