"""A session's life as a function: ``handle(session, command, now)`` says what becomes of it, and does nothing.

The shell (`actors.sessions.actor`) loads, calls `handle`, renders the reply, stores the new session and only
then answers. A session is the cursor over a simulation, which is a pure function of its parameters.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeAlias, assert_never

from optionchain.agreement import changed
from optionchain.chains import GreekSet
from optionchain.errors import Completed, InvalidInput, PreconditionFailed
from optionchain.numerics import IDENTITY
from optionchain.parameters import SimulationParameters

# A repeated command is recognised among this many of a session's latest; the gateway retries within
# seconds, one command of a caller at a time. Keyed commands are remembered beside the session, as long as their keys.
REMEMBERED_COMMANDS = 16


class SessionKind(StrEnum):
    """What a session is a cursor over, as its creator asked for it."""

    CHAIN = "chain"
    """One expiration; its parameters can be changed."""
    SIMULATION = "simulation"
    """Rolling expirations; it never changes."""


class SessionState(StrEnum):
    INITIALIZED = "Initialized"
    IN_PROGRESS = "In Progress"
    MODIFIED = "Modified"
    REINITIALIZED = "Reinitialized"
    COMPLETED = "Completed"
    ERROR = "Error"


@dataclass(frozen=True, slots=True)
class Served:
    """Which snapshots a command was given: kept so that the command sent again gets the same.

    Attributes:
        command_id: Of the command.
        first_step: The first snapshot.
        count: How many.
        is_keyed: The caller may send it again as long as its key lives.
        is_outdated: The parameters were changed since: what it was given cannot be given again.
    """

    command_id: str
    first_step: int
    count: int
    is_keyed: bool = field(default=False, compare=False)
    is_outdated: bool = False


CREATION = Served("", 0, 0, is_keyed=True)
"""`recalled` by a new session whose creation has a key: once it is deleted, it is not made again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A cursor over a simulation, with what fences it (`version`) and whom it belongs to (`owner`).

    Attributes:
        current_step: Index of the next snapshot, 0-based.
        version: Grows by one with every stored change; 0 was never stored.
        served: The latest commands that advanced the cursor, oldest first.
        parameters_since: The version at which the parameters became what they are.
        recalled: Earlier keyed commands that were asked for again. Stored beside the session, and not loaded with it.
    """

    id: str
    owner: str
    kind: SessionKind
    parameters: SimulationParameters
    created_at: datetime
    updated_at: datetime
    current_step: int = 0
    state: SessionState = SessionState.INITIALIZED
    version: int = 0
    served: tuple[Served, ...] = ()
    parameters_since: int = 1
    recalled: tuple[Served, ...] = field(default=(), compare=False)

    @property
    def total_steps(self) -> int:
        """How many snapshots the session serves in all."""
        return self.parameters.total_steps

    @property
    def remembered(self) -> tuple[Served, ...]:
        """All commands that are recognised when they are sent again."""
        return (*self.served, *self.recalled) if self.recalled else self.served

    def without_recalled(self) -> Session:
        """The session as it is stored."""
        return replace(self, recalled=()) if self.recalled else self

    def snapshots_of(self, command_id: str) -> Served | None:
        """What this command was given, if it was applied before."""
        return next((one for one in self.remembered if one.command_id == command_id), None)


@dataclass(frozen=True, slots=True)
class Inspect:
    """Show the session."""


@dataclass(frozen=True, slots=True)
class Peek:
    """Show the next snapshot and leave the cursor."""

    greeks: GreekSet = "none"


@dataclass(frozen=True, slots=True)
class Advance:
    """Serve the next `count` snapshots (fewer at the end) and move the cursor behind them."""

    command_id: str
    expected_step: int | None = None
    count: int | None = None
    """None serves one snapshot as an object; a number serves a list."""
    greeks: GreekSet = "none"
    is_keyed: bool = False
    """The caller may send it again as long as its key lives, whatever was served meanwhile."""


@dataclass(frozen=True, slots=True)
class Create:
    """Store a new session."""

    session: Session


@dataclass(frozen=True, slots=True)
class Reinitialize:
    """Change parameters (all of them for a PUT) and move the cursor to 0."""

    command_id: str
    changes: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Delete:
    """Forget the session for good."""


Command: TypeAlias = Inspect | Peek | Advance | Create | Reinitialize | Delete
Change: TypeAlias = Create | Advance | Reinitialize | Delete


@dataclass(frozen=True, slots=True)
class ShowSession:
    """Reply with the session itself."""


@dataclass(frozen=True, slots=True)
class ShowSnapshots:
    """Reply with the snapshots ``first_step .. first_step + count - 1``.

    Attributes:
        is_served: The cursor went (or had gone) past them; a peek leaves it where it is.
        as_list: Reply with a list, whatever the count.
    """

    first_step: int
    count: int
    greeks: GreekSet
    is_served: bool
    as_list: bool = False


@dataclass(frozen=True, slots=True)
class ShowDeletion:
    """Reply that the session is gone."""


Reply: TypeAlias = ShowSession | ShowSnapshots | ShowDeletion


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command leads to: the session to store (None: delete it; the same: nothing changed) and the reply."""

    session: Session | None
    reply: Reply


def handle(session: Session, command: Command, now: datetime) -> Outcome:
    """Apply one command.

    Args:
        session: The session as last stored; for `Create` the one to create.
        command: What to do.
        now: The instant recorded as `updated_at`.

    Returns:
        The session to store and the reply to render. Nothing was stored yet.

    Raises:
        Completed: No snapshot is left to peek at or to serve.
        PreconditionFailed: `expected_step` is not the cursor, or the command was applied to parameters that the
            session has no more. Checked before `Completed`.
        InvalidInput: A changed parameter is out of range, or the session is of a kind that never changes.
    """
    match command:
        case Inspect() | Create():
            return Outcome(session, ShowSession())
        case Peek(greeks):
            _require_snapshot_left(session)
            return Outcome(session, ShowSnapshots(session.current_step, 1, greeks, is_served=False))
        case Advance():
            return _advance(session, command, now)
        case Reinitialize():
            return Outcome(_reinitialized(session, command, now), ShowSession())
        case Delete():
            return Outcome(None, ShowDeletion())
    assert_never(command)


def _advance(session: Session, command: Advance, now: datetime) -> Outcome:
    earlier = session.snapshots_of(command.command_id)
    if earlier is not None:
        if earlier.is_outdated:
            raise PreconditionFailed(session.current_step)
        return Outcome(session, _show(earlier, command))
    first = session.current_step
    if command.expected_step is not None and command.expected_step != first:
        raise PreconditionFailed(first)
    _require_snapshot_left(session)
    count = min(command.count or 1, session.total_steps - first)
    cursor = first + count
    served = Served(command.command_id, first, count, command.is_keyed)
    advanced = replace(
        session,
        current_step=cursor,
        state=SessionState.COMPLETED if cursor == session.total_steps else SessionState.IN_PROGRESS,
        version=session.version + 1,
        updated_at=now,
        served=(*session.served, served)[-REMEMBERED_COMMANDS:],
    )
    return Outcome(advanced, _show(served, command))


def _show(served: Served, command: Advance) -> ShowSnapshots:
    return ShowSnapshots(
        served.first_step, served.count, command.greeks, is_served=True, as_list=command.count is not None
    )


def _reinitialized(session: Session, command: Reinitialize, now: datetime) -> Session:
    if session.snapshots_of(command.command_id) is not None:
        return session
    if session.kind is not SessionKind.CHAIN:
        raise InvalidInput("id", "a simulation is immutable: create another")
    return replace(
        session,
        parameters=replace(changed(session.parameters, command.changes), numerics=IDENTITY),
        current_step=0,
        state=SessionState.REINITIALIZED,
        version=session.version + 1,
        updated_at=now,
        served=(Served(command.command_id, 0, 0),),
        parameters_since=session.version + 1,
        recalled=tuple(replace(one, is_outdated=True) for one in session.remembered if one.is_keyed),
    )


def _require_snapshot_left(session: Session) -> None:
    if session.current_step >= session.total_steps:
        raise Completed(session.id, session.total_steps)
