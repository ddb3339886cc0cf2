"""The calls that a host serves together, gathered by session."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from actors.messages import Answer, Call
from optionchain.session import Session


@dataclass(frozen=True, slots=True)
class Waiting:
    """A call, and the future that its caller awaits."""

    call: Call
    answer: asyncio.Future[Answer]


@dataclass(slots=True)
class Turn:
    """The calls of one session in one batch, applied in order to `before`, giving `after`."""

    session_id: str
    calls: list[Waiting] = field(default_factory=list)
    before: Session | None = None
    after: Session | None = None
    is_resident: bool = False
    """`before` was in memory: another host may have changed it since."""
    answers: list[Answer] = field(default_factory=list)

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
