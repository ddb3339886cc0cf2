"""Where sessions survive their process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from optionchain.errors import OptionChainError
from optionchain.session import Served, Session, SessionKind


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A session to store, on condition that the store holds what it was made from.

    Attributes:
        session: What to store.
        before: What it was made from; None where the store must hold nothing.
    """

    session: Session
    before: Session | None

    @property
    def expected_version(self) -> int:
        """The version that the store must hold; 0 for none."""
        return 0 if self.before is None else self.before.version

    @property
    def changes_parameters(self) -> bool:
        """Whether the parameters differ from the stored ones; a step leaves them alone."""
        return self.before is None or self.before.parameters is not self.session.parameters


@dataclass(frozen=True, slots=True)
class ActivePage:
    """A page of the active sessions' ids, most recently written first."""

    ids: tuple[str, ...]
    total: int


class SessionStore(Protocol):
    """Where sessions survive their process. Every method raises `Unavailable` when the store does not answer."""

    async def get(self, session_ids: Sequence[str]) -> Mapping[str, Session]:
        """The sessions that exist, in one round trip; unknown and expired ids are left out."""
        ...

    async def versions(self, session_ids: Sequence[str]) -> Mapping[str, int]:
        """The stored versions of the sessions that exist, in one round trip."""
        ...

    async def recall(self, wanted: Mapping[str, Sequence[str]]) -> Mapping[str, tuple[Served, ...]]:
        """What keyed commands were given that were stored as long ago as their keys live, in one round trip.

        Args:
            wanted: Ids of commands by id of a session.

        Returns:
            What is known of them by id of a session; outdated where the stored session has other parameters since.
        """
        ...

    async def save(self, checkpoints: Sequence[Checkpoint]) -> Sequence[OptionChainError | None]:
        """Store each checkpoint whose expected version still holds, and refresh its time to live, in one round trip.

        Repeating a save whose answer was lost is safe: the same version, reached by the same commands, counts as
        stored. What its keyed commands were given is stored with it, at once or not at all; a checkpoint with a keyed
        command that was stored before is refused as a `Conflict`, and `recall` knows it.

        Returns:
            One entry a checkpoint: None when stored; `Conflict` when another writer was first; `NotFound` when
            the session was deleted or expired. A refused checkpoint leaves the store as it was.
        """
        ...

    async def delete(self, sessions: Sequence[Session]) -> None:
        """Forget the sessions for good; unknown ones are ignored."""
        ...

    async def list_active(
        self, owner: str, kind: SessionKind, *, offset: int = 0, limit: int = 100
    ) -> ActivePage:
        """One page of an owner's sessions that have not expired."""
        ...

    async def reserve(self, owner: str, kind: SessionKind, session_id: str, *, most: int) -> float | None:
        """Count a session that is about to be created among an owner's, unless so many of all kinds are alive.

        It counts for half a minute if it is not created; one that counts already is not counted again.

        Returns:
            None where it counts; else the Unix time in seconds at which the first of those that are alive expires.
        """
        ...

    async def cleanup_expired(self) -> int:
        """Drop what the store still knows of expired sessions; returns how many there were."""
        ...

    async def ping(self) -> None:
        """Raise `Unavailable` unless the store answers."""
        ...

    async def close(self) -> None:
        """Release the connections."""
        ...
