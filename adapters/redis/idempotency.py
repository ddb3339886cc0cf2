"""The first answers to keyed requests in Redis: one hash a key, gone after a day.

Key: ``<prefix>:answer:{<digest of owner and key>}`` (hash of `request`, a fingerprint, and `answer`, deflated).
"""

from __future__ import annotations

import hashlib
import time
import zlib
from collections import deque
from collections.abc import Callable
from typing import Any

from adapters.redis.cache_scripts import with_room
from adapters.redis.connection import RedisClient, redis_call
from optionchain.ports import KeyReused

# ARGV: fingerprint of the request, time to live in ms, and the answer where there is one to keep.
# The first request and the first answer stay, whoever comes second.
KEEP = """
redis.call('HSETNX', KEYS[1], 'request', ARGV[1])
local bound = redis.call('HGET', KEYS[1], 'request')
if ARGV[3] and bound == ARGV[1] then redis.call('HSETNX', KEYS[1], 'answer', ARGV[3]) end
if redis.call('PTTL', KEYS[1]) < 0 then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return {bound, redis.call('HGET', KEYS[1], 'answer')}
"""
# Level 1 takes 0.1 ms for a chain of 61 strikes (18 kB) and leaves a third.
COMPRESSION = 1
# What Redis takes for a key beside its answer (MEMORY USAGE, Valkey 9).
OVERHEAD_BYTES = 330


class RedisAnswers:
    """Keeps the first answer to each key of each owner.

    Sessions live in the same Redis and must not find it full: what this process keeps is bounded, each answer and all
    that are alive. Of an answer beyond that only its being is kept.

    Args:
        client: An open client; closed by `close`.
        prefix: Prefix of every key.
        timeout_seconds: Patience with one call.
        ttl_seconds: How long an answer is kept.
        max_bytes: Bound of one answer, after compression.
        total_bytes: Bound of all answers that are alive.
    """

    def __init__(
        self,
        client: RedisClient,
        *,
        prefix: str = "ocs",
        timeout_seconds: float = 2.0,
        ttl_seconds: float = 86_400.0,
        max_bytes: int,
        total_bytes: int = 512 << 20,
    ) -> None:
        self._client = client
        self._prefix = prefix
        self._timeout_seconds = timeout_seconds
        self._ttl_seconds = ttl_seconds
        self._max_bytes = max_bytes
        self._room = Room(total_bytes, ttl_seconds)

    async def begin(self, owner: str, key: str, request: bytes) -> bytes | None:
        """Bind the key to a request.

        Args:
            owner: Whose key it is.
            key: What the caller sent.
            request: Fingerprint of the request.

        Returns:
            The first answer; empty where there was no room for it; None where there was none yet.

        Raises:
            KeyReused: The key is bound to another request.
            Unavailable: Redis does not answer.
        """
        return await self._keep(owner, key, request)

    async def finish(self, owner: str, key: str, request: bytes, answer: bytes) -> None:
        """Keep an answer, unless one is kept already.

        Raises:
            KeyReused: The key is bound to another request.
            Unavailable: Redis does not answer.
        """
        deflated = zlib.compress(answer, COMPRESSION)
        size = len(deflated)
        is_kept = size <= self._max_bytes and self._room.take(size + OVERHEAD_BYTES)
        await self._keep(owner, key, request, deflated if is_kept else b"")

    async def close(self) -> None:
        await self._client.aclose()

    async def _keep(self, owner: str, key: str, request: bytes, *answer: bytes) -> bytes | None:
        milliseconds = int(self._ttl_seconds * 1000)
        async with redis_call("the memory of keyed requests", self._timeout_seconds):
            call: tuple[Any, ...] = ("EVAL", KEEP, 1, self._name(owner, key), request, milliseconds, *answer)
            bound, kept = await with_room(
                self._client, self._prefix, lambda: self._client.execute_command(*call)
            )
        if bound != request:
            raise KeyReused()
        return zlib.decompress(kept) if kept else kept

    def _name(self, owner: str, key: str) -> str:
        digest = hashlib.sha256(f"{owner}\0{key}".encode()).hexdigest()
        return f"{self._prefix}:answer:{{{digest}}}"


class Room:
    """Bytes that may be alive at a time, all for equally long.

    Args:
        total_bytes: How many.
        lifetime_seconds: How long each is alive.
        clock: Monotonic seconds.
    """

    PARTS = 24

    def __init__(
        self, total_bytes: int, lifetime_seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._free = total_bytes
        self._part_seconds = lifetime_seconds / self.PARTS
        self._clock = clock
        # Counted by the part of a lifetime in which they were taken: a byte is given back up to a part too late.
        self._taken: deque[tuple[int, int]] = deque()

    def take(self, size: int) -> bool:
        """Take so many bytes, if there are as many."""
        part = int(self._clock() / self._part_seconds)
        while self._taken and self._taken[0][0] < part - self.PARTS:
            self._free += self._taken.popleft()[1]
        if size > self._free:
            return False
        self._free -= size
        before = self._taken.pop()[1] if self._taken and self._taken[-1][0] == part else 0
        self._taken.append((part, before + size))
        return True
