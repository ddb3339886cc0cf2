"""What is copied elsewhere and brought back: anything stored, as items that are whole each by itself."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncGenerator, Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeAlias

import bson

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
class Entry:
    """What tells one state of an item from another, without all that is in it.

    Attributes:
        id: What identifies the item.
        mark: Another one for each state.
        fresh: Fields of the item that pass without a new state, as they are now: how long it lives.
    """

    id: bytes
    mark: bytes
    fresh: Item = field(default_factory=dict)


Known: TypeAlias = Callable[[Sequence[Entry]], AbstractSet[bytes]]
"""The ids, among those of some entries, of what is copied already in that state."""


def nothing_known(_entries: Sequence[Entry]) -> AbstractSet[bytes]:
    """Everything is to be read."""
    return frozenset()


def entry_id(identity: Any) -> bytes:
    """The id of an entry, of whatever identifies an item."""
    return bson.encode({"_id": identity})


def content_mark(item: Item) -> bytes:
    """The mark of an item that says nothing shorter of its state than all that it is."""
    return hashlib.sha256(bson.encode(item)).digest()[:16]


@dataclass(frozen=True, slots=True)
class Batch:
    """Items that were read together.

    Attributes:
        items: Each as it stood at one acknowledged state.
        next: Where reading goes on, as BSON can hold it.
        entries: Of all that is stored there: of the items, and of those that were not read because they are known.
    """

    items: Sequence[Item]
    next: Item
    entries: Sequence[Entry]


class Copied(Protocol):
    """One kind of what is stored, read and brought back item by item."""

    def read(self, after: Item | None = None, known: Known = nothing_known) -> AsyncGenerator[Batch, None]:
        """All that is stored, in batches of a bounded size.

        Args:
            after: Go on there, as an earlier batch has it; begins anew where that is not possible any more.
            known: Says what need not be read.

        Raises:
            Unavailable: The store does not answer.
            StartedAnew: What was read before `after` has to be read again.
        """
        ...

    def entry(self, item: Item) -> Entry:
        """What tells the state of an item from others of the same."""
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
