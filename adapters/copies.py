"""What is copied elsewhere and brought back: anything stored, as items that are whole each by itself."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeAlias

Item: TypeAlias = dict[str, Any]
"""As BSON can hold it. What identifies it is its `_id`, or fields that whoever copies it knows."""

Judgement: TypeAlias = Literal["absent", "same", "older", "newer"]
"""What is stored, compared with an item; what is of no age counts as newer."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which items are to be brought back; without anything, all of them.

    Attributes:
        sessions: Ids.
        owner: Of sessions.
        asset: Of history.
        configuration: Name of one.
        version: Of the configuration; None for all.
    """

    sessions: frozenset[str] = frozenset()
    owner: str | None = None
    asset: str | None = None
    configuration: str | None = None
    version: int | None = None

    @property
    def is_all(self) -> bool:
        """Whether it is everything."""
        return self == Wanted()


@dataclass(frozen=True, slots=True)
class Batch:
    """Items that were read together.

    Attributes:
        items: Each as it stood at one acknowledged state.
        next: Where reading goes on, as BSON can hold it.
    """

    items: Sequence[Item]
    next: Item


class Copied(Protocol):
    """One kind of what is stored, read and brought back item by item."""

    def read(self, after: Item | None = None) -> AsyncGenerator[Batch, None]:
        """All that is stored, in batches of a bounded size.

        Args:
            after: Go on there, as an earlier batch has it; begins anew where that is not possible any more.

        Raises:
            Unavailable: The store does not answer.
            StartedAnew: What was read before `after` has to be read again.
        """
        ...

    async def stored(self, items: Sequence[Item]) -> list[Item | None]:
        """What is stored now in the place of each item."""
        ...

    def judge(self, item: Item, stored: Item | None) -> Judgement:
        """How what is stored compares with an item."""
        ...

    def essence(self, item: Item) -> Any:
        """What of an item must be the same after it was brought back: not how long it lives, for example."""
        ...

    def is_wanted(self, item: Item, wanted: Wanted) -> bool:
        """Whether an item is among those that are asked for, where these are not all."""
        ...

    async def write(self, changes: Sequence[tuple[Item, Item | None]]) -> list[bool]:
        """Store items in the place of what was stored, as `stored` has it; False where that has changed meanwhile."""
        ...

    async def is_empty(self) -> bool:
        """Whether nothing is stored."""
        ...


class StartedAnew(Exception):
    """Reading cannot go on where it was: the server was started again, or is another."""
