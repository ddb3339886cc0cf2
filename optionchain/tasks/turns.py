"""Whose turn it is: of the owners whose runs wait, the one of whom fewest run, and who had no turn for longest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from optionchain.tasks.task import Order, Run


class Turns:
    """Hands out places to run, fairly between owners.

    Args:
        most: Runs at a time, of all owners.
        most_of_owner: Of one owner.
        most_of_kinds: Of one kind, where it may not take all places: what takes hours must not keep what takes seconds
            waiting.
    """

    def __init__(self, most: int, most_of_owner: int, most_of_kinds: Mapping[str, int] | None = None) -> None:
        self._most = most
        self._most_of_owner = most_of_owner
        self._most_of_kinds = most_of_kinds or {}
        self._turn = 0
        self._last: dict[str, int] = {}

    def full(self, running: Iterable[Order]) -> set[str]:
        """The kinds of which no more may run.

        Args:
            running: What those that run do.
        """
        of_kind = Counter(order.kind for order in running)
        return {kind for kind, most in self._most_of_kinds.items() if of_kind[kind] >= most}

    def next(self, waiting: Mapping[str, Sequence[Run]], running: Iterable[Order]) -> list[Run]:
        """Which runs begin now.

        Args:
            waiting: By owner, in the order in which the owner's runs are to begin.
            running: What those that run do, one for each.
        """
        at_work = list(running)
        of_owner = Counter(order.owner for order in at_work)
        left = {owner: list(runs) for owner, runs in waiting.items() if runs}
        self._last = {owner: turn for owner, turn in self._last.items() if owner in left or owner in of_owner}
        begun: list[Run] = []
        while len(at_work) < self._most:
            full = self.full(at_work)
            firsts = {
                owner: run
                for owner, runs in left.items()
                if of_owner[owner] < self._most_of_owner
                and (run := next((each for each in runs if each.order.kind not in full), None)) is not None
            }
            if not firsts:
                break
            owner = min(firsts, key=lambda each: (of_owner[each], self._last.get(each, 0)))
            self._turn += 1
            self._last[owner] = self._turn
            of_owner[owner] += 1
            run = firsts[owner]
            left[owner].remove(run)
            at_work.append(run.order)
            begun.append(run)
        return begun
