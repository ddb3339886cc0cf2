"""What each tenant may take, in the hands of an administrator."""

from __future__ import annotations

from typing import Unpack

from optionchain_client.asynchronous.transport import AsyncTransport
from optionchain_client.checks import checked
from optionchain_client.quotas import QuotaLimits, TenantQuotas, UsedQuotas
from optionchain_client.requests import ApiRequest, reading, segment

QUOTAS = "/api/v1/quotas"


class AsyncQuotas:
    """Quotas. Every call raises `Forbidden` for who is no administrator, and `Conflict` where quotas are off."""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    async def listed(self) -> list[TenantQuotas]:
        """The tenants of whom something was set, by name."""
        answer = await self._transport.send(reading(QUOTAS))
        found: list[TenantQuotas] = answer["data"]
        return found

    async def get(self, tenant: str) -> UsedQuotas:
        """What a tenant may take, and what it has taken."""
        view: UsedQuotas = await self._transport.send(reading(_path(tenant)))
        return view

    async def set(self, tenant: str, **limits: Unpack[QuotaLimits]) -> UsedQuotas:
        """Set what a tenant may take, in place of what was set: 0 is no limit; of what is left out the settings count.

        Raises:
            TypeError: A name is unknown; the nearest known one is named.
        """
        body = checked(QuotaLimits, "quotas", limits)
        view: UsedQuotas = await self._transport.send(ApiRequest(method="PUT", path=_path(tenant), body=body))
        return view

    async def remove(self, tenant: str) -> UsedQuotas:
        """Let a tenant have what the settings say.

        Raises:
            NotFound: Nothing was set.
        """
        view: UsedQuotas = await self._transport.send(ApiRequest(method="DELETE", path=_path(tenant)))
        return view


def _path(tenant: str) -> str:
    return f"{QUOTAS}/{segment(tenant)}"
