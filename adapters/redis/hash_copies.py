"""Hashes as they stand in Redis, to be copied elsewhere and brought back with the life they had.

An item holds all that one script may touch, read by one script: the hash of an id, and those beside it. So it stands at
one acknowledged state.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import aclosing
from typing import Any

from redis.asyncio import RedisCluster

from adapters.copies import (
    Batch,
    Entry,
    Item,
    Judgement,
    Known,
    StartedAnew,
    Wanted,
    entry_id,
    nothing_known,
)
from adapters.redis.connection import RedisClient, redis_call

# So few that whoever steps meanwhile waits for a few ms of reading.
SCANNED_TOGETHER = 100
LIVES = ("lives_ms", "beside_lives_ms")
"""The fields of an item that pass by themselves."""

# KEYS: a hash, and others beside it. Answers with ms to live and fields of it, and of the others together.
READ = """
local beside, lives = {}, 0
for i = 2, #KEYS do
  for _, part in ipairs(redis.call('HGETALL', KEYS[i])) do beside[#beside + 1] = part end
  lives = math.max(lives, redis.call('PTTL', KEYS[i]))
end
return {redis.call('PTTL', KEYS[1]), redis.call('HGETALL', KEYS[1]), lives, beside}
"""

# KEYS: as above. ARGV: fields of the hash. Answers with ms to live of it and of the others, how many fields they have
# together, and those fields.
MARK = """
local lives, fields = 0, 0
for i = 1, #KEYS do
  fields = fields + redis.call('HLEN', KEYS[i])
  if i > 1 then lives = math.max(lives, redis.call('PTTL', KEYS[i])) end
end
return {redis.call('PTTL', KEYS[1]), lives, fields, redis.call('HMGET', KEYS[1], unpack(ARGV))}
"""

# KEYS: a hash, and one beside it. ARGV: name and expected value of its field that tells one state from another (''
# where there is no hash), ms to live of both, number of parts of the first, then fields and values of both.
WRITE = """
if (redis.call('HGET', KEYS[1], ARGV[1]) or '') ~= ARGV[2] then return 0 end
redis.call('DEL', KEYS[1])
local last = 5 + ARGV[5]
for i = 6, last, 2 do redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
redis.call('PEXPIRE', KEYS[1], ARGV[3])
if last < #ARGV then
  for i = last + 1, #ARGV, 2 do redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1]) end
  redis.call('PEXPIRE', KEYS[2], math.max(ARGV[4], redis.call('PTTL', KEYS[2])))
end
return 1
"""


def _nothing(_identity: str) -> tuple[str, ...]:
    return ()


class RedisHashes:
    """Hashes of one kind, which have no age and belong to nothing that is asked for: `Copied`.

    Args:
        client: An open client, which others may use too.
        prefix: Prefix of every key.
        kind: The part of a key behind the prefix.
        told_by: The field that tells one state of a hash from another.
        marked_by: Those that do so whatever has become of it meanwhile, together with the number of all fields.
        timeout_seconds: Patience with one call.
        beside: The keys of what belongs to the hash of an id, that which is written first.
    """

    def __init__(
        self,
        client: RedisClient,
        *,
        prefix: str,
        kind: str,
        told_by: str,
        marked_by: Sequence[str],
        timeout_seconds: float,
        beside: Callable[[str], tuple[str, ...]] = _nothing,
    ) -> None:
        self._client = client
        self._prefix = prefix
        self._kind = kind
        self._told_by = told_by
        self._marked_by = tuple(marked_by)
        self._timeout_seconds = timeout_seconds
        self._beside = beside

    async def read(
        self, after: Item | None = None, known: Known = nothing_known
    ) -> AsyncGenerator[Batch, None]:
        """As `Copied.read`: node by node, by a cursor that a server gives."""
        nodes = await self._nodes()
        done, cursor = await self._place(nodes, after)
        for name, node in nodes:
            if name < done:
                continue
            run = await self._run_of(node)
            while True:
                cursor, keys = await self._scanned(node, cursor)
                identities = [self._id_of(key) for key in keys]
                kept = [] if known is nothing_known else await self._kept(identities, known)
                saved = {entry.id for entry in kept}
                new = [identity for identity in identities if entry_id(identity) not in saved]
                items = [item for item in await self._hashes(new) if item]
                # A node that is done is behind the mark: the name that comes next.
                following = {"node": name if cursor else f"{name}\0", "run": run, "cursor": cursor}
                yield Batch(items, following, [*kept, *map(self.entry, items)])
                if not cursor:
                    break

    def entry(self, item: Item) -> Entry:
        """As `Copied.entry`."""
        marks = [item["fields"].get(field) for field in self._marked_by]
        mark = _mark(marks, len(item["fields"]) + len(item["beside"]))
        return Entry(entry_id(item["_id"]), mark, {field: item[field] for field in LIVES})

    async def stored(self, items: Sequence[Item]) -> list[Item | None]:
        """As `Copied.stored`."""
        return await self._hashes([item["_id"] for item in items])

    def judge(self, item: Item, stored: Item | None) -> Judgement:
        """As `Copied.judge`; a hash has no age."""
        if stored is None:
            return "absent"
        return "same" if item["fields"] == stored["fields"] else "newer"

    def essence(self, item: Item) -> Any:
        """As `Copied.essence`."""
        return item["_id"], item["fields"], item["beside"]

    def is_wanted(self, item: Item, wanted: Wanted) -> bool:
        """As `Copied.is_wanted`."""
        return False

    async def write(self, changes: Sequence[tuple[Item, Item | None]]) -> list[bool]:
        """As `Copied.write`."""
        answers = await self.sent(self._write_command(item, stored) for item, stored in changes)
        return [bool(answer) for answer in answers]

    async def is_empty(self) -> bool:
        """As `Copied.is_empty`."""
        async with aclosing(self.read()) as batches:
            async for batch in batches:
                if batch.items:
                    return False
        return True

    async def sent(self, commands: Iterable[tuple[Any, ...]]) -> list[Any]:
        """What the server answers to some commands, each of which may be sent again.

        Raises:
            Unavailable: It does not answer.
        """
        pipeline = self._client.pipeline(transaction=False)
        for command in commands:
            pipeline.execute_command(*command)
        async with self._call():
            return list(await pipeline.execute())

    def _write_command(self, item: Item, stored: Item | None) -> tuple[Any, ...]:
        identity, fields = item["_id"], _parts(item["fields"])
        expected = stored["fields"][self._told_by] if stored else b""
        keys = (self._key(identity), *self._beside(identity)[:1])
        lives = (item["lives_ms"], item["beside_lives_ms"])
        told = (self._told_by, expected, *lives, len(fields))
        return ("EVAL", WRITE, len(keys), *keys, *told, *fields, *_parts(item["beside"]))

    async def _hashes(self, identities: Sequence[str]) -> list[Item | None]:
        keys = [(self._key(identity), *self._beside(identity)) for identity in identities]
        answers = await self.sent(("EVAL", READ, len(each), *each) for each in keys)
        return [_item(identity, answer) for identity, answer in zip(identities, answers, strict=True)]

    async def _kept(self, identities: Sequence[str], known: Known) -> list[Entry]:
        """The entries, as they are now, of those hashes that need not be read."""
        keys = [(self._key(identity), *self._beside(identity)) for identity in identities]
        answers = await self.sent(("EVAL", MARK, len(each), *each, *self._marked_by) for each in keys)
        entries = [
            Entry(entry_id(identity), _mark(marks, fields), dict(zip(LIVES, lives, strict=True)))
            for identity, (*lives, fields, marks) in zip(identities, answers, strict=True)
            if lives[0] > 0
        ]
        saved = known(entries)
        return [entry for entry in entries if entry.id in saved]

    async def _place(self, nodes: Sequence[tuple[str, Any]], after: Item | None) -> tuple[str, int]:
        """The node where reading goes on, and the cursor there: it means something to the server that gave it alone."""
        if after is None:
            return "", 0
        name, cursor = after["node"], int(after["cursor"])
        known = dict(nodes)
        if cursor and (name not in known or await self._run_of(known[name]) != after["run"]):
            raise StartedAnew
        return name, cursor

    async def _nodes(self) -> list[tuple[str, Any]]:
        """Every server that has keys of its own, by name and in order."""
        if not isinstance(self._client, RedisCluster):
            return [("", None)]
        async with self._call():
            await self._client.initialize()
        return sorted((node.name, node) for node in self._client.get_primaries())

    async def _run_of(self, node: Any) -> str:
        async with self._call():
            info: Any = await self._client.execute_command("INFO", "server", **_at(node))
        # Of a cluster: by the names of the nodes that were asked.
        return str((info if "run_id" in info else next(iter(info.values())))["run_id"])

    async def _scanned(self, node: Any, cursor: int) -> tuple[int, list[bytes]]:
        pattern = f"{self._prefix}:{self._kind}:{{*}}"
        async with self._call():
            found: Any = await self._client.scan(cursor, match=pattern, count=SCANNED_TOGETHER, **_at(node))
        following, keys = found
        # Of a cluster: the cursors of all nodes that were asked, by name.
        following = following if node is None else next(iter(following.values()))
        return int(following), list(keys)

    def _call(self) -> Any:
        return redis_call("the Redis that is copied", self._timeout_seconds)

    def _key(self, identity: str) -> str:
        return f"{self._prefix}:{self._kind}:{{{identity}}}"

    def _id_of(self, key: bytes) -> str:
        return key.decode().partition("{")[2].removesuffix("}")


def _item(identity: str, answer: Sequence[Any]) -> Item | None:
    lives, fields, beside_lives, beside = answer
    if lives <= 0:  # it is gone
        return None
    return {
        "_id": identity,
        "fields": _named(fields),
        "lives_ms": lives,
        "beside": _named(beside),
        "beside_lives_ms": beside_lives,
    }


def _mark(marks: Sequence[bytes | None], fields: int) -> bytes:
    return hashlib.sha256(repr((list(marks), fields)).encode()).digest()[:16]


def _named(parts: Sequence[bytes]) -> dict[str, bytes]:
    return {name.decode(): value for name, value in zip(parts[::2], parts[1::2], strict=True)}


def _parts(named: dict[str, bytes]) -> list[Any]:
    return [part for pair in named.items() for part in pair]


def _at(node: Any) -> dict[str, Any]:
    return {} if node is None else {"target_nodes": node}
