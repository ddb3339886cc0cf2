"""How many requests each caller may make, counted in Redis for all replicas, in one round trip a request.

Ours rather than the `limits` library's: that opens connections of its own, which would have to be told of sentinels and
clusters a second time, and it asks twice where an answer is to say what remains.

Key: ``<prefix>:rate:<caller>``, the instant (microseconds from 1970) at which nothing counts as used; it expires then.
"""

from __future__ import annotations

from adapters.circuit_breaker import CircuitBreaker
from adapters.redis_connection import RedisClient, redis_call
from adapters.settings import RateSettings
from optionchain.observing import Observer, Unobserved, observed
from optionchain.ports import Allowance

MICROSECONDS = 1_000_000
LIMITER = "the rate limiter"
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


class RedisAllowances:
    """The `Allowances` on Redis.

    Args:
        client: An open client; closed by `close`.
        settings: The rate, which is not 0.
        prefix: Prefix of every key.
        timeout_seconds: Patience with one call.
        observer: Told of each call, and when Redis is left alone for a while.
    """

    def __init__(
        self,
        client: RedisClient,
        settings: RateSettings,
        *,
        prefix: str = "ocs",
        timeout_seconds: float = 2.0,
        observer: Observer | None = None,
    ) -> None:
        self._client = client
        self._prefix = prefix
        self._timeout_seconds = timeout_seconds
        self._burst = settings.burst
        self._interval = round(60 * MICROSECONDS / settings.per_minute)
        self._observer = observer or Unobserved()
        self._breaker = CircuitBreaker(LIMITER, observer=self._observer)

    async def take(self, caller: str) -> Allowance:
        """Count a request of a caller, unless it is over the limit.

        Raises:
            Unavailable: Redis does not answer, or did not a moment ago.
        """
        ahead, wait = await self._breaker.call(lambda: self._take(caller))
        return Allowance(
            limit=self._burst,
            remaining=self._burst - -(-ahead // self._interval),
            whole_seconds=ahead / MICROSECONDS,
            retry_seconds=wait / MICROSECONDS,
        )

    async def close(self) -> None:
        await self._client.aclose()

    async def _take(self, caller: str) -> tuple[int, int]:
        key, window = f"{self._prefix}:rate:{caller}", self._interval * self._burst
        with observed(self._observer, "redis.call", operation="limiter.take"):
            async with redis_call(LIMITER, self._timeout_seconds):
                ahead, wait = await self._client.eval(TAKE, 1, key, self._interval, window)
        return ahead, wait
