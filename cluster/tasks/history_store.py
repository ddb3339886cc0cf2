"""The store of history for the function of a kind, which runs in a thread of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from adapters.mongo.history import MongoHistoricalRepository
from cluster.history_stores import PATIENCE_SECONDS, open_history_repository
from cluster.settings import Settings

T = TypeVar("T")


def with_history(settings: Settings, use: Callable[[MongoHistoricalRepository], Awaitable[T]]) -> T:
    """What is done with the open store."""

    async def done() -> T:
        patient = settings.with_changes({"mongo": {"timeout_seconds": PATIENCE_SECONDS}})
        repository = open_history_repository(patient.mongo)
        try:
            return await use(repository)
        finally:
            await repository.close()

    return asyncio.run(done())
