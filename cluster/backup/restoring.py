"""Brings back what a backup holds, all of it or a part: nothing newer is overwritten unless told."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from adapters.copies import Copied, Item, Wanted
from adapters.encryption import Keyring
from cluster.backup.contents import Stores
from cluster.backup.index import CONTENT, Index, entries_in
from cluster.backup.manifest import Manifest
from cluster.backup.parts import Coffer
from cluster.backup.place import Place
from optionchain.errors import InvalidInput, NotFound
from optionchain.numerics import IDENTITY

COMPARED_TOGETHER = 250
SHOWN_CONFLICTS = 20
ALL = Wanted()

Proof = Callable[[str, Copied, Sequence[Item]], Awaitable[None]]
"""Looks at items of a kind that were just brought back."""


@dataclass(frozen=True, slots=True)
class Restoring:
    """How to bring back.

    Attributes:
        wanted: What.
        overwrites: What is newer is overwritten too, and sessions of another arithmetic are brought back.
        adds: Where something is stored already: only what is missing or older is brought back.
        is_trial: Nothing is written; what would be is told.
        keyring: What opens; None for nothing.
        proof: Asked after each write.
    """

    wanted: Wanted = ALL
    overwrites: bool = False
    adds: bool = False
    is_trial: bool = False
    keyring: Keyring | None = None
    proof: Proof | None = None


@dataclass(slots=True)
class Restored:
    """What came of it.

    Attributes:
        counts: Items of each kind: `restored`, `same` as what is stored, `kept` because what is stored is newer or was
            changed meanwhile.
        conflicts: Some of those that were kept, in words.
        chains: Days of each asset whose chain was brought back.
        prices: Assets of which prices were.
    """

    counts: dict[str, Counter[str]] = field(default_factory=dict)
    conflicts: list[str] = field(default_factory=list)
    chains: dict[str, set[date]] = field(default_factory=dict)
    prices: set[str] = field(default_factory=set)

    @property
    def total(self) -> Counter[str]:
        """Of all kinds together."""
        return sum(self.counts.values(), Counter())


async def restore(stores: Stores, place: Place, manifest: Manifest, how: Restoring) -> Restored:
    """Bring back what a backup holds.

    Everything is looked at before anything is written: the key, every part that is needed, and what is stored.

    Raises:
        InvalidInput: It would overwrite, or the arithmetic is another, and that was not told.
        Damaged: A part is missing, or is not what was written.
        CannotOpen: It is sealed by a key that is not among ours.
        NotFound: The backup has nothing of what is wanted.
        Unavailable: A store does not answer.
    """
    _check_numerics(manifest, how)
    await _check_room(stores, how)
    chain = await checked_chain(place, manifest, how.keyring)
    async with read_index(place, manifest, how.keyring) as index:
        restored = await bring_back(stores, place, chain, index, how)
    if not how.wanted.is_all and not restored.total:
        raise NotFound("what is wanted", f"in backup {manifest.id}")
    return restored


async def checked_chain(place: Place, manifest: Manifest, keyring: Keyring | None) -> list[Manifest]:
    """A backup and those that it is an increment of, the whole one first, once every part of them was looked at.

    Raises:
        Damaged: One is missing, or is not what was written.
        CannotOpen: The backup is sealed by a key that is not among ours.
    """
    chain = await asyncio.to_thread(place.chain, manifest.id, keyring)
    for each in chain:
        coffer = _coffer(each, keyring)
        for parts in each.parts.values():
            for part in parts:
                coffer.check(part, await asyncio.to_thread(place.read, each.id, part))
    return chain


@asynccontextmanager
async def read_index(
    place: Place, manifest: Manifest, keyring: Keyring | None
) -> AsyncIterator[Index | None]:
    """The index of a backup; None where it has none, as those of format 1."""
    if CONTENT not in manifest.parts:
        yield None
        return
    with Index(manifest.depth) as index:
        await asyncio.to_thread(index.take, entries_in(place, manifest, _coffer(manifest, keyring)))
        yield index


async def bring_back(
    stores: Stores, place: Place, chain: Sequence[Manifest], index: Index | None, how: Restoring
) -> Restored:
    """Bring back what a chain of backups holds that was looked at; errors as of `restore`."""
    restored = Restored()
    for kind, copied in stores.contents.items():
        for manifest in chain:
            coffer = _coffer(manifest, how.keyring)
            for part in manifest.parts.get(kind, ()):
                content = await asyncio.to_thread(place.read, manifest.id, part)
                _, items = await asyncio.to_thread(coffer.unpacked, part, content)
                if index is not None:
                    items = _coming(kind, copied, items, index, manifest.depth)
                if not how.wanted.is_all:
                    items = [item for item in items if copied.is_wanted(item, how.wanted)]
                for some in _chunks(items):
                    await _bring_back(kind, copied, some, how, restored)
    return restored


def _coming(kind: str, copied: Copied, items: Sequence[Item], index: Index, depth: int) -> list[Item]:
    """Those items that no later backup of the chain has in another state, nor has found gone; as they were last."""
    entries = [copied.entry(item) for item in items]
    coming = index.coming(kind, depth, entries)
    return [item | coming[entry.id] for item, entry in zip(items, entries, strict=True) if entry.id in coming]


def _coffer(manifest: Manifest, keyring: Keyring | None) -> Coffer:
    if manifest.sealed_by is None:
        return Coffer(manifest.id, None)
    return Coffer(manifest.id, keyring or Keyring(""))  # which says what is missing


async def _bring_back(
    kind: str, copied: Copied, items: Sequence[Item], how: Restoring, restored: Restored
) -> None:
    counts = restored.counts.setdefault(kind, Counter())
    changes: list[tuple[Item, Item | None]] = []
    for item, stored in zip(items, await copied.stored(items), strict=True):
        judgement = copied.judge(item, stored)
        if judgement in ("absent", "older") or (judgement == "newer" and how.overwrites):
            changes.append((item, stored))
        else:
            counts["same" if judgement == "same" else "kept"] += 1
        if judgement == "newer" and len(restored.conflicts) < SHOWN_CONFLICTS:
            restored.conflicts.append(f"{kind}: {_name(item)} was changed since")
    written = [True] * len(changes) if how.is_trial or not changes else await copied.write(changes)
    brought = [item for (item, _), is_written in zip(changes, written, strict=True) if is_written]
    counts["restored"] += len(brought)
    counts["kept"] += len(changes) - len(brought)
    _note_history(kind, brought, restored)
    if how.proof is not None:
        await how.proof(kind, copied, brought)


def _check_numerics(manifest: Manifest, how: Restoring) -> None:
    if manifest.numerics != IDENTITY and not how.overwrites:
        raise InvalidInput(
            "backup",
            f"was made with the arithmetic {manifest.numerics}, this release has {IDENTITY}: what sessions show next "
            "may differ from what they would have shown. With --force they are brought back all the same",
        )


async def _check_room(stores: Stores, how: Restoring) -> None:
    if not how.wanted.is_all or how.overwrites or how.adds or how.is_trial:
        return
    holding = await stores.holding()
    if holding:
        raise InvalidInput(
            "backup",
            f"would be restored onto stores that are in use: they have {', '.join(holding)}. --dry-run shows what "
            "would change, --missing restores what is missing or older there, --force overwrites what is newer too",
        )


def _note_history(kind: str, items: Sequence[Item], restored: Restored) -> None:
    for item in items:
        if kind == "historical_chains":
            head = item["head"]
            restored.chains.setdefault(head["asset"], set()).add(head["date"].date())
        elif kind == "historical_prices":
            restored.prices.add(item["head"]["asset"])


def _chunks(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    for start in range(0, len(items), COMPARED_TOGETHER):
        yield items[start : start + COMPARED_TOGETHER]


def _name(item: Item) -> str:
    known: dict[str, Any] = item.get("head", item)
    return " ".join(
        str(known[field]) for field in ("name", "version", "asset", "date", "chunk") if field in known
    ) or str(item["_id"])
