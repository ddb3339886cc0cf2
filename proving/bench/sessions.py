"""What sessions cost: memory, activation, steps; first in one process, then in Ray actors of both placements."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from proving.bench.session_actors import ActorsPlan, actor_figures
from proving.bench.session_host import HostPlan, host_figures
from proving.bench.session_samples import private_redis


def run(host: HostPlan | None = None, actors: ActorsPlan | None = None) -> dict[str, float]:
    """Measure.

    Args:
        host: How much in one process.
        actors: How much in Ray actors.

    Returns:
        ``*bytes_per_*`` of memory, ``*_per_second`` rates, ``cold_to_warm_ratio`` the time of a step whose session
        has to be loaded over that of one in memory, ``failures`` among the sessions created and stepped once.
    """
    with TemporaryDirectory(prefix="optionchain-bench-") as folder, private_redis(Path(folder)) as redis:
        in_process = asyncio.run(host_figures(redis, host or HostPlan()))
        return in_process | actor_figures(redis, actors or ActorsPlan())


def of_sessions(count: int) -> HostPlan:
    """The usual measurement with another number of sessions: a million takes some ten minutes and 2 GB of Redis."""
    usual = HostPlan()
    return replace(usual, created_and_stepped=count, resident=min(count, usual.resident))
