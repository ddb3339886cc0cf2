"""Identities under which commands are applied once, however often they are delivered."""

from __future__ import annotations

import secrets
import uuid
from dataclasses import dataclass
from itertools import count

# A cursor that no session has: an advance that expects it is served only if it was served before.
NO_STEP = -1
# Random once a process: the kernel's randomness for every request was 8 % of a step.
_PROCESS = secrets.token_urlsafe(12)
_NUMBERS = count()


def next_command_id() -> str:
    """An identity that no other command has."""
    return f"{_PROCESS}.{next(_NUMBERS)}"


@dataclass(frozen=True, slots=True)
class Occasion:
    """One intention of a caller, however often it is sent.

    Attributes:
        identity: The same for every sending; None where the caller gave no key.
        was_served: It succeeded before, and its answer was too long to be kept.
    """

    identity: uuid.UUID | None = None
    was_served: bool = False

    @property
    def is_keyed(self) -> bool:
        """Whether the caller may send it again much later."""
        return self.identity is not None

    @property
    def session_id(self) -> str:
        """The identity of a session to create."""
        return str(self.identity or uuid.uuid4())

    @property
    def command_id(self) -> str:
        """The identity under which a session applies a command once."""
        return next_command_id() if self.identity is None else str(self.identity)

    def expected_step(self, asked: int | None) -> int | None:
        """The cursor on which to insist: none will do for what was served before."""
        return NO_STEP if self.was_served else asked
