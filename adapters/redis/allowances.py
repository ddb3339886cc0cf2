"""How many requests each caller may make, counted in Redis for all replicas, in one round trip a request.

Ours rather than the `limits` library's: that opens connections of its own, which would have to be told of sentinels and
clusters a second time, and it asks twice where an answer is to say what remains.

Key: ``<prefix>:rate:<caller>``, the instant (microseconds from 1970) at which nothing counts as used; it expires then.
"""

from __future__ import annotations

from typing import Unpack

from adapters.redis.connection import RedisClient
from adapters.redis.counts import MICROSECONDS, CountOptions, RedisCounts
from adapters.settings import RateSettings
from optionchain.ports import Allowance

# The generic cell rate algorithm (ITU-T I.371): each request moves the instant at which nothing counts as used by one
# interval, and is refused where that would lead further ahead than `burst` intervals. By Redis's clock, which is one.
# ARGV: the interval in microseconds, and how far ahead that instant may be.
# Answers with how far it is, and how long until the request may come.
TAKE = """
local interval, window = tonumber(ARGV[1]), tonumber(ARGV[2])
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local ahead = math.max((redis.call('GET', KEYS[1]) or now) - now, 0)
local wait = ahead + interval - window
if wait > 0 then return {ahead, wait} end
ahead = ahead + interval
redis.call('SET', KEYS[1], string.format('%.0f', now + ahead), 'PX', math.ceil(ahead / 1000))
return {ahead, 0}
"""


class RedisAllowances(RedisCounts):
    """The `Allowances` on Redis.

    Args:
        client: As `RedisCounts` takes it.
        settings: The rate, which is not 0.
        options: Those of `RedisCounts`.
    """

    what = "the rate limiter"

    def __init__(self, client: RedisClient, settings: RateSettings, **options: Unpack[CountOptions]) -> None:
        super().__init__(client, **options)
        self._burst = settings.burst
        self._interval = round(60 * MICROSECONDS / settings.per_minute)

    async def take(self, caller: str) -> Allowance:
        """Count a request of a caller, unless it is over the limit.

        Raises:
            Unavailable: Redis does not answer, or did not a moment ago.
        """
        window = self._interval * self._burst
        ahead, wait = await self.run("limiter.take", TAKE, f"rate:{caller}", self._interval, window)
        return Allowance(
            limit=self._burst,
            remaining=self._burst - -(-ahead // self._interval),
            whole_seconds=ahead / MICROSECONDS,
            retry_seconds=wait / MICROSECONDS,
        )
