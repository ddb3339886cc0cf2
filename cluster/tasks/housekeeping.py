"""The kinds `cache_warm` and `session_cleanup`: what the actors do by themselves, at a time of one's own."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from adapters.redis.session_store import open_session_store
from cluster.settings import Settings
from cluster.tasks.kind import TaskParameters, kind
from cluster.tasks.work import Work
from optionchain.access.roles import Permission


class NoParameters(TaskParameters):
    """There are none."""


def warm(work: Work, _: NoParameters) -> Mapping[str, Any]:
    """Have the history actor load the days that are used most, as when it starts."""
    return {"days": asyncio.run(work.open_history().warm())}


def clean_up(work: Work, _: NoParameters) -> Mapping[str, Any]:
    """Forget sessions whose time to live is over, as session actors do from time to time."""
    return {"sessions": asyncio.run(_cleaned_up(work.settings))}


async def _cleaned_up(settings: Settings) -> int:
    store = open_session_store(
        settings.redis,
        ttl_seconds=settings.session.ttl_seconds,
        keyed_seconds=settings.http.idempotency_seconds,
    )
    try:
        return await store.cleanup_expired()
    finally:
        await store.close()


CACHE_WARM = kind(
    "cache_warm",
    "Load the days of history that are used most into the cache",
    NoParameters,
    warm,
    permission=Permission.ADMINISTER,
)
SESSION_CLEANUP = kind(
    "session_cleanup",
    "Forget sessions whose time to live is over",
    NoParameters,
    clean_up,
    permission=Permission.ADMINISTER,
)
