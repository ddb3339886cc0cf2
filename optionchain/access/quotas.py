"""What one tenant may take of what all tenants share: the quotas, what is set of them, and how a refusal reads."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from optionchain.errors import OptionChainError
from optionchain.wire.instants import instant_to_wire

DAY_SECONDS = 86_400


class Quota(StrEnum):
    """What is counted of a tenant."""

    SESSIONS = "sessions"
    """Sessions and simulations that are alive."""
    CONTRACTS = "contracts_per_second"
    """Contracts (strikes of an expiration) in the snapshots that are served: steps, peeks and streams."""
    EXPORT_ROWS = "export_rows_per_day"
    """Rows of exported sessions and simulations, on a day of UTC."""
    SWEEP_PRICES = "sweep_prices_per_day"
    """Scenarios times paths times steps of submitted sweeps, on a day of UTC."""
    STORAGE = "storage_bytes"
    """Bytes of the files of history that were imported, over HTTP and by tasks."""

    @property
    def period_seconds(self) -> int:
        """After so long what was counted is forgotten; 0 for never."""
        return DAY_SECONDS if self in (Quota.EXPORT_ROWS, Quota.SWEEP_PRICES) else 0


@dataclass(frozen=True, slots=True)
class TenantLimits:
    """What was set of one tenant.

    Attributes:
        tenant: Whose.
        limits: By quota; 0 is no limit, and one that is not there is as the settings say.
    """

    tenant: str
    limits: Mapping[Quota, int]


@dataclass(frozen=True, slots=True)
class Spent:
    """What came of counting.

    Attributes:
        is_granted: Whether it was within the limit, and counted.
        used: What counts now.
        free_seconds: From now until nothing counts any more; None where that is never.
    """

    is_granted: bool
    used: int
    free_seconds: float | None


class QuotaUsedUp(OptionChainError):
    """A quota is used up for now; nothing was done.

    Args:
        quota: Which one.
        limit: How much it is.
        retry_after_seconds: From now until it is free again.
    """

    retryable = True

    def __init__(self, quota: Quota, limit: int, retry_after_seconds: float) -> None:
        super().__init__(quota, limit, retry_after_seconds)
        self.quota = quota
        self.limit = limit
        self.retry_after_seconds = retry_after_seconds

    def __str__(self) -> str:
        seconds = max(math.ceil(self.retry_after_seconds), 1)
        return (
            f"the quota {self.quota} ({self.limit:,}) is used up: it is free again in {seconds} "
            f"second{'s' if seconds > 1 else ''}"
        )


class QuotaFull(OptionChainError):
    """A quota has no room for this, and time alone does not give it any; nothing was done.

    Args:
        quota: Which one.
        limit: How much it is.
        remedy: What gives room, as the end of a sentence.
    """

    def __init__(self, quota: Quota, limit: int, remedy: str) -> None:
        super().__init__(quota, limit, remedy)
        self.quota = quota
        self.limit = limit
        self.remedy = remedy

    def __str__(self) -> str:
        return f"the quota {self.quota} ({self.limit:,}) has no room for this: {self.remedy}"


ASK_FOR_MORE = "ask for less, or an administrator to raise it"


def refusal_of(quota: Quota, limit: int, amount: int, spent: Spent) -> QuotaUsedUp | QuotaFull:
    """Why an amount was not granted.

    Args:
        quota: Of which.
        limit: How much it is.
        amount: What was asked for.
        spent: What came of it.
    """
    if spent.free_seconds is None or amount > limit:
        return QuotaFull(quota, limit, f"{spent.used:,} are used, this takes {amount:,}; {ASK_FOR_MORE}")
    return QuotaUsedUp(quota, limit, spent.free_seconds)


def sessions_full(limit: int, first_expires_at: float) -> QuotaFull:
    """Why one more session is not made.

    Args:
        limit: How many there may be.
        first_expires_at: Unix time in seconds at which the first of them expires, unless it is used again.
    """
    instant = instant_to_wire(datetime.fromtimestamp(math.ceil(first_expires_at), UTC))
    return QuotaFull(Quota.SESSIONS, limit, f"delete one, or wait until one expires, at {instant} the first")
