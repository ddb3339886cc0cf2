"""Places that callers share: none takes so many that nothing is left for others."""

from __future__ import annotations

from collections import Counter

from optionchain.errors import Overloaded


class Places:
    """A bounded number of places.

    An owner who has some is given one more only while more are free than it has: half of all to the first who asks for
    many, a quarter to the second, and always one to whoever has none, while there is one. It is the dynamic threshold
    of packet switches (Choudhury and Hahne, 1998, "Dynamic queue length thresholds for shared-memory packet switches").

    Args:
        what: Of what, for the refusal.
        most: How many there are.
    """

    def __init__(self, what: str, most: int) -> None:
        self._what = what
        self._most = most
        self._of: Counter[str] = Counter()

    @property
    def taken(self) -> int:
        """How many are taken."""
        return self._of.total()

    def take(self, owner: str) -> None:
        """Take one.

        Raises:
            Overloaded: The owner has its share, or there is none.
        """
        if self._most - self.taken <= self._of[owner]:
            raise Overloaded(self._what)
        self._of[owner] += 1

    def give_back(self, owner: str) -> None:
        """Give one back."""
        self._of[owner] -= 1
        if not self._of[owner]:
            del self._of[owner]
