"""What is set and shown of a tenant's quotas."""

from __future__ import annotations

from typing import TypedDict


class QuotaLimits(TypedDict, total=False):
    """What a tenant may take; 0 is no limit."""

    sessions: int
    contracts_per_second: int
    export_rows_per_day: int
    sweep_prices_per_day: int
    storage_bytes: int


class QuotaAmounts(TypedDict):
    """An amount of each quota; null where there is none."""

    sessions: int | None
    contracts_per_second: int | None
    export_rows_per_day: int | None
    sweep_prices_per_day: int | None
    storage_bytes: int | None


class TenantQuotas(TypedDict):
    """What a tenant may take, 0 being no limit; `own` is what of it was set for this tenant."""

    tenant: str
    limits: QuotaAmounts
    own: QuotaAmounts


class UsedQuotas(TenantQuotas):
    """The same with what counts now; of contracts, which count for a second, nothing is told."""

    used: QuotaAmounts
