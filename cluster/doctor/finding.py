"""One thing that was examined, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Grade(StrEnum):
    """How it is."""

    GOOD = "good"
    DOUBTFUL = "doubtful"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was examined.

    Attributes:
        what: It.
        grade: How it is.
        told: What was found.
        remedy: What to do, where something is to be done.
    """

    what: str
    grade: Grade
    told: str
    remedy: str = ""


def judged(what: str, told: str, *, is_good: bool, remedy: str, otherwise: Grade = Grade.BAD) -> Finding:
    """A finding that is good, or is not and has a remedy."""
    return Finding(what, Grade.GOOD, told) if is_good else Finding(what, otherwise, told, remedy)
