"""Sessions and first answers as they stand in Redis, to be copied elsewhere and brought back with the life they had.

With its hash an item of a session has what its keyed commands were given, so it stands at one acknowledged step. A
process that has it in memory notices that it was brought back by its version, as it notices any other writer.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from adapters.copies import Item, Judgement, Wanted
from adapters.redis.connection import RedisClient
from adapters.redis.hash_copies import RedisHashes
from adapters.redis.session_store import PERIODS
from optionchain.session import SessionKind


class RedisSessions:
    """Sessions, each with what its keyed commands were given: `Copied`.

    Args:
        client: An open client, which others may use too.
        prefix: Prefix of every key.
        keyed_seconds: How long keyed commands are remembered.
        timeout_seconds: Patience with one call.
        clock: Unix time in seconds.
    """

    def __init__(
        self,
        client: RedisClient,
        *,
        prefix: str,
        keyed_seconds: float,
        timeout_seconds: float,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._hashes = RedisHashes(
            client,
            prefix=prefix,
            kind="session",
            told_by="version",
            # What was restored by force has a version for the second time, reached by other commands.
            marked_by=("version", "served"),
            timeout_seconds=timeout_seconds,
            beside=self._keyed,
        )
        self._prefix = prefix
        self._keyed_seconds = keyed_seconds
        self._clock = clock
        self.read, self.stored = self._hashes.read, self._hashes.stored
        self.entry, self.essence = self._hashes.entry, self._hashes.essence
        self.is_empty = self._hashes.is_empty

    def judge(self, item: Item, stored: Item | None) -> Judgement:
        """As `Copied.judge`: versions grow with every change."""
        judgement = self._hashes.judge(item, stored)
        if judgement == "newer" and stored is not None and _version(stored) < _version(item):
            return "older"
        return judgement

    def is_wanted(self, item: Item, wanted: Wanted) -> bool:
        """As `Copied.is_wanted`."""
        return item["_id"] in wanted.sessions or item["fields"]["owner"].decode() == wanted.owner

    async def write(self, changes: Sequence[tuple[Item, Item | None]]) -> list[bool]:
        """As `Copied.write`; the lists of sessions first, as when one is saved."""
        await self._hashes.sent(command for item, _ in changes for command in self._listing(item))
        return await self._hashes.write(changes)

    def _listing(self, item: Item) -> list[tuple[Any, ...]]:
        expires_at = self._clock() + item["lives_ms"] / 1000
        owner, kind = item["fields"]["owner"].decode(), SessionKind(item["fields"]["surface"].decode())
        active, due = f"{self._prefix}:active:{{{owner}}}:{kind.value}", f"{{{self._prefix}:owners}}-due"
        return [("ZADD", active, expires_at, item["_id"]), ("ZADD", due, "LT", expires_at, owner)]

    def _keyed(self, identity: str) -> tuple[str, ...]:
        period = int(self._clock() / self._keyed_seconds)
        return tuple(f"{self._prefix}:keyed:{{{identity}}}:{period + other}" for other in PERIODS)


def redis_answers(client: RedisClient, *, prefix: str, timeout_seconds: float) -> RedisHashes:
    """The first answers to keyed requests."""
    return RedisHashes(
        client,
        prefix=prefix,
        kind="answer",
        told_by="request",
        marked_by=("request",),
        timeout_seconds=timeout_seconds,
    )


def _version(item: Item) -> int:
    return int(item["fields"]["version"])
