"""Puts on record what one process is told: in the log at once, in the store a moment later, in one chain.

Nobody waits for it. What administrators do has an entry each; refusals are gathered, so that whoever guesses keys does
not fill the store. When the store is silent, entries wait; when too many wait, further ones are counted, and how many
they were is an entry as soon as there is room.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta

from actors.background import Background
from cluster.audit.settings import AuditSettings
from optionchain.access.audit import AuditEntry, Chain, Link, anchor_of
from optionchain.context import HOUSEKEEPING
from optionchain.observing import Observer, attempted
from optionchain.ports import AuditRepository
from optionchain.wire.instants import whole_milliseconds

# Refusals that are gathered at a time, of different callers or routes; further ones are counted together.
MOST_GATHERED = 1_000
MOST_WRITTEN_TOGETHER = 500
FORGET_SECONDS = 3_600.0
LOST, OTHERS = "lost entries", "other refusals"


class Trail:
    """Takes entries.

    Args:
        repository: Where the record is.
        settings: Rhythms and bounds.
        observer: Told of every entry, and of attempts to write that failed.
        clock: The time, with an offset.
    """

    def __init__(
        self,
        repository: AuditRepository,
        settings: AuditSettings,
        *,
        observer: Observer,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._repository = repository
        self._settings = settings
        self._observer = observer
        self._clock = clock
        self._chain = Chain(uuid.uuid4().hex)
        self._waiting: deque[Link] = deque()
        self._gathered: dict[tuple[str, str, str, str, int], AuditEntry] = {}
        self._lost: AuditEntry | None = None
        self._written: Link | None = None
        self._anchored = 0
        self._gathered_at = self._anchored_at = time.monotonic()
        self._forgot_at = -float("inf")
        self._writer = Background(self._write_again_and_again)

    def act(self, entry: AuditEntry) -> None:
        """Put on record what an administrator did, or tried."""
        self._writer.begin()
        self._tell(entry)
        self._link(entry)

    def refusal(self, entry: AuditEntry) -> None:
        """Put on record that a caller was refused; soon, together with others of the kind."""
        self._writer.begin()
        kind = (entry.action, entry.tenant, entry.subject, entry.address, entry.status)
        if kind not in self._gathered and len(self._gathered) >= MOST_GATHERED:
            entry = _nobodys(entry, OTHERS)
            kind = (OTHERS, "", "", "", entry.status)
        earlier = self._gathered.get(kind)
        self._gathered[kind] = replace(entry, times=1 + (earlier.times if earlier else 0))

    async def close(self) -> None:
        """Write what waits, once, and write no more."""
        await self._writer.end()
        self._take_gathered()
        await attempted(self._observer, "audit.write", self._write)

    def _tell(self, entry: AuditEntry, event: str = "audit.entry") -> None:
        facts = {name: value for name, value in asdict(entry).items() if name != "at"}
        self._observer.noted(event, HOUSEKEEPING, **facts)

    def _link(self, entry: AuditEntry) -> None:
        if len(self._waiting) >= self._settings.max_waiting:
            lost = self._lost or replace(_nobodys(entry, LOST), times=0)
            self._lost = replace(lost, times=lost.times + 1)
            self._observer.counted("audit.lost")
            return
        self._waiting.append(self._chain.add(entry))

    def _link_lost(self) -> None:
        """Put on record how many were lost, as soon as there is room."""
        if self._lost:
            lost, self._lost = self._lost, None
            self._link(lost)

    def _take_gathered(self) -> None:
        gathered, self._gathered = self._gathered, {}
        self._gathered_at = time.monotonic()
        for entry in gathered.values():
            self._tell(entry)
            self._link(entry)
            if entry.times >= self._settings.unusual_times:
                self._tell(entry, "access.unusual")
                self._observer.counted("access.unusual", status=str(entry.status))

    async def _write_again_and_again(self) -> None:
        while True:
            await asyncio.sleep(self._settings.write_seconds)
            if time.monotonic() - self._gathered_at >= self._settings.gather_seconds:
                self._take_gathered()
            await attempted(self._observer, "audit.write", self._write)
            if time.monotonic() - self._forgot_at >= FORGET_SECONDS:
                self._forgot_at = time.monotonic()
                await attempted(self._observer, "audit.forget", self._forget)

    async def _write(self) -> None:
        while self._waiting:
            some = [self._waiting[index] for index in range(min(len(self._waiting), MOST_WRITTEN_TOGETHER))]
            await self._repository.append(some, [])
            for link in some:
                self._written = link
                self._waiting.popleft()
            self._link_lost()
        await self._anchor()

    async def _anchor(self) -> None:
        last, is_time = self._written, time.monotonic() - self._anchored_at >= self._settings.anchor_seconds
        if last is None or last.number == self._anchored or not is_time:
            return
        key = self._settings.key.get_secret_value().encode()
        await self._repository.append([], [anchor_of(last, whole_milliseconds(self._clock()), key)])
        self._anchored, self._anchored_at = last.number, time.monotonic()

    async def _forget(self) -> None:
        await self._repository.forget(self._clock() - timedelta(days=self._settings.keep_days))


def _nobodys(entry: AuditEntry, action: str) -> AuditEntry:
    """What is on record of several callers together."""
    return replace(entry, action=action, target="", tenant="", subject="", address="", request_id="")
