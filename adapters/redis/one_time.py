"""What is taken once, in Redis, so that every replica can be the one that gives it.

Key: ``<prefix>:once:<name>``, the value; it expires, or goes with its first reader (GETDEL).
"""

from __future__ import annotations

from adapters.redis.connection import RedisClient, redis_call

WHOSE = "the store of sign-in codes"


class RedisOneTime:
    """The `OneTime` on Redis.

    Args:
        client: An open client; closed by `close`.
        prefix: Prefix of every key.
        timeout_seconds: Patience with one call.
    """

    def __init__(self, client: RedisClient, *, prefix: str = "ocs", timeout_seconds: float = 2.0) -> None:
        self._client = client
        self._prefix = prefix
        self._timeout_seconds = timeout_seconds

    async def keep(self, name: str, value: bytes, *, seconds: float) -> None:
        async with redis_call(WHOSE, self._timeout_seconds):
            await self._client.set(self._key(name), value, px=round(seconds * 1000))

    async def take(self, name: str) -> bytes | None:
        async with redis_call(WHOSE, self._timeout_seconds):
            value = await self._client.getdel(self._key(name))
        return value.encode() if isinstance(value, str) else value

    async def close(self) -> None:
        """Release the connections."""
        await self._client.aclose()

    def _key(self, name: str) -> str:
        return f"{self._prefix}:once:{name}"
