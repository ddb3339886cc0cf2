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
    """How many letters must be put in, left out, replaced, or exchanged with the next.

    Source:
        F. J. Damerau, "A technique for computer detection and correction of spelling errors", 1964; each place of a
        name is edited once at most.
    """
    row, above, two_above = list(range(len(other) + 1)), [0], [0]
    for i, letter in enumerate(one):
        two_above, above, row = above, row, [i + 1]
        for j, wanted in enumerate(other):
            edits = min(above[j + 1] + 1, row[j] + 1, above[j] + (letter != wanted))
            if i and j and letter == other[j - 1] and one[i - 1] == wanted:
                edits = min(edits, two_above[j - 1] + 1)
            row.append(edits)
    return row[-1]
