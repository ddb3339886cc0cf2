"""The keys that work, held in each process: a request with a known key waits for nobody.

All are held, so that made-up keys hardly reach MongoDB. A notice through Redis tells that they have changed, and
names a key that was revoked: it works no more, even while MongoDB is silent. Behind the notices they are read again at
intervals: short ones while no notices can be heard.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import aclosing, suppress
from dataclasses import replace
from datetime import UTC, datetime

from actors.background import Background
from cluster.api_keys import KnownKeys
from cluster.identity.settings import AuthSettings
from optionchain.api_keys import ApiKey, digest_of, is_secret
from optionchain.context import Principal
from optionchain.errors import Unavailable
from optionchain.observing import Observer, attempted
from optionchain.patience import SILENT_CACHE_SECONDS
from optionchain.ports import KeyRepository, Notices

LIST = "the list of API keys"
CHANGED, REVOKED = "changed", "revoked "
# A process that hears no notices reads so often: a revocation reaches it within a second all the same.
UNHEARD_SECONDS = 0.5
# What has been read within so long has no revocation that is older than a second.
CURRENT_SECONDS = 1.0
# How often a key that nobody knows is looked for, for it may be new, or made up: at once, and a second from then on.
LOOKS, LOOKS_A_SECOND = 10.0, 5.0


class HeldKeys:
    """The `Authentication` of the keys in the settings and of those that are managed.

    Args:
        fixed: Those in the settings, which always work.
        repository: Where the others are.
        notices: Tell that they have changed.
        settings: Bounds, rhythms, and what happens when no revocation can be heard.
        observer: Told of failed attempts to hear and to read.
        clock: Unix time in seconds.
    """

    def __init__(
        self,
        fixed: KnownKeys,
        repository: KeyRepository,
        notices: Notices,
        settings: AuthSettings,
        *,
        observer: Observer,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._fixed = fixed
        self._repository = repository
        self._notices = notices
        self._settings = settings
        self._observer = observer
        self._clock = clock
        self._keys: dict[bytes, ApiKey] = {}
        self._used: dict[str, float] = {}
        self._revoked: set[str] = set()
        self._hears = self._is_silent = False
        self._began = self._read_at = self._heard_at = self._wrote_at = -float("inf")
        self._looks, self._looked_at = LOOKS, clock()
        self._reading = asyncio.Lock()
        self._outdated, self._is_read = asyncio.Event(), asyncio.Event()
        self._listener = Background(self._listen)
        self._reader = Background(self._read_again_and_again)

    async def principal(self, secret: str | None) -> Principal | None:
        """Whoever has this secret.

        Raises:
            Unavailable: The managed keys are not known, or may have been revoked unheard for too long.
        """
        if secret is None:
            return None
        digest = digest_of(secret)
        known = self._fixed.of(digest)
        if known is not None:
            return known
        self.begin()
        key = self._keys.get(digest)
        if key is None:
            if not is_secret(secret):
                return None
            key = await self._looked_for(digest)
        now = self._clock()
        if key is None or not key.works_at(datetime.fromtimestamp(now, UTC)):
            return None
        if self._is_deaf_for_too_long(now):
            raise Unavailable(LIST)
        self._used[key.id] = now
        return key.principal

    async def ping(self) -> None:
        """Raise `Unavailable` unless this process hears of revocations within a second."""
        self.begin()
        await self._is_read.wait()
        if not self.is_current:
            raise Unavailable(LIST)

    @property
    def hears(self) -> bool:
        """Whether notices reach this process."""
        return self._hears

    @property
    def is_current(self) -> bool:
        """Whether a key that was revoked a second ago is known to be."""
        return self._hears or self._clock() - self._read_at < CURRENT_SECONDS

    def begin(self) -> None:
        """Hear and read from now on."""
        self._listener.begin()
        self._reader.begin()

    async def close(self) -> None:
        """End what runs beside the calls; whoever opened the stores closes them."""
        await self._listener.end()
        await self._reader.end()

    def heard(self, notice: str) -> None:
        """Know what a notice tells."""
        if notice.startswith(REVOKED):
            revoked = notice.removeprefix(REVOKED)
            self._revoked.add(revoked)
            now = datetime.fromtimestamp(self._clock(), UTC)
            self._keys |= {
                digest: replace(key, revoked_at=now)
                for digest, key in self._keys.items()
                if key.id == revoked
            }
        self._outdated.set()

    def _is_deaf_for_too_long(self, now: float) -> bool:
        if self._settings.unheard != "refuse" or self._hears:
            return False
        return now - max(self._read_at, self._heard_at) > self._settings.unheard_seconds

    async def _looked_for(self, digest: bytes) -> ApiKey | None:
        """A key that is not known: it may be new, and the notice of it under way."""
        asked = self._clock()
        async with self._reading:
            if not self._is_silent and self._began < asked and self._may_look(asked):
                await self._read()
        if self._is_silent:
            raise Unavailable(LIST)
        return self._keys.get(digest)

    def _may_look(self, now: float) -> bool:
        """Whether a key that nobody knows is looked for: a few at once, and then a few a second."""
        self._looks = min(self._looks + (now - self._looked_at) * LOOKS_A_SECOND, LOOKS)
        self._looked_at = now
        is_allowed = self._looks >= 1.0
        self._looks -= is_allowed
        return is_allowed

    async def _read_again_and_again(self) -> None:
        while True:
            self._outdated.clear()
            await attempted(self._observer, "keys.read", self._read_alone)
            self._observer.counted("keys.unheard", 0.0 if self.is_current else 1.0)
            if self._clock() - self._wrote_at > self._settings.used_seconds:
                await attempted(self._observer, "keys.write_uses", self._write_uses)
            is_calm = self._hears and self._clock() - self._read_at < self._settings.poll_seconds
            with suppress(TimeoutError):
                async with asyncio.timeout(self._settings.poll_seconds if is_calm else UNHEARD_SECONDS):
                    await self._outdated.wait()

    async def _read_alone(self) -> None:
        async with self._reading:
            await self._read()

    async def _read(self) -> None:
        self._began = self._clock()
        told = set(self._revoked)
        self._is_silent = True
        found = await self._repository.working(
            datetime.fromtimestamp(self._began, UTC), limit=self._settings.max_keys
        )
        self._is_silent = False
        # What was revoked while it was read may still be in it.
        self._keys = {key.digest: key for key in found if key.id not in self._revoked}
        self._revoked -= told
        self._read_at = self._clock()
        self._is_read.set()
        self._observer.counted("keys.held", len(self._keys))

    async def _write_uses(self) -> None:
        self._wrote_at = self._clock()
        used, self._used = self._used, {}
        try:
            await self._repository.used(
                {key_id: datetime.fromtimestamp(instant, UTC) for key_id, instant in used.items()}
            )
        except Unavailable:
            self._used = used | self._used
            raise

    async def _listen(self) -> None:
        while True:
            await attempted(self._observer, "keys.listen", self._hear)
            await asyncio.sleep(SILENT_CACHE_SECONDS)

    async def _hear(self) -> None:
        try:
            async with aclosing(self._notices.heard()) as notices:
                async for notice in notices:
                    self._hears = True
                    # What was told while nobody listened is not known: everything is read again.
                    self.heard(CHANGED if notice is None else notice)
        finally:
            if self._hears:
                self._heard_at = self._clock()
                self._hears = False
                self._outdated.set()
