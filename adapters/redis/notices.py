"""What processes tell each other through a channel of Redis."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from adapters.redis.connection import RedisClient, redis_call, redis_errors
from optionchain.errors import Unavailable

LISTEN_SECONDS = 1.0


async def messages_of(
    client: RedisClient, channel: str, *, whose: str, timeout_seconds: float
) -> AsyncGenerator[bytes | None, None]:
    """What is said on a channel, without end.

    None whenever listening begins: at first, and when the driver has connected again, for what was said meanwhile is
    not known. Where nothing is said, Redis is asked every second whether it still talks to us.

    Args:
        client: An open client.
        channel: Its name.
        whose: Who listens, in messages.
        timeout_seconds: Patience with the answer to that.

    Raises:
        Unavailable: Redis talks to us no more.
    """
    with redis_errors(whose):
        await client.initialize()
        async with client.pubsub() as subscription:
            await subscription.subscribe(channel)
            while True:
                message = await _next_message(subscription, whose, timeout_seconds)
                if message["type"] == "subscribe":
                    yield None
                elif message["type"] == "message":
                    yield message["data"]


async def _next_message(subscription: Any, whose: str, timeout_seconds: float) -> dict[str, Any]:
    message = await subscription.get_message(timeout=LISTEN_SECONDS)
    if message is None:
        await subscription.ping()
        message = await subscription.get_message(timeout=timeout_seconds)
    if message is None:
        raise Unavailable(whose)
    heard: dict[str, Any] = message
    return heard


class RedisNotices:
    """The `Notices` on Redis.

    Args:
        client: An open client; closed by `close`.
        channel: Where they are told.
        whose: Who tells and listens, in messages: ``the list of API keys``.
        timeout_seconds: Patience with one call.
    """

    def __init__(
        self, client: RedisClient, channel: str, *, whose: str, timeout_seconds: float = 2.0
    ) -> None:
        self._client = client
        self._channel = channel
        self._whose = whose
        self._timeout_seconds = timeout_seconds

    async def tell(self, notice: str) -> None:
        async with redis_call(self._whose, self._timeout_seconds):
            await self._client.execute_command("PUBLISH", self._channel, notice)

    async def heard(self) -> AsyncGenerator[str | None, None]:
        said = messages_of(
            self._client, self._channel, whose=self._whose, timeout_seconds=self._timeout_seconds
        )
        async with aclosing(said):
            async for message in said:
                yield None if message is None else message.decode()

    async def close(self) -> None:
        """Release the connections."""
        await self._client.aclose()
