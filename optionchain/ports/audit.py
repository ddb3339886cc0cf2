"""Where the record of who did what is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from optionchain.access.audit import Anchor, AuditEntry, Link


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditQuery:
    """Which entries are asked for; None for any.

    Attributes:
        since: From this instant on.
        until: Before this one.
        tenant: Of whose keys.
        status: How they were answered.
    """

    since: datetime | None = None
    until: datetime | None = None
    tenant: str | None = None
    status: int | None = None


class AuditRepository(Protocol):
    """The record. Every method raises `Unavailable` when the store does not answer."""

    async def append(self, links: Sequence[Link], anchors: Sequence[Anchor]) -> None:
        """Add to the record; what is in it already stays as it is."""
        ...

    async def listed(self, query: AuditQuery, *, offset: int, limit: int) -> tuple[int, Sequence[AuditEntry]]:
        """How many entries there are, and some of them, the latest first."""
        ...

    async def writers(self) -> Sequence[str]:
        """Whose chains there are."""
        ...

    async def chain(self, writer: str) -> tuple[Sequence[Link], Sequence[Anchor]]:
        """What is left of a chain, in order, and its anchors."""
        ...

    async def forget(self, before: datetime) -> int:
        """Delete what is older than an instant, and return how many entries that were."""
        ...
