"""The tokens that are denied, held in each process, and what administrators do with them."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime

from cluster.identity.following import CHANGED
from cluster.identity.telling import Telling
from optionchain.access.denials import Denial, DeniedKind
from optionchain.errors import InvalidInput
from optionchain.ports import DenialRepository

LONGEST_VALUE = 256
DENIED = "denied "


class HeldDenials:
    """Knows what is denied.

    Args:
        repository: Where that is.
        max_denials: Of so many at a time.
    """

    def __init__(self, repository: DenialRepository, *, max_denials: int) -> None:
        self._repository = repository
        self._max_denials = max_denials
        self._denied: dict[tuple[str, str], datetime | None] = {}
        self._told: set[tuple[str, str]] = set()

    def has(self, kind: DeniedKind, value: str) -> bool:
        """Whether that is denied now."""
        if (kind, value) in self._told:
            return True
        if (kind, value) not in self._denied:
            return False
        until = self._denied[kind, value]
        return until is None or until > datetime.now(UTC)

    async def read(self) -> None:
        """Read what is denied."""
        told = set(self._told)
        found = await self._repository.listed(datetime.now(UTC), limit=self._max_denials)
        self._denied = {(each.kind, each.value): each.until for each in found}
        self._told -= told

    def know(self, notice: str) -> None:
        """Know that something was denied."""
        if notice.startswith(DENIED):
            kind, _, value = notice.removeprefix(DENIED).partition(" ")
            self._told.add((kind, value))


class DenialService:
    """Denies tokens, and tells all processes.

    Args:
        repository: Where that is kept.
        telling: Tells all processes.
        max_denials: Of so many at a time.
    """

    def __init__(self, repository: DenialRepository, telling: Telling, *, max_denials: int) -> None:
        self._repository = repository
        self._telling = telling
        self._max_denials = max_denials

    async def deny(self, kind: DeniedKind, value: str, *, until: datetime | None, made_by: str) -> Denial:
        """Accept a token, or all tokens of a subject, no more.

        Raises:
            InvalidInput: An input is wrong, or there is as much denied as there may be.
        """
        now = self._telling.now()
        if not 1 <= len(value) <= LONGEST_VALUE or not value.isprintable():
            raise InvalidInput("value", f"must be one line of 1 to {LONGEST_VALUE} characters")
        if until is not None and until <= now:
            raise InvalidInput("until", "must be later than now")
        if len(await self.listed()) >= self._max_denials:
            raise InvalidInput("value", f"{self._max_denials:,} are denied already: allow some again")
        denial = Denial(
            id=uuid.uuid4().hex, kind=kind, value=value, made_at=now, made_by=made_by, until=until
        )
        await self._repository.add(denial)
        await self._telling.tell(f"{DENIED}{kind} {value}")
        return denial

    async def listed(self) -> Sequence[Denial]:
        """What is denied, the latest first."""
        return await self._repository.listed(self._telling.now(), limit=self._max_denials)

    async def allow(self, denial_id: str) -> Denial:
        """Deny something no more.

        Raises:
            NotFound: There is none of this id.
        """
        removed = await self._repository.remove(denial_id)
        await self._telling.tell(CHANGED)
        return removed
