"""The keys that work, held in each process: a request with a known key waits for nobody.

All are held, so that made-up keys hardly reach MongoDB. A notice names a key that was revoked: it works no more, even
while MongoDB is silent.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from cluster.api_keys import KnownKeys
from cluster.identity.following import LIST, Following
from cluster.identity.settings import AuthSettings
from optionchain.access.api_keys import ApiKey, digest_of, is_secret
from optionchain.context import Principal
from optionchain.errors import Unavailable
from optionchain.observing import Observer, attempted
from optionchain.ports import KeyRepository

REVOKED = "revoked "


class HeldKeys:
    """The `Authentication` of the keys in the settings and of those that are managed.

    Args:
        fixed: Those in the settings, which always work.
        repository: Where the others are.
        following: Keeps them current.
        settings: Bounds, rhythms, and what happens when no revocation can be heard.
        observer: Told how many there are, and of uses that could not be written.
        clock: Unix time in seconds.
    """

    def __init__(
        self,
        fixed: KnownKeys,
        repository: KeyRepository,
        following: Following,
        settings: AuthSettings,
        *,
        observer: Observer,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._fixed = fixed
        self._repository = repository
        self._following = following
        self._settings = settings
        self._observer = observer
        self._clock = clock
        self._keys: dict[bytes, ApiKey] = {}
        self._used: dict[str, float] = {}
        self._revoked: set[str] = set()
        self._wrote_at = -float("inf")
        following.follow(self)

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
        key = self._keys.get(digest)
        if key is None:
            if not is_secret(secret):
                return None
            await self._following.look()
            key = self._keys.get(digest)
        now = self._clock()
        if key is None or not key.works_at(datetime.fromtimestamp(now, UTC)):
            return None
        check_is_heard(self._following, self._settings)
        self._used[key.id] = now
        return key.principal

    async def read(self) -> None:
        """Read the keys that work, and write from time to time when they were used."""
        told = set(self._revoked)
        now = datetime.fromtimestamp(self._clock(), UTC)
        found = await self._repository.working(now, limit=self._settings.max_keys)
        # What was revoked while it was read may still be in it.
        self._keys = {key.digest: key for key in found if key.id not in self._revoked}
        self._revoked -= told
        self._observer.counted("keys.held", len(self._keys))
        if self._clock() - self._wrote_at > self._settings.used_seconds:
            await attempted(self._observer, "keys.write_uses", self._write_uses)

    def know(self, notice: str) -> None:
        """Know that a key was revoked."""
        if not notice.startswith(REVOKED):
            return
        revoked, now = notice.removeprefix(REVOKED), datetime.fromtimestamp(self._clock(), UTC)
        self._revoked.add(revoked)
        self._keys |= {
            digest: replace(key, revoked_at=now) for digest, key in self._keys.items() if key.id == revoked
        }

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


def check_is_heard(following: Following, settings: AuthSettings) -> None:
    """Do as the settings say where a revocation could not have been heard.

    Raises:
        Unavailable: For too long.
    """
    if settings.unheard == "refuse" and following.deaf_seconds > settings.unheard_seconds:
        raise Unavailable(LIST)
