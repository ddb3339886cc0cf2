"""What was meant by a name that nobody knows."""

from __future__ import annotations

from collections.abc import Iterable

LONGEST_NAME = 64


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that is fewest edits away, at most a third of its letters; None where none is near.

    Args:
        name: As it was written; of a long one only the beginning is looked at.
        known: What it may be.

    Example:
        >>> nearest("sead", ["spread", "seed"]), nearest("volatilty", ["volatility"]), nearest("colour", ["seed"])
        ('seed', 'volatility', None)
    """
    written = name[:LONGEST_NAME].lower()
    distances = {each: _edits(written, each.lower()) for each in known}
    near = {each: edits for each, edits in distances.items() if edits <= max(len(each) // 3, 1)}
    return min(near, key=lambda each: near[each], default=None)


def _edits(one: str, other: str) -> int:
    """How many letters must be put in, left out or replaced.

    Source:
        V. I. Levenshtein, "Binary codes capable of correcting deletions, insertions, and reversals", 1966.
    """
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, start=1):
        above, row = row, [i]
        for j, wanted in enumerate(other, start=1):
            row.append(min(above[j] + 1, row[-1] + 1, above[j - 1] + (letter != wanted)))
    return row[-1]
