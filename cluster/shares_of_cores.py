"""How many replicas and session actors a machine gets that has it all to itself: as many as its cores keep busy."""

from __future__ import annotations

import os

from cluster.settings import Settings

CORES_A_PAIR = 2
"""A replica and an actor need about as much of a step each; HAProxy, Redis and Ray the rest of two cores."""
MOST_PAIRS = 8
"""What HAProxy passes on one core."""


def cores() -> int:
    """Those that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


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
    if "placement" not in settings.session.model_fields_set:
        changes["session"] = {"placement": f"shards:{pairs}"}
    return settings.with_changes(changes)
