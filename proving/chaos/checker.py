"""Finds in a history whatever must never happen: a step lost, served twice, skipped, out of order or wrong."""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, TypeAlias

from proving.chaos.history import Attempt, Gone, Refused, Served, Unanswered

Replay: TypeAlias = Callable[[str, Served], bool]
"""Whether a session had to serve what it did."""

Kind: TypeAlias = Literal["lost", "doubled", "repeated", "skipped", "out_of_order", "wrong"]

# Every session was acknowledged before its first step.
CREATION = -1


@dataclass(frozen=True, slots=True)
class Violation:
    """One step of which something is not as promised.

    ``lost``: acknowledged, and the cursor was seen at or before it later; `CREATION` where the whole session is
    gone. ``doubled``: acknowledged twice. ``repeated``: given to a key that was given another before.
    ``skipped``: the cursor went past it though nobody had asked for it. ``out_of_order``: served to one who had
    asked for another. ``wrong``: not what the replay gives.
    """

    kind: Kind
    session_id: str
    index: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a history shows.

    Attributes:
        acknowledged: Steps that a client got.
        defects: Answers in which the service admitted a bug.
        longest_outage_seconds: The longest time without a step of anybody.
        longest_wait_seconds: The longest time without a step of one session.
    """

    acknowledged: int
    sessions: int
    violations: tuple[Violation, ...]
    defects: int
    longest_outage_seconds: float
    longest_wait_seconds: float

    @property
    def is_clean(self) -> bool:
        """Whether every promise was kept."""
        return not self.violations and not self.defects

    def count(self, kind: Kind) -> int:
        """How many violations of a kind there are."""
        return sum(violation.kind == kind for violation in self.violations)


def check(attempts: Sequence[Attempt], replay: Replay) -> Verdict:
    """Examine a history.

    Args:
        attempts: All that clients asked for, in any order.
        replay: Says what had to be served.
    """
    by_session: dict[str, list[Attempt]] = defaultdict(list)
    for attempt in sorted(attempts, key=lambda attempt: attempt.began):
        by_session[attempt.session_id].append(attempt)
    violations = [
        violation
        for session_id, own in by_session.items()
        for kind, indices in _violations(own, replay)
        for violation in (Violation(kind, session_id, index) for index in indices)
    ]
    return Verdict(
        acknowledged=sum(isinstance(attempt.outcome, Served) for attempt in attempts),
        sessions=len(by_session),
        violations=tuple(violations),
        defects=sum(isinstance(a.outcome, Unanswered) and a.outcome.is_defect for a in attempts),
        longest_outage_seconds=longest_gap(attempts),
        longest_wait_seconds=max(map(longest_gap, by_session.values()), default=0.0),
    )


def longest_gap(attempts: Sequence[Attempt]) -> float:
    """The longest time in which no step was acknowledged, from the first attempt to the end of the last."""
    if not attempts:
        return 0.0
    instants = sorted(attempt.ended for attempt in attempts if isinstance(attempt.outcome, Served))
    began, ended = min(a.began for a in attempts), max(a.ended for a in attempts)
    return max(after - before for before, after in pairwise([began, *instants, ended]))


def _violations(attempts: Sequence[Attempt], replay: Replay) -> Iterator[tuple[Kind, list[int]]]:
    """What is wrong with the attempts at one session, which come in the order in which they began."""
    served = [(attempt, attempt.outcome) for attempt in attempts if isinstance(attempt.outcome, Served)]
    # A key is given the same again and again, and that is one effect.
    effects = {
        (attempt.key or str(number), outcome.index) for number, (attempt, outcome) in enumerate(served)
    }
    times = Counter(index for _, index in effects)
    session_id = attempts[0].session_id
    yield "doubled", [index for index, count in times.items() for _ in range(count - 1)]
    yield "repeated", _second_effects(served)
    yield "out_of_order", [o.index for attempt, o in served if attempt.expected not in (None, o.index)]
    yield "wrong", [o.index for _, o in served if not replay(session_id, o)]
    yield "lost", sorted(_lost(attempts))
    yield "skipped", _skipped(attempts, set(times))


def _lost(attempts: Sequence[Attempt]) -> set[int]:
    """Indices acknowledged before an attempt began that found the cursor at or before them."""
    lost: set[int] = set()
    acknowledged = {CREATION}
    # Acknowledgements in the order in which clients got them.
    under_way = [(a.ended, a.outcome.index) for a in attempts if isinstance(a.outcome, Served)]
    heapq.heapify(under_way)
    for attempt in attempts:
        while under_way and under_way[0][0] <= attempt.began:
            acknowledged.add(heapq.heappop(under_way)[1])
        cursor = _cursor(attempt)
        if cursor is not None:
            undone = {index for index in acknowledged if index >= cursor}
            lost |= undone
            acknowledged -= undone
    return lost


def _second_effects(served: Sequence[tuple[Attempt, Served]]) -> list[int]:
    """What keys were given beside what they were given first."""
    first: dict[str, int] = {}
    keyed = [(attempt.key, outcome.index) for attempt, outcome in served if attempt.key is not None]
    return [index for key, index in keyed if first.setdefault(key, index) != index]


def _skipped(attempts: Sequence[Attempt], served: set[int]) -> list[int]:
    """Indices that the cursor passed though they were neither served nor asked for in vain."""
    kept = {attempt.key for attempt in attempts if isinstance(attempt.outcome, Served)} - {None}
    in_vain = [attempt for attempt in attempts if isinstance(attempt.outcome, Unanswered)]
    asked = [a.expected for a in in_vain if not a.is_repeat and a.key not in kept]
    cursors = [cursor for attempt in attempts if (cursor := _cursor(attempt)) is not None]
    passed = set(range(max(cursors, default=0))) - served - set(asked)
    # Whoever asked for whatever comes next, in vain, may have been given any one of them.
    return sorted(passed)[asked.count(None) :]


def _cursor(attempt: Attempt) -> int | None:
    """Where the cursor was while the attempt was under way, as far as it tells."""
    if attempt.is_repeat:
        return None
    match attempt.outcome:
        case Served(index):
            return index
        case Refused(cursor):
            return cursor
        case Gone():
            return CREATION
        case Unanswered():
            return None
