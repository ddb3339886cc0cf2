"""What travels between an HTTP replica and the actor that holds a session."""

from __future__ import annotations

import math
from typing import NamedTuple, TypeAlias

from optionchain.errors import OptionChainError
from optionchain.session import Advance, Command, Surface


class Call(NamedTuple):
    """One command for one session, and on whose behalf. A tuple, for it costs less to pickle than a dataclass.

    A session of another owner, or of the other surface, is answered as if it did not exist.

    Attributes:
        expires_at: Unix time at which the caller gives up; an actor that gets to it later does not begin it.
    """

    session_id: str
    owner: str
    surface: Surface
    command: Command
    expires_at: float = math.inf

    @property
    def weight(self) -> int:
        """What it counts for in a batch: the snapshots that its answer may have."""
        count = self.command.count if isinstance(self.command, Advance) else None
        return count if isinstance(count, int) else 1


Answer: TypeAlias = bytes | OptionChainError
"""Encoded JSON, ready to be sent, or an error as a value: one bad call never fails its neighbours."""
