"""What is counted in Redis for all processes: a call is one script on one key, and a silent Redis is left alone."""

from __future__ import annotations

from typing import Any, ClassVar, TypedDict

from adapters.circuit_breaker import CircuitBreaker
from adapters.redis.connection import RedisClient, redis_call
from optionchain.observing import Observer, Unobserved, observed

MICROSECONDS = 1_000_000
"""In a second, as scripts count them by Redis's clock."""


class CountOptions(TypedDict, total=False):
    """Those of `RedisCounts`."""

    prefix: str
    timeout_seconds: float
    observer: Observer | None


class RedisCounts:
    """Counts on Redis.

    Args:
        client: An open client; closed by `close`.
        prefix: Prefix of every key.
        timeout_seconds: Patience with one call.
        observer: Told of each call, and when Redis is left alone for a while.

    Attributes:
        what: What to call them in messages.
    """

    what: ClassVar[str]

    def __init__(
        self,
        client: RedisClient,
        *,
        prefix: str = "ocs",
        timeout_seconds: float = 2.0,
        observer: Observer | None = None,
    ) -> None:
        self._client = client
        self._prefix = prefix
        self._timeout_seconds = timeout_seconds
        self._observer = observer or Unobserved()
        self._breaker = CircuitBreaker(self.what, observer=self._observer)

    async def close(self) -> None:
        await self._client.aclose()

    async def run(self, operation: str, script: str, key: str, *arguments: int) -> Any:
        """What a script answers.

        Args:
            operation: What the observer is told.
            script: In Lua.
            key: Its key, without the prefix.
            arguments: Its arguments.

        Raises:
            Unavailable: Redis does not answer, or did not a moment ago.
        """

        async def run() -> Any:
            with observed(self._observer, "redis.call", operation=operation):
                async with redis_call(self.what, self._timeout_seconds):
                    return await self._client.eval(script, 1, f"{self._prefix}:{key}", *arguments)

        return await self._breaker.call(run)
