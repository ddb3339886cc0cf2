"""What can be set of quotas."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from optionchain.access.quotas import Quota

MOST = 10**15  # far from where a double, in which Redis counts, is no longer exact


class QuotaSettings(BaseModel):
    """What each tenant may take; 0 means no limit. Administrators may set a tenant's own while the service runs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    enabled: bool = Field(False, description="Whether quotas are counted at all")
    sessions: int = Field(0, ge=0, le=MOST, description="Sessions and simulations alive; then 403")
    contracts_per_second: int = Field(
        0, ge=0, le=1_000_000_000, description="Contracts in the snapshots that are served; then 429"
    )
    export_rows_per_day: int = Field(
        0, ge=0, le=MOST, description="Rows exported on a day (UTC); then 429 until it is over"
    )
    sweep_prices_per_day: int = Field(
        0,
        ge=0,
        le=MOST,
        description="Scenarios times paths times steps of sweeps on a day (UTC); then 429 until it is over",
    )
    storage_bytes: int = Field(
        0,
        ge=0,
        le=MOST,
        description="Bytes of files of history that were imported, over HTTP and by tasks; then 403",
    )
    max_tenants: int = Field(
        10_000,
        ge=1,
        le=1_000_000,
        description="Tenants of whom something may be set, and whom a replica counts",
    )

    def default_of(self, quota: Quota) -> int:
        """The limit of tenants of whom nothing is set; 0 for none."""
        limit: int = getattr(self, quota.value)
        return limit
