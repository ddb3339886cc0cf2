"""Keeps tenants within their quotas. Where quotas are off there is none of this, and nobody asks for it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext

from cluster.quotas.leases import Leases
from cluster.quotas.limits import HeldLimits, LimitService
from optionchain.access.quotas import Quota, QuotaFull, QuotaUsedUp, refusal_of, sessions_full
from optionchain.errors import OptionChainError, Overloaded, Unavailable
from optionchain.observing import Observer
from optionchain.ports import QuotaCounts, SessionStore
from optionchain.session import SessionKind

REFUSED = "quota.refused"
CONTRACT = b'{"strike":'
"""How each contract of an encoded snapshot begins, and nothing else in it."""


class Amounts:
    """Counts amounts that tenants take. What cannot be counted because Redis is silent is granted.

    Args:
        limits: How much that may be.
        counts: How much it is.
        observer: Told of what is refused.
    """

    def __init__(self, limits: HeldLimits, counts: QuotaCounts, observer: Observer) -> None:
        self._limits = limits
        self._counts = counts
        self._observer = observer

    @asynccontextmanager
    async def spending(self, tenant: str, quota: Quota, amount: int) -> AsyncIterator[None]:
        """Count an amount before something is begun; it is given back where that is refused.

        What may have been begun all the same counts: nobody is given anything by hanging up.

        Raises:
            QuotaUsedUp: It is more than is left.
            QuotaFull: The same, and waiting does not help.
        """
        limit = self._limits.of(tenant, quota)
        is_counted = limit is not None and await self._spend(tenant, quota, amount, limit)
        try:
            yield
        except OptionChainError as error:
            was_refused = isinstance(error, Overloaded) or not isinstance(error, Unavailable)
            if is_counted and was_refused:
                await self._give_back(tenant, quota, amount)
            raise

    async def close(self) -> None:
        """Count no more."""
        await self._counts.close()

    async def _spend(self, tenant: str, quota: Quota, amount: int, limit: int) -> bool:
        try:
            spent = await self._counts.spend(tenant, quota, amount, limit)
        except Unavailable:
            return False
        if not spent.is_granted:
            raise self._told(refusal_of(quota, limit, amount, spent))
        return True

    async def _give_back(self, tenant: str, quota: Quota, amount: int) -> None:
        try:
            await self._counts.spend(tenant, quota, -amount, None)
        except Unavailable:
            return  # it counts until its day is over

    def _told(self, refusal: QuotaUsedUp | QuotaFull) -> QuotaUsedUp | QuotaFull:
        self._observer.counted(REFUSED, quota=refusal.quota.value)
        return refusal


class Quotas(Amounts):
    """The same, and what else the routes ask: sessions alive, and contracts a second.

    Args:
        limits: How much that may be.
        counts: How much it is.
        setting: Sets how much it may be.
        max_tenants: So many have leases.
        observer: Told of what is refused.
    """

    def __init__(
        self,
        limits: HeldLimits,
        counts: QuotaCounts,
        setting: LimitService,
        *,
        max_tenants: int,
        observer: Observer,
    ) -> None:
        super().__init__(limits, counts, observer)
        self.setting = setting
        self._leases = Leases(counts, max_tenants=max_tenants)

    async def reserve(self, store: SessionStore, tenant: str, kind: SessionKind, session_id: str) -> None:
        """Have room for a session that is about to be created.

        Raises:
            QuotaFull: So many are alive.
            Unavailable: The store does not answer, as it would not to the creation.
        """
        limit = self._limits.of(tenant, Quota.SESSIONS)
        if limit is None:
            return
        first_expires_at = await store.reserve(tenant, kind, session_id, most=limit)
        if first_expires_at is not None:
            raise self._told(sessions_full(limit, first_expires_at))

    async def admit(self, tenant: str) -> None:
        """Let snapshots be computed.

        Raises:
            QuotaUsedUp: The tenant was served as many contracts as it may be, for now.
        """
        limit = self._limits.of(tenant, Quota.CONTRACTS)
        if limit is None:
            return
        try:
            await self._leases.admit(tenant, limit)
        except QuotaUsedUp as refusal:
            raise self._told(refusal) from None

    async def pause(self, tenant: str) -> float:
        """As `admit`, for who may wait: seconds until it is worth asking again; 0 where snapshots may be computed."""
        limit = self._limits.of(tenant, Quota.CONTRACTS)
        try:
            if limit is not None:
                await self._leases.admit(tenant, limit)
        except QuotaUsedUp as refusal:
            return refusal.retry_after_seconds
        return 0.0

    def served(self, tenant: str, snapshots: bytes) -> None:
        """Count the contracts of encoded snapshots."""
        if self._limits.of(tenant, Quota.CONTRACTS) is not None:
            self._leases.served(tenant, snapshots.count(CONTRACT))

    async def used(self, store: SessionStore, tenant: str) -> dict[Quota, int]:
        """What counts of a tenant now; of contracts, which are forgotten within a second, nothing is told."""
        pages = [await store.list_active(tenant, kind, limit=1) for kind in SessionKind]
        used = {Quota.SESSIONS: sum(page.total for page in pages)}
        for quota in (Quota.EXPORT_ROWS, Quota.SWEEP_PRICES, Quota.STORAGE):
            used[quota] = (await self._counts.spend(tenant, quota, 0, None)).used
        return used


def spending(
    quotas: Amounts | None, tenant: str, quota: Quota, amount: int
) -> AbstractAsyncContextManager[None]:
    """As `Amounts.spending`; nothing where quotas are off."""
    return nullcontext() if quotas is None else quotas.spending(tenant, quota, amount)
