"""What clients saw while things broke, as data: one attempt to step after the other."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Served:
    """A snapshot came: the step is acknowledged.

    Attributes:
        index: Of the snapshot.
        digest: Of its body.
        body: The body itself, where its bytes alone do not tell whether it is the right one.
    """

    index: int
    digest: bytes
    body: bytes | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """The service said where the cursor is, and served nothing."""

    cursor: int


@dataclass(frozen=True, slots=True)
class Gone:
    """The service knows no such session."""


@dataclass(frozen=True, slots=True)
class Unanswered:
    """No snapshot and no word of the cursor: the step may or may not have been applied.

    Attributes:
        status: The HTTP status; 0 where the connection broke.
        is_defect: The service said that it has a bug.
    """

    status: int = 0
    is_defect: bool = False


Outcome: TypeAlias = Served | Refused | Gone | Unanswered


@dataclass(frozen=True, slots=True)
class Attempt:
    """One step that a client asked for.

    Attributes:
        expected: The index that it asked for; None for whatever came next.
        began: When it was sent, in seconds on the clock of all attempts.
        ended: When it was known what came of it.
        key: With which idempotency key, if any; all attempts with one are one request.
        is_repeat: Whether the key was sent before, perhaps long ago: what is answered says nothing of the cursor.
    """

    session_id: str
    expected: int | None
    began: float
    ended: float
    outcome: Outcome
    key: str | None = None
    is_repeat: bool = False


def digest(body: bytes) -> bytes:
    """What a history keeps of a body."""
    return hashlib.blake2b(body, digest_size=16).digest()
