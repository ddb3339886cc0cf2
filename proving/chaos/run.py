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

from cluster.instance.state import InstanceState
from cluster.settings import Settings
from proving.chaos.checker import Verdict, check
from proving.chaos.faults import Fault, Victims, inflict
from proving.chaos.load import PAUSE_SECONDS, REQUEST_PATIENCE_SECONDS, Load


@dataclass(frozen=True, slots=True)
class ChaosPlan:
    """How much of it.

    Attributes:
        load_seconds: After this long, nothing is killed any more once every kind was as often as the others.
        clients: How many step at once.
        pause_seconds: Of a client between two steps, on average.
        fault_seconds: Between two faults, on average.
        faults: The kinds, in a new order every time round.
        seed: Decides what is killed when.
        tell: Told of each fault.
    """

    load_seconds: float
    clients: int = 50
    pause_seconds: float = PAUSE_SECONDS
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

    Raises:
        BadLoad: The service refuses the sessions, or does not come back.
        NotRestarted: A kind of process does not come back.
    """
    rng = random.Random(plan.seed)
    redis = Redis.from_url(state.redis_url, socket_timeout=1.0)
    victims = Victims(settings.data.folder, lambda: _is_up(redis))
    async with open_api(state, plan.clients) as api:
        load = Load(api, plan.clients, rng, pause_seconds=plan.pause_seconds)
        stepping = asyncio.create_task(load.run())
        try:
            inflicted = await _break_things(plan, victims, load, rng)
        finally:
            load.finish()
            await stepping
    return ChaosReport(inflicted, await asyncio.to_thread(check, load.attempts, load.is_replay))


def open_api(state: InstanceState, clients: int) -> httpx.AsyncClient:
    """The service of an instance, with a connection for each client."""
    return httpx.AsyncClient(
        base_url=state.base_url,
        headers={"X-API-Key": state.api_key or ""},
        timeout=REQUEST_PATIENCE_SECONDS,
        limits=httpx.Limits(max_connections=clients, max_keepalive_connections=clients),
        trust_env=False,
    )


async def _break_things(plan: ChaosPlan, victims: Victims, load: Load, rng: random.Random) -> Counter[Fault]:
    deadline = time.monotonic() + plan.load_seconds
    inflicted: Counter[Fault] = Counter()
    await load.served_again()
    while not inflicted or time.monotonic() < deadline:
        for fault in rng.sample(plan.faults, len(plan.faults)):
            await asyncio.sleep(plan.fault_seconds * rng.uniform(0.5, 1.5))
            await asyncio.to_thread(inflict, fault, victims, rng)
            inflicted[fault] += 1
            plan.tell(f"killed: {fault.value}")
            if fault is Fault.PROXY:
                # Without it no request gets anywhere, and the next fault would meet no load.
                await load.served_again()
    await load.served_again()
    return inflicted


def _is_up(redis: Redis) -> bool:
    try:
        return bool(redis.ping())
    except (RedisError, OSError):
        return False
