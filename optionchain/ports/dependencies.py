"""What stands before or beside a store: whether it answers, a cache, a breaker."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

T = TypeVar("T")


class Dependency(Protocol):
    """Something that must answer for us to be of use."""

    async def ping(self) -> None:
        """Raise `Unavailable` unless it answers."""
        ...


@dataclass(frozen=True, slots=True)
class Cached:
    """A value of a cache.

    Attributes:
        value: What was set.
        is_stale: It is older than it should be, and given because its source does not answer.
    """

    value: bytes
    is_stale: bool = False


@dataclass(frozen=True, slots=True)
class CacheEntry:
    """What a cache keeps under a key.

    Attributes:
        value: What was set.
        version: Of the source when it was read there; 0 where that has none.
    """

    value: bytes
    version: int = 0


class CacheService(Protocol):
    """Bytes with a time to live. A cache that does not answer is an empty one: no method raises for that."""

    async def get(self, key: str) -> CacheEntry | None:
        """The value, or None where there is none or its time is over."""
        ...

    async def set(self, key: str, value: bytes, ttl_seconds: float, *, version: int = 0) -> None:
        """Keep a value for about `ttl_seconds`: a little less, so that what was set together ends apart.

        Unless a newer version is kept, or was called for by `delete`.
        """
        ...

    async def delete(self, key: str, *, version: int = 0) -> None:
        """Forget a value, in every process; of several versions, those before `version`.

        Whoever has just read an older version cannot set it afterwards. While the cache does not answer, this process
        gives nothing of the key, and has it forgotten as soon as it answers again.
        """
        ...

    async def exists(self, key: str) -> bool:
        """Whether `get` would find a value."""
        ...


class Breaker(Protocol):
    """Stands in front of a dependency, and refuses calls at once while it is known to be down."""

    async def call(self, operation: Callable[[], Awaitable[T]]) -> T:
        """Run an operation and return its result.

        Raises:
            Unavailable: What the operation raised; or at once, and then it was not run.
        """
        ...
