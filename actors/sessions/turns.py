"""The calls that a host serves together, gathered by session."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from actors.sessions.messages import Answer, Call
from actors.sessions.simulation_cache import Rendered
from optionchain.errors import InvalidInput, OptionChainError
from optionchain.expirations import Schedule, trading_calendar
from optionchain.session import Advance, Create, Reply, Session


@dataclass(frozen=True, slots=True)
class Waiting:
    """A call, the future that its caller awaits, and since when, by the performance counter in seconds."""

    call: Call
    answer: asyncio.Future[Answer]
    since: float = field(default_factory=time.perf_counter)


@dataclass(slots=True)
class Decision:
    """What a call leads to, before anything of it is stored.

    Attributes:
        before: The session that it found.
        after: The session that it leaves; None where it is deleted, or was never there.
        reply: What it is told, or why nothing was done.
        rendered: The snapshots of the reply.
    """

    before: Session | None
    after: Session | None
    reply: Reply | OptionChainError
    rendered: Rendered | None = None

    @property
    def session(self) -> Session:
        """The session to show: the one that a deletion found."""
        session = self.after or self.before
        if session is None:
            raise LookupError("a call without a session is an error")
        return session


@dataclass(slots=True)
class Turn:
    """The calls of one session in one batch, applied in order to `before`."""

    session_id: str
    calls: list[Waiting] = field(default_factory=list)
    before: Session | None = None
    is_resident: bool = False
    """`before` was in memory: another host may have changed it since."""
    was_refused: bool = False
    """The store held something else than `before`."""
    decisions: list[Decision] = field(default_factory=list)
    """One a call that was applied."""
    answers: list[Answer] = field(default_factory=list)

    @property
    def after(self) -> Session | None:
        """The session after the calls that were applied."""
        return self.decisions[-1].after if self.decisions else self.before

    @property
    def keyed_commands(self) -> list[str]:
        """The ids of the commands that a caller may have sent long before, and that `before` does not know."""
        before = self.before
        return [
            command.command_id
            for waiting in self.calls
            if isinstance(command := waiting.call.command, Advance)
            and command.is_keyed
            and before is not None
            and before.snapshots_of(command.command_id) is None
        ]

    def require_calendars(self) -> None:
        """Find the calendars of all that is to be applied.

        Raises:
            CalendarMissing: One has yet to be computed.
        """
        new = [
            command.session for waiting in self.calls if isinstance(command := waiting.call.command, Create)
        ]
        for session in (self.before, *new):
            if session is not None and isinstance(session.parameters.expirations, Schedule):
                with suppress(InvalidInput):  # which whoever applies the call will tell
                    trading_calendar(session.parameters.expirations.calendar)

    @property
    def is_new(self) -> bool:
        """Nothing can be loaded, as far as can be told: the session is about to be created, and saving it will show."""
        return isinstance(self.calls[0].call.command, Create) and not self.was_refused

    @property
    def life(self) -> tuple[str, Call] | None:
        """The event, and the call, by which the session was created or deleted; None where it was there and is."""
        session = self.before or self.after
        if session is None or (self.before is None) is (self.after is None):
            return None
        event = "session.created" if self.before is None else "session.deleted"
        return event, next(one.call for one in self.calls if one.call.owner == session.owner)

    @property
    def is_changed(self) -> bool:
        return self.after is not self.before

    @property
    def is_unproven(self) -> bool:
        """No compare-and-swap will tell whether `before` was outdated."""
        return self.is_resident and (not self.is_changed or self.after is None)


def others(turns: Sequence[Turn], without: Sequence[Turn]) -> list[Turn]:
    """The turns but for those in `without`."""
    session_ids = {turn.session_id for turn in without}
    return [turn for turn in turns if turn.session_id not in session_ids]


def turns_of(batch: Sequence[Waiting]) -> dict[str, Turn]:
    """The turns of a batch by session, each with its calls in their order."""
    turns: dict[str, Turn] = {}
    for waiting in batch:
        turns.setdefault(waiting.call.session_id, Turn(waiting.call.session_id)).calls.append(waiting)
    return turns


def settle(waiting: Waiting, answer: Answer) -> None:
    """Answer a call, unless its caller is gone."""
    if not waiting.answer.done():
        waiting.answer.set_result(answer)
