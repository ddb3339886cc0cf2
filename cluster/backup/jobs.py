"""What is done with backups, whoever asks for it: the command line, or a task."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime

from adapters.encryption import Keyring
from adapters.mongo.backups import MongoBackups
from adapters.mongo.history import MongoHistoricalRepository
from adapters.redis.cache import RedisCacheService
from cluster.backup.beginning import RESUMED_WITHIN, Saving
from cluster.backup.manifest import Manifest
from cluster.backup.place import Place, begun_at
from cluster.backup.reached import Reached
from cluster.backup.restoring import Restored, Restoring, restore
from cluster.backup.retention import Kept, Retention, outlived
from cluster.backup.saving import save
from cluster.backup.verifying import Verified, verify
from cluster.history_stores import HistoryStores, forget_chains, forget_prices
from cluster.instance.completed_settings import ENCRYPTION_KEY
from cluster.settings import Settings
from optionchain.errors import OptionChainError, Unavailable

MEGABYTE = 1e6


def keyring_of(settings: Settings) -> Keyring | None:
    """What seals and opens backups: the keys of the settings, else that of the instance; None where there is none."""
    given, kept = settings.encryption.key.get_secret_value(), settings.data.folder / ENCRYPTION_KEY
    key = given or (kept.read_text().strip() if kept.exists() else "")
    return Keyring(key) if key else None


def is_sealed_by_kept_key(settings: Settings) -> bool:
    """Whether backups are sealed by a key that is lost with the data folder."""
    return not settings.encryption.key.get_secret_value() and keyring_of(settings) is not None


async def create_all(
    reached: Reached, places: Sequence[str], keyring: Keyring | None, *, is_whole: bool = False
) -> Mapping[str, Manifest | OptionChainError]:
    """Save in every place, each by itself: one that fails does not keep the others.

    Args:
        reached: What is saved.
        places: URLs.
        keyring: What seals.
        is_whole: No increment, whatever there is.

    Returns:
        By place: what was saved, or why not.
    """
    settings = reached.settings.backup
    how = Saving(
        keyring,
        bytes_per_second=settings.megabytes_per_second * MEGABYTE,
        share=settings.share,
        increments=settings.increments,
        is_whole=is_whole,
    )
    made = await asyncio.gather(*(_created(reached, url, how) for url in places), return_exceptions=True)
    outcomes: dict[str, Manifest | OptionChainError] = {}
    for url, outcome in zip(places, made, strict=True):
        if isinstance(outcome, BaseException) and not isinstance(outcome, OptionChainError):
            raise outcome
        outcomes[url] = outcome
    return outcomes


async def _created(reached: Reached, url: str, how: Saving) -> Manifest:
    async with reached.open() as stores:
        record = MongoBackups(stores.mongo, stores.database)
        try:
            place = await asyncio.to_thread(Place, url, "to")
            manifest = await save(stores, place, how)
        except OptionChainError as error:
            with suppress(Unavailable):  # which is then the error itself
                await record.failed(url, str(error))
            raise
        await record.saved(url, manifest.started_at, manifest.size)
        return manifest


async def verify_in(place: Place, backup: str, keyring: Keyring | None, reached: Reached | None) -> Verified:
    """Prove that a backup comes back, and tell the stores that it is of.

    Args:
        place: Where it is.
        backup: Its id.
        keyring: What opens it.
        reached: Where that is recorded; None where no stores can be reached, as when they are lost.

    Raises:
        OptionChainError: As `verify`.
    """
    verified = await verify(place, backup, keyring)
    if reached is not None:
        async with reached.open() as stores:
            await MongoBackups(stores.mongo, stores.database).verified(place.url, verified.at)
    return verified


async def restore_from(reached: Reached, place: Place, backup: str, how: Restoring) -> Restored:
    """Bring back what a backup holds; a service that runs meanwhile forgets what it has in its cache of it.

    Raises:
        OptionChainError: As `restore` and `Place.manifest`.
    """
    manifest = await asyncio.to_thread(place.manifest, backup, how.keyring)
    async with reached.open() as stores:
        restored = await restore(stores, place, manifest, how)
    if not how.is_trial and (restored.chains or restored.prices):
        await _forget(reached, restored)
    return restored


def pruned(place: Place, retention: Retention, *, now: datetime, is_trial: bool = False) -> list[str]:
    """Remove what need not be kept, and what was begun and never finished; returns the ids."""
    kept = [
        Kept(
            each.id,
            begun_at(each.id),
            is_verified=each.verified_at is not None,
            base=each.manifest.base if each.manifest else None,
        )
        for each in place.known()
    ]
    unfinished = place.unfinished()
    abandoned = [each for each in unfinished if begun_at(each) < now - 2 * RESUMED_WITHIN]
    needed = {place.begun_of(each) for each in unfinished if each not in abandoned}
    gone = [*outlived(kept, retention, needed=needed), *abandoned]
    if not is_trial:
        for backup in gone:
            place.remove(backup)
    return gone


async def _forget(reached: Reached, restored: Restored) -> None:
    settings = reached.settings
    stores = HistoryStores(settings.mongo, settings.cache_server, reached.name)

    async def forget(repository: MongoHistoricalRepository, cache: RedisCacheService) -> None:
        for asset, days in restored.chains.items():
            await forget_chains(repository, cache, asset, days)
        for asset in {*restored.prices, *restored.chains}:
            await forget_prices(cache, asset)

    await stores.run_within(forget)
