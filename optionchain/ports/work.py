"""Work that runs apart from a request: asked for by somebody, done by a worker that holds a lease, and remembered.

A sweep over HTTP is one kind of it. Whoever asks submits; a worker claims what waits, reports how far it is, which
also renews its lease, and finishes it. A worker that is silent for longer than its lease has lost it: the work is
handed to another one with a higher fencing token, and whatever the first one still says is refused.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeAlias

WorkState: TypeAlias = Literal["queued", "running", "succeeded", "failed", "cancelled"]
Ending: TypeAlias = Literal["succeeded", "failed", "cancelled"]
OVER: tuple[WorkState, ...] = ("succeeded", "failed", "cancelled")


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What is known of a piece of work. Its parameters are not: thousands that are over are remembered.

    Attributes:
        id: Its identity: the same again is the same work, which takes effect once.
        kind: What is to be done, such as ``sweep``: who can do it, and what its parameters are.
        owner: Whose it is; nobody else sees it.
        state: What became of it.
        facts: What its kind says of it from the start, numbers and texts.
        progress: How far it is, in the words of its kind; None where nobody has said it since the line was opened.
        attempts: How often it was claimed.
        error: Why it failed, in words for its owner.
        is_wanted: The last word of its owner.
        submitted_at: Unix time in seconds.
        ended_at: Unix time in seconds; None until it is over.
    """

    id: str
    kind: str
    owner: str
    state: WorkState = "queued"
    facts: Mapping[str, Any] = field(default_factory=dict)
    progress: Mapping[str, Any] | None = None
    attempts: int = 0
    error: str | None = None
    is_wanted: bool = True
    submitted_at: float = 0.0
    ended_at: float | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing more becomes of it by itself."""
        return self.state in OVER


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """The right to do a piece of work, for a while.

    Attributes:
        work: As it was when it was claimed.
        parameters: What is to be done: JSON values, never code.
        token: Higher than that of every earlier lease of this work.
    """

    work: Work
    parameters: Mapping[str, Any]
    token: int


class WorkLine(Protocol):
    """A line of work. Its methods block, as whoever works does; they may be called from several threads.

    What a method has returned survives the end of every process, except for progress.
    """

    def submit(self, work: Work, parameters: Mapping[str, Any], *, most_unfinished: int) -> Work:
        """Have something done. What is known already is wanted again; it is queued anew if it failed or was cancelled.

        Args:
            work: Its id, kind, owner and facts.
            parameters: JSON values.
            most_unfinished: Of this owner, with this one.

        Raises:
            Overloaded: The owner has too many that are not over.
        """
        ...

    def claim(self, kinds: Collection[str], *, seconds: float, is_wanted: bool = True) -> Lease | None:
        """Take up what waits, or whose worker has lost its lease; None when there is nothing.

        Owners take turns: the one of whom fewest are being done is next, with what has waited longest of theirs.

        Args:
            kinds: That the worker can do.
            seconds: How long the lease lasts unless it is renewed.
            is_wanted: False asks for what was cancelled before anybody took it up: it is to be ended, and may be
                tidied up.
        """
        ...

    def report(self, lease: Lease, *, seconds: float, progress: Mapping[str, Any] | None = None) -> Work:
        """Renew a lease and say how far the work is; the answer says whether it is still wanted.

        Raises:
            LeaseLost: Another worker has it, or may have it at any moment.
        """
        ...

    def finish(
        self, lease: Lease, state: Ending, *, result: bytes | None = None, error: str | None = None
    ) -> Work:
        """Say what became of it. What was cancelled and is wanted again meanwhile is queued anew.

        Raises:
            LeaseLost: Another worker has it; nothing was stored.
        """
        ...

    def cancel(self, owner: str, identity: str) -> Work:
        """Want it no more; what is over stays as it is.

        Raises:
            NotFound: The owner has none of this id.
        """
        ...

    def find(self, owner: str, identity: str) -> Work:
        """What is known of it.

        Raises:
            NotFound: The owner has none of this id.
        """
        ...

    def parameters(self, owner: str, identity: str) -> Mapping[str, Any]:
        """What is to be done, as it was submitted.

        Raises:
            NotFound: The owner has none of this id.
        """
        ...

    def listed(self, owner: str, *, offset: int, limit: int) -> tuple[int, list[Work]]:
        """How many an owner has, and some of them, those submitted last first."""
        ...

    def result(self, owner: str, identity: str) -> bytes:
        """What it has found.

        Raises:
            NotFound: The owner has none of this id.
            NotOver: It is not over yet.
            HasFailed: It failed, and has none.
        """
        ...

    def prune(self, most_kept: int) -> list[Work]:
        """Forget what is beyond `most_kept` of all that is over: the oldest of whoever has most. Returns them."""
        ...
