"""Proves that a backup comes back: it is restored into servers of its own, compared item by item, and stepped."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from adapters.copies import Copied, Item
from adapters.encryption import Keyring
from cluster.backup.contents import Stores, open_stores
from cluster.backup.manifest import Manifest
from cluster.backup.place import Place
from cluster.backup.restoring import Restored, Restoring, bring_back, check_parts
from cluster.backup.samples import sample_of
from cluster.instance.embedded_servers import embedded_mongo, embedded_redis, running
from cluster.instance.ports import free_ports
from cluster.settings import Settings
from optionchain.errors import Damaged
from optionchain.numerics import IDENTITY

START_SECONDS = 60.0
# Of a server that holds nothing else.
CALL_SECONDS = 60.0


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
    await check_parts(place, manifest, keyring)
    async with _private_stores() as stores:
        how = Restoring(keyring=keyring, proof=_compared)
        restored = await bring_back(stores, place, manifest, how)
        _check_counts(manifest, restored)
        replayed = await _replayed(stores, manifest)
    verified = Verified(manifest, restored.total["restored"], replayed, datetime.now(UTC))
    await asyncio.to_thread(place.verified, backup, verified.at)
    return verified


async def _compared(kind: str, copied: Copied, items: Sequence[Item]) -> None:
    for item, stored in zip(items, await copied.stored(items), strict=True):
        if stored is None or copied.essence(stored) != copied.essence(item):
            identity = item.get("_id", item.get("head", {}).get("_id"))
            raise Damaged(f"{kind} {identity}", "it does not come back as it was saved")


def _check_counts(manifest: Manifest, restored: Restored) -> None:
    for kind, count in manifest.counts.items():
        counts = restored.counts.get(kind)
        # A server may name a key twice while its table grows.
        came = counts["restored"] + counts["same"] + counts["kept"] if counts else 0
        if came != count:
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


@asynccontextmanager
async def _private_stores() -> AsyncIterator[Stores]:
    with tempfile.TemporaryDirectory(prefix="optionchain-verify-") as folder, ExitStack() as servers:
        redis_port, mongo_port = free_ports(2)
        redis = embedded_redis(Path(folder, "redis"), redis_port, "only-on-loopback", fsync="everysec")
        mongo = embedded_mongo(Path(folder, "mongo"), mongo_port)
        for server in (redis, mongo):
            running_server = running(server, Path(folder), patience_seconds=START_SECONDS)
            await asyncio.to_thread(servers.enter_context, running_server)
        settings = Settings(data={"folder": Path(folder)}).with_changes(
            {
                "redis": {"url": redis.url, "mode": "standalone", "timeout_seconds": CALL_SECONDS},
                "mongo": {"uri": mongo.url, "timeout_seconds": CALL_SECONDS},
            }
        )
        async with open_stores(settings, name="servers of its own", output=f"{folder}/sweeps") as stores:
            yield stores
