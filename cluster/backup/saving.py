"""Saves all that is stored, part by part, and the manifest last: a backup is complete, or it is not there.

One that was interrupted is gone on with: whoever takes it up fences off who had it before. An increment holds what its
base does not, which is soon done: it is begun anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

import bson

from adapters.copies import Batch, Copied, Item, Known, StartedAnew, nothing_known
from cluster.backup.beginning import Begun, Saving, taken_up
from cluster.backup.contents import Stores
from cluster.backup.index import CONTENT, Index, entries_in
from cluster.backup.manifest import Manifest
from cluster.backup.pace import Pace, Turns
from cluster.backup.parts import Coffer, Part
from cluster.backup.place import Place, begun_at
from cluster.backup.samples import Chosen
from optionchain import __version__
from optionchain.numerics import IDENTITY


async def save(stores: Stores, place: Place, how: Saving) -> Manifest:
    """Save all that is stored, or what the latest backup of the place does not hold; or go on with an interrupted one.

    Raises:
        InvalidInput: The place cannot be written to.
        Unavailable: A store does not answer.
        LeaseLost: Somebody else has taken it up.
    """
    await asyncio.to_thread(place.check_writable)
    begun = await asyncio.to_thread(taken_up, place, stores.source, how)
    with Index(begun.depth) as index:
        if begun.base is not None:
            coffer = Coffer(begun.base.id, how.keyring)
            await asyncio.to_thread(index.begin_after, entries_in(place, begun.base, coffer))
        manifest = await _whole_or_increment(stores, begun, index, _Writer(place, begun.id, how), how)
    await asyncio.to_thread(place.finish, manifest, how.keyring)
    return manifest


async def _whole_or_increment(
    stores: Stores, begun: Begun, index: Index, writer: _Writer, how: Saving
) -> Manifest:
    """All parts of a backup are written; what its manifest says."""
    chosen = Chosen(() if begun.base is None else begun.base.samples)
    await stores.point.begin()
    try:
        parts = {
            kind: await _saved(kind, copied, writer, begun, index, chosen)
            for kind, copied in stores.contents.items()
        }
        is_point_in_time = stores.point.holds and not begun.earlier
    finally:
        await stores.point.end()
    if how.increments:
        await writer.drop(begun.earlier.get(CONTENT, ()))
        parts[CONTENT] = await _index_parts(index, writer)
    return Manifest(
        id=begun.id,
        started_at=begun_at(begun.id),
        ended_at=datetime.now(UTC),
        release=__version__,
        numerics=IDENTITY,
        source=stores.source,
        is_point_in_time=is_point_in_time,
        sealed_by=how.sealing_id,
        parts=parts,
        not_saved=await stores.unknown_collections(),
        samples=await asyncio.to_thread(chosen.samples),
        base=None if begun.base is None else begun.base.id,
        depth=begun.depth,
        held=index.counts(stores.contents) if how.increments else {},
    )


class _Writer:
    """Writes parts while the next one is being read.

    Args:
        place: Where.
        backup: Its id.
        how: How.
    """

    def __init__(self, place: Place, backup: str, how: Saving) -> None:
        self._place = place
        self._backup = backup
        self._pace = Pace(how.bytes_per_second)
        self._turns = Turns(how.share)
        self._writing: asyncio.Task[None] | None = None
        self.coffer = Coffer(backup, how.keyring)
        self.part_bytes = how.part_bytes
        self._token = place.claim(backup)

    async def write(self, kind: str, number: int, items: Sequence[bytes], following: Item) -> Part:
        """Have a part written; what was given before is written by then."""
        await self.flush()
        part, content = await asyncio.to_thread(self.coffer.packed, kind, number, items, following)
        await self._pace.passed(len(content))
        self._writing = asyncio.create_task(asyncio.to_thread(self._write, part, content))
        return part

    async def rest(self) -> None:
        """Leave time to others."""
        await self._turns.rest()

    async def flush(self) -> None:
        """Wait until everything is written."""
        if self._writing is not None:
            writing, self._writing = self._writing, None
            await writing

    async def written(self, part: Part) -> tuple[Item, list[Item]]:
        """Where reading goes on behind a part that is there, and its items."""
        content = await asyncio.to_thread(self._place.read, self._backup, part)
        return self.coffer.unpacked(part, content)

    async def drop(self, parts: Sequence[Part]) -> None:
        """Remove parts that are written anew."""
        for part in parts:
            await asyncio.to_thread(self._place.drop, self._backup, part)

    def _write(self, part: Part, content: bytes) -> None:
        self._place.check_claim(self._backup, self._token)
        self._place.write(self._backup, part, content)


async def _saved(
    kind: str, copied: Copied, writer: _Writer, begun: Begun, index: Index, chosen: Chosen
) -> list[Part]:
    """The parts of one kind, those that are there already among them."""
    earlier, after = begun.earlier.get(kind, ()), None
    for part in earlier:
        after, items = await writer.written(part)
        index.note(kind, [copied.entry(item) for item in items])
    known = nothing_known if begun.base is None else partial(index.known, kind)
    reading = _Reading(kind, copied, known, index, chosen)
    try:
        return [*earlier, *await _read_on(reading, writer, after, len(earlier))]
    except StartedAnew:
        await writer.drop(earlier)
        index.forget(kind)
        return await _read_on(reading, writer, None, 0)


@dataclass(frozen=True, slots=True)
class _Reading:
    """How one kind is read.

    Attributes:
        kind: Its name.
        copied: Reads it.
        known: What need not be read.
        index: Told of all entries.
        chosen: Offered the sessions.
    """

    kind: str
    copied: Copied
    known: Known
    index: Index
    chosen: Chosen

    async def batches(self, after: Item | None) -> AsyncGenerator[Batch, None]:
        """All that is stored, noted in the index."""
        async with aclosing(self.copied.read(after, self.known)) as batches:
            async for batch in batches:
                self.index.note(self.kind, batch.entries)
                if self.kind == "sessions":
                    self.chosen.offer(batch.items, batch.entries)
                yield batch


async def _read_on(reading: _Reading, writer: _Writer, after: Item | None, number: int) -> list[Part]:
    parts: list[Part] = []
    waiting: list[bytes] = []
    size, following = 0, after or {}

    async def written() -> None:
        parts.append(await writer.write(reading.kind, number + len(parts), waiting, following))

    async with aclosing(reading.batches(after)) as batches:
        async for batch in batches:
            encoded = [bson.encode(item) for item in batch.items]
            waiting += encoded
            size, following = size + sum(map(len, encoded)), batch.next
            if size >= writer.part_bytes:
                await written()
                waiting, size = [], 0
            await writer.rest()
    if waiting:
        await written()
    await writer.flush()
    return parts


async def _index_parts(index: Index, writer: _Writer) -> list[Part]:
    parts: list[Part] = []
    for items in index.batches():
        parts.append(await writer.write(CONTENT, len(parts), [bson.encode(item) for item in items], {}))
    await writer.flush()
    return parts
