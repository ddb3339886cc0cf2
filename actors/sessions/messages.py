"""What travels between an HTTP replica and the actor that holds a session."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

from optionchain.context import Context, Principal
from optionchain.errors import OptionChainError
from optionchain.session import Advance, Command, SessionKind


class Call(NamedTuple):
    """One command for one session, and on whose behalf.

    A session of another tenant, or of the other kind, is answered as if it did not exist.
    """

    session_id: str
    context: Context
    kind: SessionKind
    command: Command

    @property
    def owner(self) -> str:
        """Whose session it has to be."""
        return self.context.principal.tenant

    @property
    def weight(self) -> int:
        """What it counts for in a batch: the snapshots that its answer may have."""
        count = self.command.count if isinstance(self.command, Advance) else None
        return count if isinstance(count, int) else 1


Packed: TypeAlias = tuple[str, Principal, float, str, SessionKind, Command]
"""A call as it travels: to pickle an instance of a class of ours costs as much as to pickle the rest of the call."""


def packed(calls: Sequence[Call]) -> list[Packed]:
    """The calls as they travel."""
    return [
        (session_id, context.principal, context.expires_at, context.trace, kind, command)
        for session_id, context, kind, command in calls
    ]


def unpacked(batch: Sequence[Packed]) -> list[Call]:
    """The calls of a batch that has arrived."""
    return [
        Call(session_id, Context(principal, expires_at, trace), kind, command)
        for session_id, principal, expires_at, trace, kind, command in batch
    ]


Answer: TypeAlias = bytes | OptionChainError
"""Encoded JSON, ready to be sent, or an error as a value: one bad call never fails its neighbours."""
