"""What counts of each tenant's quotas, in Redis for all processes, by its clock.

Keys:

- ``<prefix>:quota:<quota>:<tenant>`` (hash): what is used in which period; gone when that is over.
- ``<prefix>:quota:contracts:<tenant>`` (hash): how many contracts count at which instant; gone when none does.

A call whose answer was lost may have been counted, and is counted again when it is repeated: a tenant loses by that,
and the limits hold.
"""

from __future__ import annotations

from adapters.redis.counts import MICROSECONDS, RedisCounts
from optionchain.access.quotas import Quota, Spent
from optionchain.ports.quotas import Portion

# ARGV: seconds of a period or 0, the amount, and the limit or -1.
# Answers with 1 where it was counted, what is used, and the seconds until nothing is, or -1.
SPEND = """
local period, amount, limit = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local now, current, free = tonumber(redis.call('TIME')[1]), 0, -1
if period > 0 then
    current = math.floor(now / period)
    free = (current + 1) * period - now
end
local held = redis.call('HMGET', KEYS[1], 'period', 'used')
local used = tonumber(held[1]) == current and tonumber(held[2]) or 0
if limit >= 0 and amount > 0 and used + amount > limit then return {0, used, free} end
if amount ~= 0 then
    used = math.max(used + amount, 0)
    redis.call('HSET', KEYS[1], 'period', string.format('%.0f', current), 'used', string.format('%.0f', used))
    if period > 0 then redis.call('EXPIREAT', KEYS[1], string.format('%.0f', now + free)) end
end
return {1, used, free}
"""
# A bucket that leaks as many contracts a second as it holds. What is owed goes in in any case, and a portion where it
# is not full: an answer may be larger than the bucket. It holds contracts, and no instant as in `allowances`: of
# a limit that is raised, more leaks at once.
# ARGV: contracts a second, what is owed, and the portion. Answers with what is granted, and the microseconds to wait.
LEASE = """
local rate, owed, portion = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local held = redis.call('HMGET', KEYS[1], 'used', 'at')
local used = (tonumber(held[1]) or 0) - math.max(now - (tonumber(held[2]) or now), 0) * rate / 1000000
used = math.max(used, 0) + owed
local granted, wait = 0, math.ceil((used - rate) / rate * 1000000) + 1
if used < rate then used, granted, wait = used + portion, portion, 0 end
redis.call('HSET', KEYS[1], 'used', string.format('%.6f', used), 'at', string.format('%.0f', now))
redis.call('PEXPIRE', KEYS[1], string.format('%.0f', math.ceil(used / rate * 1000) + 1))
return {granted, wait}
"""


class RedisQuotas(RedisCounts):
    """The `QuotaCounts` on Redis."""

    what = "what counts of quotas"

    async def spend(self, tenant: str, quota: Quota, amount: int, limit: int | None) -> Spent:
        """As `QuotaCounts.spend`."""
        arguments = quota.period_seconds, amount, -1 if limit is None else limit
        granted, used, free = await self.run(
            "quotas.spend", SPEND, f"quota:{quota.value}:{tenant}", *arguments
        )
        return Spent(bool(granted), used, None if free < 0 else float(free))

    async def lease(self, tenant: str, *, a_second: int, owed: int, portion: int) -> Portion:
        """As `QuotaCounts.lease`."""
        granted, wait = await self.run(
            "quotas.lease", LEASE, f"quota:contracts:{tenant}", a_second, owed, portion
        )
        return Portion(granted, wait / MICROSECONDS)
