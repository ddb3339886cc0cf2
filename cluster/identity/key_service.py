"""What administrators do with keys: make, list, replace and revoke them."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cluster.identity.following import CHANGED
from cluster.identity.held_keys import REVOKED
from cluster.identity.telling import Telling
from optionchain.access.api_keys import ApiKey, digest_of, is_owner, new_secret
from optionchain.access.roles import read_roles, read_scopes
from optionchain.errors import InvalidInput
from optionchain.ports import KeyRepository

LONGEST_NOTE = 200
LONGEST_OVERLAP_SECONDS = 30 * 86_400.0


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key with its secret, which nobody is told again."""

    key: ApiKey
    secret: str


class KeyService:
    """Changes keys, and tells all processes.

    Args:
        repository: Where keys are.
        telling: Tells all processes.
        max_keys: Keys that may work at a time.
    """

    def __init__(self, repository: KeyRepository, telling: Telling, *, max_keys: int) -> None:
        self._repository = repository
        self._telling = telling
        self._max_keys = max_keys

    async def create(
        self,
        owner: str,
        roles: Iterable[str],
        *,
        scopes: Iterable[str] = (),
        note: str,
        expires_at: datetime | None,
        created_by: str,
    ) -> NewKey:
        """Make a key.

        Raises:
            InvalidInput: An input is wrong, or there are as many keys as there may be.
        """
        if not is_owner(owner):
            raise InvalidInput("owner", "must be of 1 to 64 letters, digits, - and _")
        try:
            granted = read_roles(roles)
        except ValueError as error:
            raise InvalidInput("roles", f"must be at least one; {error}") from None
        try:
            narrowed_to = read_scopes(scopes, granted)
        except ValueError as error:
            raise InvalidInput("scopes", f"cannot be so: {error}") from None
        if len(note) > LONGEST_NOTE or not note.isprintable():
            raise InvalidInput("note", f"must be one line of at most {LONGEST_NOTE} characters")
        return await self._made(owner, granted, narrowed_to, note, expires_at, created_by)

    async def listed(self, *, offset: int, limit: int) -> tuple[int, Sequence[ApiKey]]:
        """How many keys there are, and some of them, those made last first."""
        return await self._repository.listed(offset=offset, limit=limit)

    async def get(self, key_id: str) -> ApiKey:
        """A key.

        Raises:
            NotFound: There is none of this id.
        """
        return await self._repository.get(key_id)

    async def revoke(self, key_id: str) -> ApiKey:
        """End a key; one that is revoked stays as it is.

        Raises:
            NotFound: There is none of this id.
        """
        revoked = await self._repository.revoke(key_id, self._telling.now())
        await self._telling.tell(f"{REVOKED}{key_id}")
        return revoked

    async def rotate(
        self, key_id: str, *, overlap_seconds: float, expires_at: datetime | None, created_by: str
    ) -> NewKey:
        """Make the successor of a key, of the same owner, roles and scopes; the old one works a while longer.

        Args:
            key_id: The old one.
            overlap_seconds: How much longer.
            expires_at: Of the new one; None for that of the old.
            created_by: The tenant who asks.

        Raises:
            NotFound: There is none of this id.
            InvalidInput: It does not work any more, or an input is wrong.
        """
        old, now = await self._repository.get(key_id), self._telling.now()
        if not old.works_at(now):
            raise InvalidInput("id", "is of a key that does not work any more: make a new one")
        expires_at = expires_at or old.expires_at
        made = await self._made(
            old.owner, old.roles, old.scopes, old.note, expires_at, created_by, replaces=old.id
        )
        if overlap_seconds > 0:
            await self._repository.expire(old.id, now + timedelta(seconds=overlap_seconds))
            await self._telling.tell(CHANGED)
        else:
            await self.revoke(old.id)
        return made

    async def _made(
        self,
        owner: str,
        roles: frozenset[str],
        scopes: frozenset[str],
        note: str,
        expires_at: datetime | None,
        created_by: str,
        replaces: str | None = None,
    ) -> NewKey:
        now = self._telling.now()
        if expires_at is not None and expires_at <= now:
            raise InvalidInput("expires_at", "must be later than now")
        if len(await self._repository.working(now, limit=self._max_keys)) >= self._max_keys:
            raise InvalidInput("owner", f"there are {self._max_keys:,} keys that work: revoke some")
        secret = new_secret()
        key = ApiKey(
            id=uuid.uuid4().hex,
            owner=owner,
            roles=roles,
            scopes=scopes,
            digest=digest_of(secret),
            note=note,
            created_at=now,
            created_by=created_by,
            expires_at=expires_at,
            replaces=replaces,
        )
        await self._repository.add(key)
        await self._telling.tell(CHANGED)
        return NewKey(key, secret)
