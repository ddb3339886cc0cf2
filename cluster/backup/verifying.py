"""Proves that a backup comes back: it is restored into servers of its own, compared item by item, and stepped."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from adapters.copies import Copied, Item
from adapters.encryption import Keyring
from cluster.backup.contents import Stores
from cluster.backup.index import Index
from cluster.backup.manifest import Manifest
from cluster.backup.place import Place
from cluster.backup.private_stores import private_stores
from cluster.backup.restoring import Restored, Restoring, bring_back, checked_chain, read_index
from cluster.backup.samples import sample_of
from optionchain.errors import Damaged
from optionchain.numerics import IDENTITY


@dataclass(frozen=True, slots=True)
class Verified:
    """What a proof has shown.

    Attributes:
        manifest: Of the backup.
        items: That came back, each of them compared.
        replayed: Sessions whose next snapshot was computed again.
        at: When.
    """

    manifest: Manifest
    items: int
    replayed: int
    at: datetime


async def verify(place: Place, backup: str, keyring: Keyring | None) -> Verified:
    """Restore a backup into servers of its own, compare, and keep that it was proven.

    Raises:
        Damaged: Something did not come back as it was saved; the message says what.
        CannotOpen: It is sealed by a key that is not among ours.
        InvalidInput: It is of a newer format, or its place does not answer.
        ProcessFailed: A server does not start.
    """
    manifest = await asyncio.to_thread(place.manifest, backup, keyring)
    chain = await checked_chain(place, manifest, keyring)
    async with private_stores() as stores, read_index(place, manifest, keyring) as index:
        how = Restoring(keyring=keyring, proof=_compared)
        restored = await bring_back(stores, place, chain, index, how)
        _check_counts(manifest, index, restored)
        replayed = await _replayed(stores, manifest)
    verified = Verified(manifest, restored.total["restored"], replayed, datetime.now(UTC))
    await asyncio.to_thread(place.verified, backup, verified.at)
    return verified


async def _compared(kind: str, copied: Copied, items: Sequence[Item]) -> None:
    for item, stored in zip(items, await copied.stored(items), strict=True):
        if stored is None or copied.essence(stored) != copied.essence(item):
            identity = item.get("_id", item.get("head", {}).get("_id"))
            raise Damaged(f"{kind} {identity}", "it does not come back as it was saved")


def _check_counts(manifest: Manifest, index: Index | None, restored: Restored) -> None:
    missing = None if index is None else index.missing()
    if missing is not None:
        kind, identity = missing
        raise Damaged(f"{kind} {identity}", f"backup {manifest.id} tells of it, and no part holds it")
    for kind, count in manifest.counts.items():
        counts = restored.counts.get(kind)
        came = counts["restored"] + counts["same"] + counts["kept"] if counts else 0
        # A server may name a key twice while its table grows, which the index does not.
        if came < count:
            raise Damaged(f"backup {manifest.id}", f"of {count} {kind} it saved, {came} came back")


async def _replayed(stores: Stores, manifest: Manifest) -> int:
    """How many sessions show next what they would have shown; arithmetic of another release is left alone."""
    if manifest.numerics != IDENTITY:
        return 0
    for sample in manifest.samples:
        (item,) = await stores.contents["sessions"].stored([{"_id": sample.session}])
        shown = None if item is None else await asyncio.to_thread(sample_of, item)
        if shown != sample:
            raise Damaged(
                f"session {sample.session}", f"its snapshot {sample.step} is not what it would have been"
            )
    return len(manifest.samples)
