"""Sessions in Ray actors: what more actors bring, and what a process for each session costs."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import Any

import psutil
import ray

from actors.sessions.gateway import SessionGateway
from actors.sessions.messages import Call
from actors.sessions.placement import Shards
from adapters.settings import RedisSettings
from cluster.bootstrap import open_gateway, session_actor_finder
from cluster.instance.report import report, session_actors
from cluster.settings import Settings
from optionchain.session import Advance, Create
from proving.bench.session_samples import batches, calls, new_sessions

NAMESPACE = "bench"
PATIENCE_SECONDS = 120.0
# As many calls as two busy replicas have under way.
AT_ONCE = 512


@dataclass(frozen=True, slots=True)
class ActorsPlan:
    """How much to measure.

    Attributes:
        shards: Numbers of actors to compare.
        sessions: Created and stepped with each.
        steps: Of each session.
        processes: Sessions that get a process each.
    """

    shards: tuple[int, ...] = (1, 2, 4)
    sessions: int = 1000
    steps: int = 10
    processes: int = 8


def actor_figures(redis: RedisSettings, plan: ActorsPlan) -> dict[str, float]:
    """Measure actors on a Ray node of the benchmark's own."""
    settings = Settings(redis=dict(redis) | {"prefix": "bench-actors"}, ray={"namespace": NAMESPACE})
    ray.init(
        namespace=NAMESPACE,
        include_dashboard=False,
        logging_level=logging.ERROR,
        log_to_driver=False,
        object_store_memory=100 << 20,
    )
    try:
        figures: dict[str, float] = {}
        for count in plan.shards:
            figures |= asyncio.run(_shards(settings, count, plan))
            _end_actors()
        figures |= asyncio.run(_process_each(settings, plan))
        _end_actors()
        return figures
    finally:
        ray.shutdown()


async def _shards(settings: Settings, count: int, plan: ActorsPlan) -> dict[str, float]:
    gateway, sessions = _gateway(settings, f"shards:{count}"), new_sessions(plan.sessions)
    find = session_actor_finder(settings)
    await asyncio.gather(*(find(name).status.remote() for name in Shards(count).actor_names()))
    created = await _rate(gateway, calls(sessions, Create))
    stepped = await _rate(gateway, [call for _ in range(plan.steps) for call in calls(sessions, Advance)])
    return {f"shards_{count}_created_per_second": created, f"shards_{count}_steps_per_second": stepped}


async def _process_each(settings: Settings, plan: ActorsPlan) -> dict[str, float]:
    gateway, sessions = _gateway(settings, "per-session"), new_sessions(plan.processes)
    created = await _rate(gateway, calls(sessions, Create))
    pids = [actor["pid"] for actor in report(NAMESPACE)["actors"]]
    own = [psutil.Process(pid).memory_full_info().uss for pid in pids]
    return {
        "per_session_created_per_second": created,
        "per_session_bytes_per_resident_session": sum(own) / len(own),
    }


async def _rate(gateway: SessionGateway, commands: Sequence[Call]) -> float:
    """Calls served a second, so many at once.

    Raises:
        OptionChainError: One of them failed.
    """
    began = time.perf_counter()
    for some in batches(commands, AT_ONCE):
        answers: list[Awaitable[bytes]] = [gateway.call(call) for call in some]
        await asyncio.gather(*answers)
    return len(commands) / (time.perf_counter() - began)


def _gateway(settings: Settings, placement: str) -> SessionGateway:
    changes: dict[str, Any] = {
        "placement": placement,
        "timeout_seconds": PATIENCE_SECONDS,
        "delivery_timeout_seconds": PATIENCE_SECONDS,
    }
    return open_gateway(settings.with_changes({"session": changes}))


def _end_actors() -> None:
    for actor in session_actors(NAMESPACE):
        ray.kill(actor)
