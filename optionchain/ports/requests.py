"""What is kept about requests: first answers to keyed ones, and how many each caller may make."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from optionchain.errors import OptionChainError


class KeyReused(OptionChainError):
    """The idempotency key belongs to another request; nothing was done."""

    def __str__(self) -> str:
        return "the Idempotency-Key was used for another request: use a new key for each"


class Answers(Protocol):
    """Where the first answers to keyed requests are kept for a day. Both methods raise `KeyReused` where the key
    is bound to another request, and `Unavailable` when the store does not answer."""

    async def begin(self, owner: str, key: str, request: bytes) -> bytes | None:
        """Bind a key to the fingerprint of a request and return its first answer.

        Returns:
            Empty where it was too long to be kept; None where there was none yet.
        """
        ...

    async def finish(self, owner: str, key: str, request: bytes, answer: bytes) -> None:
        """Keep a first answer; a later one changes nothing."""
        ...


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a caller may do now, one request having been asked for.

    Attributes:
        limit: Requests that may come at once when nothing was used.
        remaining: Requests that may still come at once.
        whole_seconds: From now until nothing counts as used.
        retry_seconds: From now until the request that was asked for may come; 0 where it may now, and was counted.
    """

    limit: int
    remaining: int
    whole_seconds: float
    retry_seconds: float

    @property
    def is_granted(self) -> bool:
        """Whether the request may come now."""
        return self.retry_seconds <= 0.0


class Allowances(Protocol):
    """How many requests each caller may make; one count for all processes."""

    async def take(self, caller: str) -> Allowance:
        """Count a request of a caller, unless it is over the limit.

        Raises:
            Unavailable: The store does not answer.
        """
        ...
