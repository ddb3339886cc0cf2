"""What is kept about quotas: what was set of each tenant, and what counts of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from optionchain.access.quotas import Quota, Spent, TenantLimits


class Portion(NamedTuple):
    """A part of what a tenant may have a second, taken in advance.

    Attributes:
        granted: How much.
        wait_seconds: From now until there is some again; 0 where some was granted.
    """

    granted: int
    wait_seconds: float


class QuotaRepository(Protocol):
    """What was set of each tenant. Every method raises `Unavailable` when the store does not answer."""

    async def save(self, limits: TenantLimits) -> None:
        """Keep what is set of a tenant, in place of what was."""
        ...

    async def listed(self, *, limit: int) -> Sequence[TenantLimits]:
        """What is set, by tenant."""
        ...

    async def remove(self, tenant: str) -> None:
        """Forget what is set of a tenant. Raises `NotFound` where nothing is."""
        ...


class QuotaCounts(Protocol):
    """What counts of each tenant; one count for all processes, which raises `Unavailable` when it cannot be reached."""

    async def spend(self, tenant: str, quota: Quota, amount: int, limit: int | None) -> Spent:
        """Count an amount, unless that leads over the limit; a negative one is given back, and None is no limit."""
        ...

    async def lease(self, tenant: str, *, a_second: int, owed: int, portion: int) -> Portion:
        """Take a portion of the contracts of a tenant, what was served beyond earlier ones having been counted.

        Args:
            tenant: Whose.
            a_second: How many it may have a second; as many at once.
            owed: Served, and in no portion.
            portion: How many to take; all or none of them are granted.
        """
        ...

    async def close(self) -> None:
        """Release the connections."""
        ...
