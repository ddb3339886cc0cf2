"""The calls that wait for the single writer, and which of them come next."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

from actors.sessions.turns import Waiting
from optionchain.session import REMEMBERED_COMMANDS, Delete


class Mailbox:
    """What waits, in the order in which it came.

    Args:
        max_batch: Calls that are served in one round; one for several snapshots counts for as many.
    """

    def __init__(self, max_batch: int) -> None:
        self._max_batch = max_batch
        self._waiting: deque[Waiting] = deque()

    def __len__(self) -> int:
        return len(self._waiting)

    def extend(self, calls: Iterable[Waiting]) -> None:
        self._waiting.extend(calls)

    def emptied(self) -> Iterator[Waiting]:
        """All that waits, which then does so no more."""
        while self._waiting:
            yield self._waiting.popleft()

    def next_batch(self) -> list[Waiting]:
        """What comes next, with no more commands of one session than its checkpoint can remember.

        A deletion waits for the round behind what it would hide: a step is answered only after it was stored.
        """
        batch: list[Waiting] = []
        later: list[Waiting] = []
        room = self._max_batch
        room_of: dict[str, int] = {}
        while self._waiting and room > 0:
            waiting = self._waiting.popleft()
            session_id = waiting.call.session_id
            if isinstance(waiting.call.command, Delete) and session_id in room_of:
                room_of[session_id] = 0
            left = room_of.setdefault(session_id, REMEMBERED_COMMANDS)
            room_of[session_id] = left - 1
            if left > 0:
                batch.append(waiting)
                room -= waiting.call.weight
            else:
                later.append(waiting)
        self._waiting.extendleft(reversed(later))
        return batch
