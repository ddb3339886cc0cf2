"""Work that happens later, and again: what its owners ask for, and what whoever runs it needs.

Runs are done at least once and take effect once: the identity of a run follows from the task and the time that it is
for, whoever makes it finds the one that is there; a worker begins it by a compare-and-swap that gives it a token higher
than any before, and whatever a worker with a lower one still says is refused.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from optionchain.tasks.schedule import Schedule
from optionchain.tasks.task import Ending, Order, Run, RunState, Task


class Scheduler(Protocol):
    """What owners ask for. Every method raises `Unavailable` when the store does not answer.

    What a method has returned survives the end of every process.
    """

    async def schedule_task(self, order: Order, schedule: Schedule, *, task_id: str | None = None) -> str:
        """Have something done, and return the id of the task.

        Args:
            order: What; its parameters are checked already.
            schedule: When.
            task_id: Scheduled again under the same id it is the same task; None makes one up.

        Raises:
            InvalidInput: It would never be due.
            Overloaded: The owner has too many tasks.
        """
        ...

    async def cancel_task(self, owner: str, task_id: str) -> Task:
        """Have it done no more: no run of it begins from now on, and those that run are told to stop.

        Raises:
            NotFound: The owner has none of this id.
        """
        ...

    async def list_scheduled_tasks(
        self, owner: str, *, offset: int, limit: int, is_posted: bool = False
    ) -> tuple[int, Sequence[Task]]:
        """How many tasks an owner has, and some of them, those scheduled last first; those that are over too.

        Args:
            owner: Whose.
            offset: So many are left out.
            limit: So many are returned.
            is_posted: Those that requests of their own have asked for, and no others; else the others.
        """
        ...

    async def task(self, owner: str, task_id: str) -> Task:
        """A task.

        Raises:
            NotFound: The owner has none of this id.
        """
        ...

    async def pause(self, owner: str, task_id: str) -> Task:
        """Let it be due no more until `resume`; runs that wait already begin all the same.

        Raises:
            NotFound: The owner has none of this id.
            WrongState: It is over.
        """
        ...

    async def resume(self, owner: str, task_id: str) -> Task:
        """Let it be due again, from now on: nothing of the pause is made up for.

        Raises:
            NotFound: The owner has none of this id.
            WrongState: It is over.
        """
        ...

    async def reschedule(self, owner: str, task_id: str, schedule: Schedule) -> Task:
        """Have it done at other times from now on; one that is paused stays paused.

        Raises:
            InvalidInput: It would never be due.
            NotFound: The owner has none of this id.
            WrongState: It is over.
        """
        ...

    async def run_now(self, owner: str, task_id: str) -> Run:
        """Have it done once, now, whatever its schedule says; also while it is paused, or has ended.

        Raises:
            NotFound: The owner has none of this id.
            WrongState: It was cancelled.
        """
        ...

    async def runs(
        self, owner: str, task_id: str, *, offset: int, limit: int, state: RunState | None = None
    ) -> tuple[int, Sequence[Run]]:
        """How many runs a task has, and some of them, the latest times first.

        Raises:
            NotFound: The owner has no task of this id.
        """
        ...

    async def requeue(self, owner: str, task_id: str, run: str) -> Run:
        """Have a run that failed for good tried again, as often as the first time.

        Raises:
            NotFound: The owner has none of this id.
            WrongState: It did not fail, or its task was cancelled.
        """
        ...


class RunQueue(Protocol):
    """What whoever fires and runs tasks needs. Every method raises `Unavailable` when the store does not answer."""

    async def due(self, instant: datetime, *, limit: int) -> Sequence[Task]:
        """Active tasks whose next run is to start by an instant, the earliest first."""
        ...

    async def fire(self, task: Task, times: Sequence[datetime], next_for: datetime | None) -> int:
        """Make the runs for some times, unless they are there, and let the task wait for the next.

        Returns:
            How many were not there.
        """
        ...

    async def waiting(
        self, instant: datetime, *, most_of_owner: int, without: Collection[str] = ()
    ) -> Mapping[str, Sequence[Run]]:
        """By owner, runs that may begin at an instant, in the order in which the owner's are to begin.

        Args:
            instant: The instant.
            most_of_owner: That are looked at.
            without: Kinds that may not begin.
        """
        ...

    async def found(self, ids: Collection[str]) -> Mapping[str, Run]:
        """By id, those of these runs that there are, whoever's."""
        ...

    async def running(self) -> Sequence[Run]:
        """Runs that a worker has begun and not ended."""
        ...

    async def claim(self, run: Run, now: datetime) -> Run | None:
        """Begin a run that waits, or one whose worker is lost, and return it with its new token.

        Args:
            run: As it was found: of two who claim it, one does.
            now: When.

        Returns:
            None where another was first, it is not wanted any more, or its task was cancelled.
        """
        ...

    async def beat(self, run: Run, log: Sequence[str], *, trace: str = "") -> Run:
        """Say that a worker is at it, and in which trace; the answer says whether it is still wanted.

        Raises:
            LeaseLost: Another worker has it.
        """
        ...

    async def finish(
        self,
        run: Run,
        state: Ending,
        now: datetime,
        *,
        result: Mapping[str, Any] | None = None,
        error: str | None = None,
        log: Sequence[str] = (),
    ) -> Run:
        """Say what became of a run.

        Raises:
            LeaseLost: Another worker has it; nothing was stored.
        """
        ...

    async def retry(
        self, run: Run, available_at: datetime, now: datetime, *, error: str, log: Sequence[str] = ()
    ) -> Run:
        """Have a run tried again later; unless it is not wanted any more, then it is cancelled.

        Raises:
            LeaseLost: Another worker has it; nothing was stored.
        """
        ...

    async def depths(self) -> Mapping[tuple[str, RunState], int]:
        """How many runs wait and run, by kind and state."""
        ...

    async def overdue(self, before: datetime) -> Mapping[str, int]:
        """By kind, active tasks that were due before an instant and of which no run has succeeded since."""
        ...

    async def successes(self, *, limit: int) -> Mapping[str, datetime]:
        """By name, when active tasks that have one last succeeded, those that were scheduled first."""
        ...

    async def forget(self, before: datetime) -> int:
        """Delete runs that were over before an instant, and tasks that are over and have none; returns how many."""
        ...
