"""The bodies of the routes of quotas."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from cluster.quotas.settings import MOST
from optionchain.access.quotas import Quota, TenantLimits


class Limits(BaseModel):
    """What a tenant may take; 0 means no limit."""

    model_config = ConfigDict(extra="forbid")

    sessions: int | None = Field(
        None, ge=0, le=MOST, strict=True, description="Sessions and simulations alive"
    )
    contracts_per_second: int | None = Field(
        None, ge=0, le=1_000_000_000, strict=True, description="Contracts in the snapshots that are served"
    )
    export_rows_per_day: int | None = Field(
        None, ge=0, le=MOST, strict=True, description="Rows exported on a day (UTC)"
    )
    sweep_prices_per_day: int | None = Field(
        None,
        ge=0,
        le=MOST,
        strict=True,
        description="Scenarios times paths times steps of sweeps on a day (UTC)",
    )
    storage_bytes: int | None = Field(
        None,
        ge=0,
        le=MOST,
        strict=True,
        description="Bytes of files of history that were imported, over HTTP and by tasks",
    )

    def of(self, tenant: str) -> TenantLimits:
        """What is set of a tenant; what is null or left out is as the settings say."""
        given = {quota: getattr(self, quota.value) for quota in Quota}
        return TenantLimits(tenant, {quota: limit for quota, limit in given.items() if limit is not None})


class TenantQuotas(BaseModel):
    """What a tenant may take."""

    tenant: str
    limits: Limits = Field(description="What is in force")
    own: Limits = Field(description="What of it was set for this tenant; null: as the settings say")


class UsedQuotas(TenantQuotas):
    """What a tenant may take, and what it has taken."""

    used: Limits = Field(description="What counts now; null of contracts, which count for a second")


class QuotaList(BaseModel):
    """The tenants of whom something was set, by name."""

    data: list[TenantQuotas]


def quotas_view(own: TenantLimits, in_force: Mapping[Quota, int]) -> dict[str, Any]:
    """What a tenant may take as it is shown."""
    return {"tenant": own.tenant, "limits": _named(in_force), "own": _named(own.limits)}


def used_view(own: TenantLimits, in_force: Mapping[Quota, int], used: Mapping[Quota, int]) -> dict[str, Any]:
    """The same with what it has taken."""
    return {**quotas_view(own, in_force), "used": _named(used)}


def _named(amounts: Mapping[Quota, int]) -> dict[str, int | None]:
    return {quota.value: amounts.get(quota) for quota in Quota}
