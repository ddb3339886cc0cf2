"""Which Ray actor holds a session: the only place where the two modes differ."""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from optionchain.errors import InvalidInput

MAX_SHARDS = 1024
PER_SESSION = "per-session"


class Placement(Protocol):
    """Maps a session id to the name of its actor; stable across processes and restarts."""

    def actor_name(self, session_id: str) -> str:
        """The name of the actor that holds the session."""
        ...


@dataclass(frozen=True, slots=True)
class Shards:
    """A fixed number of actors, each the host of many sessions."""

    count: int

    def actor_name(self, session_id: str) -> str:
        return shard_name(zlib.crc32(session_id.encode()) % self.count)

    def actor_names(self) -> list[str]:
        """All of them."""
        return [shard_name(index) for index in range(self.count)]


@dataclass(frozen=True, slots=True)
class PerSession:
    """An actor, and so a process, for each session."""

    def actor_name(self, session_id: str) -> str:
        return f"session-{session_id}"


AnyPlacement: TypeAlias = Shards | PerSession


def shard_name(index: int) -> str:
    return f"sessions-{index}"


def parse_placement(text: str) -> AnyPlacement:
    """Read ``shards:N`` or ``per-session``.

    Raises:
        InvalidInput: It is neither.
    """
    if text == PER_SESSION:
        return PerSession()
    match = re.fullmatch(r"shards:(\d{1,4})", text)
    if match and 1 <= int(match[1]) <= MAX_SHARDS:
        return Shards(int(match[1]))
    raise InvalidInput("placement", f"must be `shards:N` with N from 1 to {MAX_SHARDS}, or `per-session`")
