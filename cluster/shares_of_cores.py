"""How many replicas and session actors a machine gets that has it all to itself: as many as its cores keep busy."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from cluster.settings import Settings

CORES_A_PAIR = 2
"""A replica and an actor need about as much of a step each; HAProxy, Redis and Ray the rest of two cores."""
MOST_PAIRS = 8
"""What HAProxy passes on one core."""


# Where a container's share of the processor stands, by the version of control groups: quota and period, microseconds.
QUOTAS = (("cpu.max",), ("cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us"))


def cores(groups: Path = Path("/sys/fs/cgroup")) -> int:
    """Those that this process may use, of its machine or of its container's share of it.

    Args:
        groups: Where the system tells of control groups.
    """
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(min([allowed, *_quotas(groups)]), 1)


def _quotas(groups: Path) -> list[int]:
    found = []
    for files in QUOTAS:
        with suppress(OSError, ValueError):  # there is none, or it is "max"
            quota, period = (int(part) for file in files for part in (groups / file).read_text().split())
            if quota > 0:
                found.append(quota // period)
    return found


def with_shares_of_cores(settings: Settings, cores: int) -> Settings:
    """The settings with a replica and a session actor for each two cores, where they say nothing of either.

    Args:
        settings: As they were read: what is not set in them is not known any more once they were changed.
        cores: Of this machine.
    """
    pairs = min(max(cores // CORES_A_PAIR, 1), MOST_PAIRS)
    changes: dict[str, dict[str, object]] = {}
    if "replicas" not in settings.http.model_fields_set:
        changes["http"] = {"replicas": pairs}
    if "placement" not in settings.session.model_fields_set and settings.http.scale.is_fixed:
        changes["session"] = {"placement": f"shards:{pairs}"}
    return with_actors_for_replicas(settings.with_changes(changes))


def with_actors_for_replicas(settings: Settings) -> Settings:
    """The settings with a session actor for each replica that there may be, where the load decides on these and nothing
    is said of actors: which actor has a session must not depend on how many replicas there are at a moment."""
    scale = settings.http.scale
    if scale.is_fixed or "placement" in settings.session.model_fields_set:
        return settings
    return settings.with_changes({"session": {"placement": f"shards:{scale.most}"}})
