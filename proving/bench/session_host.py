"""Sessions in one process: what one takes in memory and in Redis, and what creating, stepping and loading cost."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median

import numpy as np

from actors.calendars import Calendars
from actors.sessions.host import SessionHost
from actors.sessions.messages import Answer, Call
from actors.sessions.residents import ResidentSessions
from actors.sessions.simulation_cache import SimulationCache
from actors.settings import SessionSettings
from adapters.redis.connection import RedisClient, open_redis
from adapters.redis.session_store import RedisSessionStore
from adapters.settings import RedisSettings
from optionchain.observing import Unobserved
from optionchain.session import REMEMBERED_COMMANDS, Advance, Create, Session
from proving.bench.session_samples import batches, calls, new_sessions

BATCH = 256
# Small: what is measured is a session without its path and chains, which leave memory first.
CACHE_BYTES = 1 << 18


@dataclass(frozen=True, slots=True)
class HostPlan:
    """How many sessions to measure with.

    Attributes:
        created_and_stepped: In all; all of them stay in Redis, those that fit in memory.
        resident: Held in memory at once.
        timed: Stepped one by one, at random and again from the last, for the time of a single step.
        weighed: Stepped until their checkpoints remember as many commands as they can, for the memory of one.
    """

    created_and_stepped: int = 100_000
    resident: int = 20_000
    timed: int = 300
    weighed: int = 2_000


async def host_figures(redis: RedisSettings, plan: HostPlan) -> dict[str, float]:
    """Measure one host on a Redis of its own."""
    client = open_redis(redis)
    store = RedisSessionStore(client, prefix="bench-host")
    try:
        crowd, sessions = await _crowd(_host(store, plan), client, plan)
        return (
            crowd
            | await _activation(store, sessions[-plan.resident :], plan)
            | await _memory(store, client, plan)
        )
    finally:
        await store.close()


async def _crowd(
    host: SessionHost, client: RedisClient, plan: HostPlan
) -> tuple[dict[str, float], list[Session]]:
    """Create all sessions, then step each once, with as many in memory as may be."""
    sessions = new_sessions(plan.created_and_stepped)
    empty = await _stored_bytes(client)
    failures, seconds = await _served(host, calls(sessions, Create))
    stored = await _stored_bytes(client) - empty
    step_failures, step_seconds = await _served(host, calls(sessions, Advance))
    single = await _any_steps(host, sessions, plan)
    return {
        "created_and_stepped": float(len(sessions)),
        "failures": float(failures + step_failures),
        "created_per_second": len(sessions) / seconds,
        "stepped_once_per_second": len(sessions) / step_seconds,
        "bytes_per_new_dormant_session": stored / len(sessions),
        "any_step_p50_milliseconds": 1e3 * float(np.percentile(single, 50)),
        "any_step_p99_milliseconds": 1e3 * float(np.percentile(single, 99)),
    }, sessions


async def _any_steps(host: SessionHost, sessions: Sequence[Session], plan: HostPlan) -> list[float]:
    """Seconds of single steps of sessions at random, most of which only Redis has where there are many."""
    picked = np.random.default_rng(1).integers(len(sessions), size=plan.timed)
    return [(await _served(host, calls([sessions[index]], Advance)))[1] for index in picked.tolist()]


async def _activation(
    store: RedisSessionStore, sessions: Sequence[Session], plan: HostPlan
) -> dict[str, float]:
    """Load what only Redis has; then single steps, of sessions in memory and of sessions that are not."""
    host = _host(store, plan)
    _, seconds = await _served(host, calls(sessions, Advance))
    warm: list[float] = []
    cold: list[float] = []
    for session in sessions[-plan.timed :]:
        empty = _host(store, plan)
        for durations in (cold, warm):
            _, duration = await _served(empty, calls([session], Advance))
            durations.append(duration)
    return {
        "activated_and_stepped_per_second": len(sessions) / seconds,
        "cold_step_microseconds": 1e6 * median(cold),
        "warm_step_microseconds": 1e6 * median(warm),
        "cold_to_warm_ratio": median(cold) / median(warm),
    }


async def _memory(store: RedisSessionStore, client: RedisClient, plan: HostPlan) -> dict[str, float]:
    """What Redis takes for a session, and what Python allocates for one that is loaded, its path gone again."""
    sessions, empty = new_sessions(plan.weighed), await _stored_bytes(client)
    stepping = _host(store, plan)
    await _served(stepping, calls(sessions, Create))
    for _ in range(REMEMBERED_COMMANDS):
        await _served(stepping, calls(sessions, Advance))
    stored = await _stored_bytes(client) - empty
    host, commands = _host(store, plan), calls(sessions, Advance)
    tracemalloc.start()
    try:
        await _served(host, commands)
        allocated, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return {
        "bytes_per_dormant_session": stored / len(sessions),
        "bytes_per_resident_session": allocated / host.resident_count,
    }


async def _served(host: SessionHost, commands: Sequence[Call]) -> tuple[int, float]:
    """How many failed, and how long all took."""
    failures, began = 0, time.perf_counter()
    for batch in batches(commands, BATCH):
        answers: list[Answer] = await host.execute(batch)
        failures += sum(not isinstance(answer, bytes) for answer in answers)
    return failures, time.perf_counter() - began


def _host(store: RedisSessionStore, plan: HostPlan) -> SessionHost:
    return SessionHost(
        store,
        residents=ResidentSessions(max_sessions=plan.resident, max_idle_seconds=1e9, max_bytes=1 << 40),
        cache=SimulationCache(path_bytes=CACHE_BYTES, snapshot_bytes=CACHE_BYTES),
        calendars=Calendars(Unobserved(), patience_seconds=8.0),
        observer=Unobserved(),
        max_waiting=BATCH,
        max_batch=BATCH,
        max_answer_contracts=SessionSettings().max_answer_contracts,
        clock=lambda: datetime.now(UTC),
    )


async def _stored_bytes(client: RedisClient) -> int:
    return int((await client.info("memory"))["used_memory"])
