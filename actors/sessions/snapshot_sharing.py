"""Rendered snapshots that outlive their actor and are seen by others: in the cache service, by their content.

Read before a batch is priced, where pricing costs more than asking; written beside the answers, never before them. A
cache that is down or full costs nobody an answer.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence

from actors.sessions.simulation_cache import SimulationCache, SnapshotKey
from optionchain.observing import Observer, attempted
from optionchain.ports import CacheService

# Snapshots that wait to be written: what comes when so many do is left out.
MAX_UNWRITTEN = 64


class SnapshotSharing:
    """Carries snapshots between the cache of an actor and that of all.

    Args:
        local: The actor's.
        shared: That of all.
        seconds: How long a snapshot is kept there.
        observer: Told what was found.
    """

    def __init__(
        self, local: SimulationCache, shared: CacheService, *, seconds: float, observer: Observer
    ) -> None:
        self._local = local
        self._shared = shared
        self._seconds = seconds
        self._observer = observer
        self._unwritten: deque[tuple[SnapshotKey, bytes]] = deque(maxlen=MAX_UNWRITTEN)
        self._writing: asyncio.Task[None] | None = None

    async def fetch(self, keys: Sequence[SnapshotKey]) -> None:
        """Bring what others have rendered into the actor's cache."""
        entries = await asyncio.gather(*(self._shared.get(str(key)) for key in keys))
        found = {key: entry.value for key, entry in zip(keys, entries, strict=True) if entry is not None}
        self._local.learn(found)
        self._observer.counted("session.snapshots_found", len(found))

    def offer(self) -> None:
        """Have what was rendered since the last time written, beside whatever comes next."""
        self._unwritten.extend(self._local.taken())
        if self._unwritten and (self._writing is None or self._writing.done()):
            self._writing = asyncio.create_task(attempted(self._observer, "session.share", self._write))

    async def close(self) -> None:
        """Leave unwritten what is; the cache belongs to who opened it."""
        self._unwritten.clear()
        if self._writing is not None:
            await asyncio.wait([self._writing])

    async def _write(self) -> None:
        while self._unwritten:
            key, body = self._unwritten.popleft()
            await self._shared.set(str(key), body, self._seconds)
