"""What is kept to be taken once."""

from __future__ import annotations

from typing import Protocol


class OneTime(Protocol):
    """Keeps small values for a while; each is taken at most once, by whichever replica asks first."""

    async def keep(self, name: str, value: bytes, *, seconds: float) -> None:
        """Keep a value under a name that nobody can guess.

        Raises:
            Unavailable: The store does not answer.
        """
        ...

    async def take(self, name: str) -> bytes | None:
        """The value, which is gone then; None where it was taken, has expired, or never was.

        Raises:
            Unavailable: The store does not answer.
        """
        ...
