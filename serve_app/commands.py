"""Identities under which commands are applied once, however often they are delivered."""

from __future__ import annotations

import secrets
from itertools import count

# Random once a process: the kernel's randomness for every request was 8 % of a step.
_PROCESS = secrets.token_urlsafe(12)
_NUMBERS = count()


def next_command_id() -> str:
    """An identity that no other command has."""
    return f"{_PROCESS}.{next(_NUMBERS)}"
