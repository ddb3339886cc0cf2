"""How the scheduler has a run done: in a process of its own, somewhere in the cluster."""

from __future__ import annotations

from typing import Protocol

from optionchain.tasks import Run


class Runner(Protocol):
    """Has runs done, each by a worker that claims it, keeps its lease, and says what became of it."""

    async def run(self, run: Run) -> Run | None:
        """Have a run done, and return it as it ended, or waits for another attempt; None where another was first.

        Raises:
            Unavailable: The worker died, or there is none; its lease runs out.
        """
        ...

    def kill(self, run_id: str) -> None:
        """End the worker of a run at once, if it is one of ours."""
        ...
