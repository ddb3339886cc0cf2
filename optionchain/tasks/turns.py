"""Whose turn it is: of the owners whose runs wait, the one of whom fewest run, and who had no turn for longest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from optionchain.tasks.task import Run


class Turns:
    """Hands out places to run, fairly between owners.

    Args:
        most: Runs at a time, of all owners.
        most_of_owner: Of one owner.
    """

    def __init__(self, most: int, most_of_owner: int) -> None:
        self._most = most
        self._most_of_owner = most_of_owner
        self._turn = 0
        self._last: dict[str, int] = {}

    def next(self, waiting: Mapping[str, Sequence[Run]], running: Iterable[str]) -> list[Run]:
        """Which runs begin now.

        Args:
            waiting: By owner, in the order in which the owner's runs are to begin.
            running: The owners of those that run, one for each.
        """
        of_owner = Counter(running)
        free = self._most - of_owner.total()
        left = {owner: list(runs) for owner, runs in waiting.items() if runs}
        self._last = {owner: turn for owner, turn in self._last.items() if owner in left or owner in of_owner}
        begun: list[Run] = []
        while len(begun) < free:
            owners = [owner for owner, runs in left.items() if runs and of_owner[owner] < self._most_of_owner]
            if not owners:
                break
            owner = min(owners, key=lambda each: (of_owner[each], self._last.get(each, 0)))
            self._turn += 1
            self._last[owner] = self._turn
            of_owner[owner] += 1
            begun.append(left[owner].pop(0))
        return begun
