"""Everything that can be killed is killed under load, and every promise holds: the small run of `optionchain chaos`."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from breakable import Running
from rich.console import Console

from cluster.chaos.checker import check
from cluster.chaos.cli import show_report
from cluster.chaos.faults import Fault, Victims
from cluster.chaos.history import Served, Unanswered
from cluster.chaos.load import Load
from cluster.chaos.run import ChaosPlan, open_api, run_chaos
from cluster.chaos.sessions import ChaosSession

# The first test waits for the instance to start, which a busy machine may take two minutes for.
pytestmark = [pytest.mark.anyio, pytest.mark.timeout(300)]

CLIENTS = 50


@asynccontextmanager
async def load_on(running: Running) -> AsyncIterator[Load]:
    """Clients that step for as long as the block lasts."""
    async with open_api(running.state, CLIENTS) as api:
        load = Load(api, CLIENTS, random.Random(1))
        stepping = asyncio.create_task(load.run())
        await asyncio.sleep(2.0)
        yield load
        load.finish()
        await stepping


def examine(load: Load) -> None:
    verdict = check(load.attempts, load.replayed)
    assert verdict.is_clean, verdict.violations[:5]


async def test_the_number_of_actors_changes_without_downtime(running: Running) -> None:
    async with load_on(running) as load:
        before = load.acknowledged
        await asyncio.to_thread(running.redeployed, placement="shards:3")
        assert load.acknowledged > before + 10 * CLIENTS

    examine(load)
    assert [attempt for attempt in load.attempts if isinstance(attempt.outcome, Unanswered)] == []
    assert {actor["name"] for actor in running.instance.report()["actors"]} == {
        f"sessions-{number}" for number in range(3)
    }


async def test_while_redis_hangs_callers_are_told_in_time_and_its_return_is_noticed_within_2_seconds(
    running: Running,
) -> None:
    (redis,) = Victims(running.settings.data.folder, lambda: True).of(Fault.REDIS)
    async with load_on(running) as load:
        os.kill(redis.pid, signal.SIGSTOP)
        await asyncio.sleep(3.0)
        os.kill(redis.pid, signal.SIGCONT)
        back = time.monotonic()
        await asyncio.sleep(3.0)

    examine(load)
    hung = [attempt for attempt in load.attempts if back - 3.0 < attempt.began < back]
    assert {a.outcome.status for a in hung if isinstance(a.outcome, Unanswered)} <= {503}
    # The store's 2 s, the wait for the batch before, and what a busy machine adds: far from the 8 s of the gateway.
    assert max(attempt.ended - attempt.began for attempt in hung) < 6.0
    served_again = {a.session_id for a in load.attempts if isinstance(a.outcome, Served) and a.ended > back}
    first = min(a.ended for a in load.attempts if isinstance(a.outcome, Served) and a.ended > back)
    assert first - back < 2.0
    assert len(served_again) == CLIENTS


async def test_no_step_is_lost_or_doubled_while_processes_are_killed(running: Running) -> None:
    plan = ChaosPlan(load_seconds=30.0, clients=CLIENTS, fault_seconds=2.0)

    report = await run_chaos(running.settings, running.state, plan)

    show_report(Console(), report)
    verdict = report.verdict
    assert verdict.is_clean, verdict.violations[:5]
    assert set(report.faults) == set(Fault), "every kind was killed"
    assert verdict.acknowledged > 10 * CLIENTS
    assert verdict.longest_outage_seconds < 25.0


async def test_a_full_queue_answers_503_at_once_with_a_time_to_come_back(running: Running) -> None:
    (redis,) = Victims(running.settings.data.folder, lambda: True).of(Fault.REDIS)
    await asyncio.to_thread(running.redeployed, max_waiting=5)
    async with open_api(running.state, CLIENTS) as api:
        load = Load(api, 1, random.Random(1))
        session_id = await load.create(ChaosSession(0))
        os.kill(redis.pid, signal.SIGSTOP)
        try:
            answers = await asyncio.gather(*(_timed_step(api, session_id) for _ in range(CLIENTS)))
        finally:
            os.kill(redis.pid, signal.SIGCONT)

    refused = [(answer, seconds) for answer, seconds in answers if "no room" in answer.text]
    assert {answer.status_code for answer, _ in answers} == {503}
    assert len(refused) >= CLIENTS - 2 * 5, "two replicas with room for five each"
    assert all(int(answer.headers["Retry-After"]) >= 1 for answer, _ in answers)
    assert max(seconds for _, seconds in refused) < min(
        seconds for answer, seconds in answers if "no room" not in answer.text
    )


async def _timed_step(api: httpx.AsyncClient, session_id: str) -> tuple[httpx.Response, float]:
    began = time.monotonic()
    answer = await api.post("/api/v1/chain/step", params={"sessionid": session_id})
    return answer, time.monotonic() - began
