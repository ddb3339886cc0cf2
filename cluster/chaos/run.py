"""One chaos run: clients step while one process after the other is killed; the checker has the last word."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx
from redis import Redis
from redis.exceptions import RedisError

from cluster.chaos.checker import Verdict, check
from cluster.chaos.faults import Fault, Victims, inflict, shuffled
from cluster.chaos.load import REQUEST_PATIENCE_SECONDS, Load
from cluster.instance_state import InstanceState
from cluster.settings import Settings

# Ray needs up to 10 s to see a dead HAProxy and to start another; only then do the next faults meet any load.
CALM_SECONDS = {Fault.PROXY: 10.0}


@dataclass(frozen=True, slots=True)
class ChaosPlan:
    """How much of it.

    Attributes:
        load_seconds: How long clients step; faults cease some seconds before, so that the end can be seen.
        fault_seconds: Between two faults, on average.
        faults: The kinds, each as often as the others.
    """

    load_seconds: float
    clients: int = 50
    fault_seconds: float = 4.0
    faults: tuple[Fault, ...] = tuple(Fault)
    seed: int = 1
    tell: Callable[[str], None] = field(default=lambda _: None)


@dataclass(frozen=True, slots=True)
class ChaosReport:
    """What was done, and what came of it."""

    faults: Counter[Fault]
    verdict: Verdict


async def run_chaos(settings: Settings, state: InstanceState, plan: ChaosPlan) -> ChaosReport:
    """Let clients step the sessions of a running instance while its processes are killed.

    Args:
        settings: Of the instance, whose Redis must be its own.
        state: Where it is.
        plan: How much.
    """
    rng = random.Random(plan.seed)
    redis = Redis.from_url(state.redis_url, socket_timeout=1.0)
    victims = Victims(settings.data.folder, lambda: _is_up(redis))
    async with open_api(state, plan.clients) as api:
        load = Load(api, plan.clients, rng)
        stepping = asyncio.create_task(load.run())
        inflicted = await _break_things(plan, victims, rng)
        load.finish()
        await stepping
    return ChaosReport(inflicted, await asyncio.to_thread(check, load.attempts, load.replayed))


def open_api(state: InstanceState, clients: int) -> httpx.AsyncClient:
    """The service of an instance, with a connection for each client."""
    return httpx.AsyncClient(
        base_url=state.base_url,
        headers={"X-API-Key": state.api_key or ""},
        timeout=REQUEST_PATIENCE_SECONDS,
        limits=httpx.Limits(max_connections=clients, max_keepalive_connections=clients),
        trust_env=False,
    )


async def _break_things(plan: ChaosPlan, victims: Victims, rng: random.Random) -> Counter[Fault]:
    deadline = time.monotonic() + plan.load_seconds
    inflicted: Counter[Fault] = Counter()
    for fault in shuffled(list(plan.faults), rng):
        calm = max(plan.fault_seconds * rng.uniform(0.5, 1.5), 0.1)
        if time.monotonic() + calm > deadline:
            break
        await asyncio.sleep(calm)
        if await asyncio.to_thread(inflict, fault, victims, rng):
            inflicted[fault] += 1
            plan.tell(f"killed: {fault.value}")
        await asyncio.sleep(min(CALM_SECONDS.get(fault, 0.0), max(deadline - time.monotonic(), 0.0)))
    await asyncio.sleep(max(deadline - time.monotonic(), 0.0))
    return inflicted


def _is_up(redis: Redis) -> bool:
    try:
        return bool(redis.ping())
    except (RedisError, OSError):
        return False
