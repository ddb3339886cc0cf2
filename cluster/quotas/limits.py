"""What each tenant may take, held in each process, and what administrators do with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cluster.identity.following import CHANGED
from cluster.identity.telling import Telling
from cluster.quotas.settings import QuotaSettings
from optionchain.access.api_keys import is_owner
from optionchain.access.quotas import Quota, TenantLimits
from optionchain.errors import InvalidInput, NotFound
from optionchain.ports import QuotaRepository


class HeldLimits:
    """Knows what each tenant may take: what was set of it, or else what the settings say.

    Args:
        repository: Where that is.
        settings: Of quotas.
    """

    def __init__(self, repository: QuotaRepository, settings: QuotaSettings) -> None:
        self._repository = repository
        self._settings = settings
        self._own: Mapping[str, Mapping[Quota, int]] = {}

    def of(self, tenant: str, quota: Quota) -> int | None:
        """How much a tenant may take; None where there is no limit."""
        own = self._own.get(tenant)
        limit = self._settings.default_of(quota) if own is None or quota not in own else own[quota]
        return limit or None

    async def read(self) -> None:
        """Read what is set."""
        found = await self._repository.listed(limit=self._settings.max_tenants)
        self._own = {each.tenant: each.limits for each in found}

    def know(self, notice: str) -> None:
        """A notice of a change says nothing but that there is one: it is read again."""


class LimitService:
    """Sets what tenants may take, and tells all processes.

    Args:
        repository: Where that is kept.
        telling: Tells all processes.
        settings: Of quotas.
    """

    def __init__(self, repository: QuotaRepository, telling: Telling, settings: QuotaSettings) -> None:
        self._repository = repository
        self._telling = telling
        self._settings = settings

    async def listed(self) -> Sequence[TenantLimits]:
        """What is set, by tenant."""
        return await self._repository.listed(limit=self._settings.max_tenants)

    async def own(self, tenant: str) -> TenantLimits:
        """What is set of a tenant, who may have no limits of its own.

        Raises:
            InvalidInput: That is no name of a tenant.
        """
        if not is_owner(tenant):
            raise InvalidInput("tenant", "must be of letters, digits, - and _")
        return next((each for each in await self.listed() if each.tenant == tenant), TenantLimits(tenant, {}))

    async def set(self, limits: TenantLimits) -> None:
        """Set what a tenant may take, in place of what was set.

        Raises:
            InvalidInput: That is no name of a tenant, or there are as many as there may be.
        """
        known = await self.own(limits.tenant)
        if not known.limits and len(await self.listed()) >= self._settings.max_tenants:
            raise InvalidInput("tenant", f"{self._settings.max_tenants:,} have quotas already: remove some")
        await self._repository.save(limits)
        await self._telling.tell(CHANGED)

    async def remove(self, tenant: str) -> None:
        """Let a tenant have what the settings say.

        Raises:
            NotFound: Nothing was set.
        """
        if not is_owner(tenant):
            raise NotFound("quotas of", tenant)
        await self._repository.remove(tenant)
        await self._telling.tell(CHANGED)

    def in_force(self, own: TenantLimits) -> dict[Quota, int]:
        """All limits of a tenant; 0 for none."""
        return {quota: own.limits.get(quota, self._settings.default_of(quota)) for quota in Quota}
