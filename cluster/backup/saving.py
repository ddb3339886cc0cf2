"""Saves all that is stored, part by part, and the manifest last: a backup is complete, or it is not there.

One that was interrupted is gone on with: whoever takes it up fences off who had it before.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import bson

from adapters.copies import Copied, Item, StartedAnew
from adapters.encryption import Keyring
from cluster.backup.contents import Stores
from cluster.backup.manifest import Manifest
from cluster.backup.pace import Pace
from cluster.backup.parts import Coffer, Part
from cluster.backup.place import Place, begun_at
from cluster.backup.samples import Chosen
from optionchain import __version__
from optionchain.errors import CannotOpen, Damaged
from optionchain.numerics import IDENTITY

PART_BYTES = 8 << 20
# What is older has been overtaken by the world: it is begun anew.
RESUMED_WITHIN = timedelta(hours=6)


@dataclass(frozen=True, slots=True)
class Saving:
    """How to save.

    Attributes:
        keyring: What seals; None for nothing.
        bytes_per_second: As fast at most; 0 for no bound.
        part_bytes: Of one part before it is compressed, about; a few of them are in memory at a time.
    """

    keyring: Keyring | None = None
    bytes_per_second: float = 0.0
    part_bytes: int = PART_BYTES


async def save(stores: Stores, place: Place, how: Saving) -> Manifest:
    """Save all that is stored in a place, or go on with what was interrupted there.

    Raises:
        InvalidInput: The place cannot be written to.
        Unavailable: A store does not answer.
        LeaseLost: Somebody else has taken it up.
    """
    await asyncio.to_thread(place.check_writable)
    backup, earlier = await asyncio.to_thread(_taken_up, place, stores.source, how)
    writer, chosen = _Writer(place, backup, how), Chosen()
    await stores.point.begin()
    try:
        parts = {
            kind: await _saved(kind, copied, writer, earlier.get(kind, ()), chosen)
            for kind, copied in stores.contents.items()
        }
        is_point_in_time = stores.point.holds and not earlier
    finally:
        await stores.point.end()
    manifest = Manifest(
        id=backup,
        started_at=begun_at(backup),
        ended_at=datetime.now(UTC),
        release=__version__,
        numerics=IDENTITY,
        source=stores.source,
        is_point_in_time=is_point_in_time,
        sealed_by=how.keyring.sealing_id if how.keyring else None,
        parts=parts,
        not_saved=await stores.unknown_collections(),
        samples=await asyncio.to_thread(chosen.samples),
    )
    await asyncio.to_thread(place.finish, manifest, how.keyring)
    return manifest


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

    async def flush(self) -> None:
        """Wait until everything is written."""
        if self._writing is not None:
            writing, self._writing = self._writing, None
            await writing

    async def following(self, part: Part) -> Item:
        """Where reading goes on behind a part that is there."""
        content = await asyncio.to_thread(self._place.read, self._backup, part)
        return self.coffer.unpacked(part, content)[0]

    async def drop(self, parts: Sequence[Part]) -> None:
        """Remove parts that are written anew."""
        for part in parts:
            await asyncio.to_thread(self._place.drop, self._backup, part)

    def _write(self, part: Part, content: bytes) -> None:
        self._place.check_claim(self._backup, self._token)
        self._place.write(self._backup, part, content)


async def _saved(
    kind: str, copied: Copied, writer: _Writer, earlier: Sequence[Part], chosen: Chosen
) -> list[Part]:
    """The parts of one kind, those that are there already among them."""
    after = await writer.following(earlier[-1]) if earlier else None
    try:
        return [*earlier, *await _read_on(kind, copied, writer, after, len(earlier), chosen)]
    except StartedAnew:
        await writer.drop(earlier)
        return await _read_on(kind, copied, writer, None, 0, chosen)


async def _read_on(
    kind: str, copied: Copied, writer: _Writer, after: Item | None, number: int, chosen: Chosen
) -> list[Part]:
    parts: list[Part] = []
    waiting: list[bytes] = []
    size, following = 0, after or {}

    async def written() -> None:
        parts.append(await writer.write(kind, number + len(parts), waiting, following))

    async with aclosing(copied.read(after)) as batches:
        async for batch in batches:
            if kind == "sessions":
                chosen.offer(batch.items)
            encoded = [bson.encode(item) for item in batch.items]
            waiting += encoded
            size, following = size + sum(map(len, encoded)), batch.next
            if size >= writer.part_bytes:
                await written()
                waiting, size = [], 0
    if waiting:
        await written()
    await writer.flush()
    return parts


def _taken_up(place: Place, source: Mapping[str, str], how: Saving) -> tuple[str, dict[str, list[Part]]]:
    """The id of the backup, and the parts of each kind that are there already."""
    now = datetime.now(UTC)
    for backup in reversed(place.unfinished()):
        if begun_at(backup) > now - RESUMED_WITHIN and place.source_of(backup) == source:
            parts = _usable(place, backup, how)
            if parts:
                return backup, parts
    backup = f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"
    place.begin(backup, source)
    return backup, {}


def _usable(place: Place, backup: str, how: Saving) -> dict[str, list[Part]]:
    """The parts of an interrupted backup, as long as they can be gone on with: each kind from its first on."""
    coffer = Coffer(backup, how.keyring)
    kinds: dict[str, list[Part]] = {}
    for part in place.parts(backup):
        kinds.setdefault(part.content, []).append(part)
    for parts in kinds.values():
        if [part.number for part in parts] != list(range(len(parts))):
            return {}
        try:
            coffer.unpacked(parts[-1], place.read(backup, parts[-1]))
        except (CannotOpen, Damaged):
            return {}
    return kinds
