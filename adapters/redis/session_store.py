"""Sessions in Redis: one hash each, written by compare-and-swap on its version, gone at its time to live.

Keys, those of one script in one slot, so that Redis Cluster can run it:

- ``<prefix>:session:{<id>}`` (hash).
- ``<prefix>:keyed:{<id>}:<period>`` (hash): what its keyed commands were given, in a period as long as a key lives.
- ``<prefix>:active:{<owner>}:<kind>`` (sorted set): ids by the instant at which they expire.
- ``{<prefix>:owners}-due`` and ``{<prefix>:owners}-claimed`` (sorted sets): the owners who have such lists, by the
  instant at which these are to be cleaned, or until which somebody cleans them.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

import orjson

from adapters.redis.cache_scripts import with_room
from adapters.redis.connection import RedisClient, nodes_of, open_redis, redis_call
from adapters.redis.session_records import fields_of, hash_fields, new_keyed, recalled, score_of, session_of
from adapters.redis.session_scripts import CLAIM, RESERVE, SAVE
from adapters.settings import RedisSettings
from optionchain.errors import Conflict, NotFound, OptionChainError, Unavailable
from optionchain.ports import ActivePage, Checkpoint
from optionchain.session import Served, Session, SessionKind

STORED, DELETED = 1, -1

CLAIMED_TOGETHER = 256
# Of keyed commands: the period in which is written, and those in which it may have been, by a clock that jumped since.
PERIODS = (0, -1, -2, 1)
# Longer than cleaning takes; an owner whose cleaner died is due again then.
CLAIM_SECONDS = 30.0
# Longer than a creation takes.
RESERVED_SECONDS = 30.0


def open_session_store(
    redis: RedisSettings, *, ttl_seconds: float, keyed_seconds: float
) -> RedisSessionStore:
    """The session store of this process. Here, so that the process of an actor imports no more than it needs."""
    return RedisSessionStore(
        open_redis(redis),
        prefix=redis.prefix,
        ttl_seconds=ttl_seconds,
        keyed_seconds=keyed_seconds,
        wait_replicas=redis.wait_replicas,
        timeout_seconds=redis.timeout_seconds,
    )


class RedisSessionStore:
    """The `SessionStore` on one Redis-protocol server, on sentinels or on a cluster.

    Args:
        client: An open client; closed by `close`.
        prefix: Prefix of every key.
        ttl_seconds: How long a session lives after its last write.
        keyed_seconds: How long, at least, keyed commands are remembered.
        wait_replicas: Replicas that must acknowledge a save; 0 for none.
        timeout_seconds: Patience with one call; half of it with those replicas.
        clock: Unix time in seconds.
    """

    def __init__(
        self,
        client: RedisClient,
        *,
        prefix: str = "ocs",
        ttl_seconds: float = 86_400.0,
        keyed_seconds: float = 86_400.0,
        wait_replicas: int = 0,
        timeout_seconds: float = 2.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._client = client
        self._prefix = prefix
        self._ttl_seconds = ttl_seconds
        self._keyed_seconds = keyed_seconds
        self._wait_replicas = wait_replicas
        self._timeout_seconds = timeout_seconds
        self._clock = clock

    async def get(self, session_ids: Sequence[str]) -> Mapping[str, Session]:
        hashes = await self._pipelined(("HGETALL", self._key(session_id)) for session_id in session_ids)
        return {
            session_id: session_of(session_id, fields_of(fields))
            for session_id, fields in zip(session_ids, hashes, strict=True)
            if fields
        }

    async def versions(self, session_ids: Sequence[str]) -> Mapping[str, int]:
        versions = await self._pipelined(
            ("HGET", self._key(session_id), "version") for session_id in session_ids
        )
        pairs = zip(session_ids, versions, strict=True)
        return {session_id: int(version) for session_id, version in pairs if version is not None}

    async def recall(self, wanted: Mapping[str, Sequence[str]]) -> Mapping[str, tuple[Served, ...]]:
        commands: list[tuple[Any, ...]] = []
        for session_id, ids in wanted.items():
            commands.append(("HGET", self._key(session_id), "since"))
            commands += [("HMGET", key, *ids) for key in self._keyed_keys(session_id)]
        answers = iter(await self._pipelined(commands))
        found: dict[str, tuple[Served, ...]] = {}
        for session_id, ids in wanted.items():
            since, *periods = islice(answers, 1 + len(PERIODS))
            given = zip(
                ids, (next(filter(None, each), None) for each in zip(*periods, strict=True)), strict=True
            )
            of_session = tuple(recalled(command_id, it, int(since or 1)) for command_id, it in given if it)
            if of_session:
                found[session_id] = of_session
        return found

    async def save(self, checkpoints: Sequence[Checkpoint]) -> Sequence[OptionChainError | None]:
        # The index first: a deletion by another process, between the two, must find the entry that it removes.
        lists, new = self._lists(checkpoints), {c.session.owner for c in checkpoints if c.before is None}
        index = [("ZADD", self._active_key(*which), *members) for which, members in lists.items()]
        if new:
            index.append(self._due_command(new))
        commands = index + [self._save_command(checkpoint) for checkpoint in checkpoints]
        kept = [self._key(checkpoint.session.id) for checkpoint in checkpoints] if self._wait_replicas else []
        answers = await self._pipelined(commands, replicated=kept)
        # Not new and yet not listed: by somebody's clock they had expired, and their owner may have been forgotten.
        unlisted = {owner for (owner, _), added in zip(lists, answers, strict=False) if added} - new
        if unlisted:
            await self._pipelined([self._due_command(unlisted)])
        answers = answers[len(index) :]
        results = [_refusal(c.session, code) for c, code in zip(checkpoints, answers, strict=False)]
        deleted = [c.session for c, code in zip(checkpoints, answers, strict=False) if code == DELETED]
        if deleted:
            await self._forget(deleted)
        return results

    async def delete(self, sessions: Sequence[Session]) -> None:
        await self._pipelined(("DEL", self._key(session.id)) for session in sessions)
        await self._forget(sessions)

    async def list_active(
        self, owner: str, kind: SessionKind, *, offset: int = 0, limit: int = 100
    ) -> ActivePage:
        key, now = self._active_key(owner, kind), self._clock()
        total, page = await self._pipelined(
            [
                ("ZCOUNT", key, f"({now}", "+inf"),
                ("ZREVRANGEBYSCORE", key, "+inf", f"({now}", "LIMIT", offset, limit),
            ]
        )
        return ActivePage(tuple(member.decode() for member in page), total)

    async def reserve(self, owner: str, kind: SessionKind, session_id: str, *, most: int) -> float | None:
        lists = [self._active_key(owner, each) for each in sorted(SessionKind, key=lambda it: it is not kind)]
        now = self._clock()
        reserve = ("EVAL", RESERVE, len(lists), *lists, now, now + RESERVED_SECONDS, session_id, most)
        first, _ = await self._pipelined([reserve, self._due_command([owner])])
        return float(first) if first else None

    async def cleanup_expired(self) -> int:
        now, dropped = self._clock(), 0
        claim = (
            "EVAL",
            CLAIM,
            2,
            self._due_key,
            self._claimed_key,
            now,
            now + CLAIM_SECONDS,
            CLAIMED_TOGETHER,
        )
        while True:
            (owners,) = await self._pipelined([claim])
            if owners:
                dropped += await self._clean([owner.decode() for owner in owners], now)
            if len(owners) < CLAIMED_TOGETHER:
                return dropped

    async def _clean(self, owners: Sequence[str], now: float) -> int:
        """Clean the lists of owners that were claimed; returns how many sessions left them."""
        keys = [(owner, self._active_key(owner, kind)) for owner in owners for kind in SessionKind]
        dropped = await self._pipelined(("ZREMRANGEBYSCORE", key, "-inf", now) for _, key in keys)
        firsts = await self._pipelined(("ZRANGE", key, 0, 0, "WITHSCORES") for _, key in keys)
        due = [
            ("ZADD", self._due_key, "LT", score_of(first), owner)
            for (owner, _), first in zip(keys, firsts, strict=True)
            if first
        ]
        await self._pipelined([*due, ("ZREM", self._claimed_key, *owners)])
        return sum(dropped)

    async def ping(self) -> None:
        await self._pipelined([("EXISTS", self._due_key)])

    async def close(self) -> None:
        await self._client.aclose()

    def _save_command(self, checkpoint: Checkpoint) -> tuple[Any, ...]:
        session = checkpoint.session
        served = orjson.dumps([(s.command_id, s.first_step, s.count) for s in session.served])
        keyed = new_keyed(checkpoint)
        keys = (self._key(session.id), *(self._keyed_keys(session.id) if keyed else ()))
        head = (SAVE, len(keys), *keys, checkpoint.expected_version, session.version, served)
        lives = (int(self._ttl_seconds * 1000), int(2 * self._keyed_seconds * 1000))
        return ("EVAL", *head, *lives, len(keyed) // 2, *keyed, *hash_fields(checkpoint))

    def _lists(self, checkpoints: Sequence[Checkpoint]) -> dict[tuple[str, SessionKind], list[Any]]:
        """What the lists of sessions hold from now on: scores and ids by owner and kind."""
        expires_at = self._clock() + self._ttl_seconds
        lists: defaultdict[tuple[str, SessionKind], list[Any]] = defaultdict(list)
        for session in (checkpoint.session for checkpoint in checkpoints):
            lists[session.owner, session.kind] += [expires_at, session.id]
        return lists

    def _due_command(self, owners: Iterable[str]) -> tuple[Any, ...]:
        """Have the lists of owners cleaned when what is written now expires, or sooner."""
        expires_at = self._clock() + self._ttl_seconds
        members = [part for owner in sorted(owners) for part in (expires_at, owner)]
        return ("ZADD", self._due_key, "LT", *members)

    async def _forget(self, sessions: Iterable[Session]) -> None:
        await self._pipelined(
            ("ZREM", self._active_key(session.owner, session.kind), session.id) for session in sessions
        )

    async def _pipelined(
        self, commands: Iterable[tuple[Any, ...]], *, replicated: Sequence[str] = ()
    ) -> list[Any]:
        """Send commands that may all be sent again.

        Args:
            commands: What to send.
            replicated: Keys that replicas must have afterwards.
        """
        commands = list(commands)
        async with redis_call("the session store", self._timeout_seconds):
            return await with_room(self._client, self._prefix, lambda: self._sent(commands, replicated))

    async def _sent(self, commands: Sequence[tuple[Any, ...]], replicated: Sequence[str]) -> list[Any]:
        targets = await nodes_of(self._client, replicated)
        if len(commands) == 1 and not targets:
            # The driver ends a pipeline with a task of its own: three turns of the loop.
            return [await self._client.execute_command(*commands[0])]
        pipeline = self._client.pipeline(transaction=False)
        for command in commands:
            pipeline.execute_command(*command)
        for target in targets:
            # It counts what its own connection has written.
            pipeline.execute_command("WAIT", self._wait_replicas, int(self._timeout_seconds * 500), **target)
        answers = list(await pipeline.execute())
        waited = answers[len(commands) :]
        if any(copies < self._wait_replicas for copies in waited) or (
            # A slot has moved, and what was written elsewhere was waited for by nobody.
            await nodes_of(self._client, replicated) != targets
        ):
            raise Unavailable("a replica of the session store")
        return answers[: len(commands)]

    def _key(self, session_id: str) -> str:
        return f"{self._prefix}:session:{{{session_id}}}"

    def _keyed_keys(self, session_id: str) -> tuple[str, ...]:
        """Each lives for two periods after it was last written, so that no command is forgotten before its key."""
        period = int(self._clock() / self._keyed_seconds)
        return tuple(f"{self._prefix}:keyed:{{{session_id}}}:{period + other}" for other in PERIODS)

    def _active_key(self, owner: str, kind: SessionKind) -> str:
        return f"{self._prefix}:active:{{{owner}}}:{kind.value}"

    @property
    def _due_key(self) -> str:
        return f"{{{self._prefix}:owners}}-due"

    @property
    def _claimed_key(self) -> str:
        return f"{{{self._prefix}:owners}}-claimed"


def _refusal(session: Session, code: int) -> OptionChainError | None:
    if code == STORED:
        return None
    if code == DELETED:
        return NotFound("session", session.id)
    return Conflict("session", session.id)
