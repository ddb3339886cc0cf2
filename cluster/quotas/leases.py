"""Contracts that a process may serve without asking anybody: taken from Redis in portions, ahead of their use.

How many contracts an answer has is known when it is made. So an answer is begun while anything of a portion is left,
and counted behind that; what it had beyond the portion is owed, and counts before the next portion is taken.

**How far that goes over a limit** of L a second: in any T seconds all processes together serve at most L (T + 1)
contracts, and beyond that two portions of L/10 for each process, and what the answers have that were under way in it
when its portion ran out.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import OrderedDict
from collections.abc import Callable

from optionchain.access.quotas import Quota, QuotaUsedUp
from optionchain.errors import Unavailable
from optionchain.ports import QuotaCounts

PORTIONS_A_SECOND = 10


def portion_of(a_second: int) -> int:
    """How many contracts a process takes at a time."""
    return math.ceil(a_second / PORTIONS_A_SECOND)


class Lease:
    """What a process has of one tenant's contracts.

    Args:
        a_second: The tenant's limit.
    """

    def __init__(self, a_second: int) -> None:
        self.a_second = a_second
        self.left = 0
        self.refused_until = -math.inf
        self.taking = asyncio.Lock()
        self.ahead: asyncio.Task[None] | None = None


class Leases:
    """The leases of a process.

    Args:
        counts: Where they are taken from.
        max_tenants: So many are kept; of the one who was idle longest, what is left and owed is forgotten.
        clock: Monotonic seconds.
    """

    def __init__(
        self, counts: QuotaCounts, *, max_tenants: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._counts = counts
        self._max_tenants = max_tenants
        self._clock = clock
        self._leases: OrderedDict[str, Lease] = OrderedDict()

    async def admit(self, tenant: str, a_second: int) -> None:
        """Let an answer be begun; without a round trip while there is something left.

        Raises:
            QuotaUsedUp: There is nothing left, and no portion to be had.
        """
        lease = self._of(tenant, a_second)
        if lease.left <= 0:
            await self._take(tenant, lease)
        elif lease.left <= portion_of(a_second) // 2 and (lease.ahead is None or lease.ahead.done()):
            lease.ahead = asyncio.create_task(self._take_ahead(tenant, lease))

    def served(self, tenant: str, contracts: int) -> None:
        """Count the contracts of an answer."""
        lease = self._leases.get(tenant)
        if lease is not None:
            lease.left -= contracts

    def _of(self, tenant: str, a_second: int) -> Lease:
        lease = self._leases.get(tenant)
        if lease is None:
            lease = self._leases[tenant] = Lease(a_second)
            if len(self._leases) > self._max_tenants:
                self._leases.popitem(last=False)
        elif lease.a_second != a_second:
            lease.a_second, lease.refused_until = a_second, -math.inf
        self._leases.move_to_end(tenant)
        return lease

    async def _take(self, tenant: str, lease: Lease) -> None:
        async with lease.taking:
            if lease.left > 0:
                return  # somebody who came before has taken some
            now = self._clock()
            if now >= lease.refused_until and not await self._lease(tenant, lease):
                return
            if lease.left <= 0 and lease.refused_until > now:
                raise QuotaUsedUp(Quota.CONTRACTS, lease.a_second, lease.refused_until - now)

    async def _take_ahead(self, tenant: str, lease: Lease) -> None:
        async with lease.taking:
            if self._clock() >= lease.refused_until:
                await self._lease(tenant, lease)

    async def _lease(self, tenant: str, lease: Lease) -> bool:
        """Take a portion; False where it cannot be told whether there is any: then nobody is refused."""
        owed = max(-lease.left, 0)
        portion = max(portion_of(lease.a_second) - max(lease.left, 0), 1)
        try:
            taken = await self._counts.lease(tenant, a_second=lease.a_second, owed=owed, portion=portion)
        except Unavailable:
            return False
        lease.left += owed + taken.granted
        if not taken.granted:
            lease.refused_until = self._clock() + taken.wait_seconds
        return True
