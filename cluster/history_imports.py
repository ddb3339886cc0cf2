"""Files into history, for the command line and for the service: the same import, and the cache that must hear of it."""

from __future__ import annotations

from collections.abc import Callable, Set
from datetime import date

from adapters.history_files import ImportPlan, ImportReport, import_file
from adapters.mongo.history import MongoHistoricalRepository
from adapters.redis.cache import RedisCacheService
from cluster.history_stores import forget_chains


async def imported(
    plan: ImportPlan,
    repository: MongoHistoricalRepository,
    cache: RedisCacheService,
    *,
    destination: str,
    replaced: set[date] | None = None,
    told: Callable[[int], object] = lambda _: None,
) -> ImportReport:
    """Store what a file has, and have a running service read it.

    Args:
        plan: Of the file.
        repository: Where it is stored.
        cache: In front of it.
        destination: A name of the store, as `import_file` has it.
        replaced: As `import_file` has it.
        told: Called with the rows of each batch.
    """

    async def stored(rows: int, days: Set[date]) -> None:
        told(rows)
        # Batch by batch: an import that is interrupted leaves nothing old in the cache.
        await forget_chains(repository, cache, plan.asset, days)

    return await import_file(plan, repository, stored, destination=destination, replaced=replaced)
