"""Which workers have fallen silent, by what is seen of them: no two clocks are compared, and none that can jump."""

from __future__ import annotations

from collections.abc import Iterable

from optionchain.tasks.task import Run


class Leases:
    """Remembers when each running run was last seen to move on.

    Args:
        seconds: A worker that is silent for longer has lost its lease.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._seen: dict[str, tuple[int, int, float]] = {}

    def lost(self, running: Iterable[Run], now: float) -> list[Run]:
        """Those of the runs that have not moved on for too long.

        Args:
            running: All runs that are said to run; others are forgotten.
            now: Monotonic seconds.
        """
        seen, lost = {}, []
        for run in running:
            token, beat, since = self._seen.get(run.id, (run.token, run.beat, now))
            if (token, beat) != (run.token, run.beat):
                since = now
            seen[run.id] = (run.token, run.beat, since)
            if now - since > self._seconds:
                lost.append(run)
        self._seen = seen
        return lost
