"""Histories to examine."""

from __future__ import annotations

from proving.chaos.history import Attempt, Gone, Outcome, Refused, Served, Unanswered


def body_of(session_id: str, index: int) -> bytes:
    """What a session must serve."""
    return f"{session_id}/{index}".encode()


def history(
    *outcomes: tuple[int | None, Outcome | int], session_id: str = "s", began: float = 0.0
) -> list[Attempt]:
    """The attempts of one client, a second each: `(expected, outcome)`, where a number is the index served."""
    return [
        Attempt(
            session_id,
            expected,
            began + second,
            began + second + 0.5,
            Served(outcome, body_of(session_id, outcome)) if isinstance(outcome, int) else outcome,
        )
        for second, (expected, outcome) in enumerate(outcomes)
    ]


NO_ANSWER = Unanswered()
GONE = Gone()
CURSOR_AT = Refused
