"""What saving and restoring cost: 100,000 sessions and a million bars of history, in servers of their own."""

from __future__ import annotations

import asyncio
import resource
import tempfile
import time
from pathlib import Path

import numpy as np

from adapters.mongo.connection import open_mongo
from adapters.mongo.history import MongoHistoricalRepository
from cluster.backup.beginning import Saving
from cluster.backup.contents import Stores, open_stores
from cluster.backup.place import Place
from cluster.backup.private_stores import private_settings_of_stores, private_stores
from cluster.backup.restoring import Restoring, restore
from cluster.backup.saving import save
from cluster.backup.settings import BackupSettings
from cluster.settings import Settings
from optionchain.history.bars import PriceSeries
from optionchain.time_frame import TimeFrame
from proving.bench.backup_beside import beside, fill_sessions

SESSIONS = 100_000
BARS = 1_000_000
BARS_TOGETHER = 20_000


def run() -> dict[str, float]:
    """Fill, save, and restore into other servers.

    Returns:
        ``saved_seconds`` (goal: 60), ``restored_seconds`` (goal: 120), of so many ``sessions`` and ``bars``;
        ``bytes`` before compression, ``stored_bytes``, and the ``peak_megabytes`` of the process that did both; and
        what callers notice of it (`proving.bench.backup_beside`).
    """
    return asyncio.run(_measured()) | beside()


async def _measured() -> dict[str, float]:
    with tempfile.TemporaryDirectory(prefix="optionchain-backups-") as folder:
        place = Place(folder, "to")
        async with private_settings_of_stores() as settings:
            await _fill(settings)
            before = _peak_megabytes()
            async with open_stores(settings, name="bench", output=f"{settings.data.folder}/sweeps") as stores:
                saved_seconds = await _timed_save(stores, place)
        (backup,) = place.complete()
        manifest = place.manifest(backup, None)
        async with private_stores() as empty:
            began = time.perf_counter()
            await restore(empty, place, manifest, Restoring())
            restored_seconds = time.perf_counter() - began
        stored = _bytes_in(Path(folder))
    return {
        "sessions": manifest.counts["sessions"],
        "bars": BARS,
        "saved_seconds": saved_seconds,
        "restored_seconds": restored_seconds,
        "bytes": manifest.size,
        "stored_bytes": stored,
        "megabytes_before": before,
        "peak_megabytes": _peak_megabytes(),
    }


async def _timed_save(stores: Stores, place: Place) -> float:
    began = time.perf_counter()
    await save(stores, place, Saving(share=BackupSettings().share))
    return time.perf_counter() - began


async def _fill(settings: Settings) -> None:
    await fill_sessions(settings, SESSIONS)
    client = open_mongo(settings.mongo)
    history = MongoHistoricalRepository(client, settings.mongo.database)
    for first in range(0, BARS, BARS_TOGETHER):
        await history.save_time_series(_bars(first, min(BARS_TOGETHER, BARS - first)))
    await client.close()


def _bars(first: int, count: int) -> PriceSeries:
    minutes = np.datetime64("2020-01-01", "s") + np.arange(first, first + count) * np.timedelta64(60, "s")
    closes = 100.0 + np.random.default_rng(first).standard_normal(count).cumsum() / 100.0
    return PriceSeries(
        asset="BENCH",
        timeframe=TimeFrame.MINUTE,
        times=minutes,
        open=closes,
        high=closes + 0.01,
        low=closes - 0.01,
        close=closes,
        volume=np.full(count, 1000.0),
    )


def _bytes_in(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*.part"))


def _peak_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
