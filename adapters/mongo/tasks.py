"""What owners ask of their tasks, in MongoDB: the `Scheduler`.

MongoDB and not Redis: what is scheduled for next month must outlive a Redis that may be a cache, its history is asked
for by owner, task and state, and a write that a majority has acknowledged survives the loss of the primary.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from pymongo import ASCENDING, DESCENDING, AsyncMongoClient, ReturnDocument
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import DuplicateKeyError

from adapters.mongo.connection import agreed, mongo_errors
from adapters.mongo.task_documents import (
    RUN_INDEXES,
    STORE,
    TASK_INDEXES,
    milliseconds,
    run_document,
    run_of,
    run_of_task,
    start_of,
    task_document,
    task_of,
)
from optionchain.errors import NotFound, Overloaded, WrongState
from optionchain.tasks import Order, Run, RunState, Schedule, Task

SECONDS_UNTIL_THERE_IS_ROOM = 60.0
NOT_OVER = ("active", "paused")


@dataclass(frozen=True, slots=True)
class TaskCollections:
    """Where tasks and their runs are: read from the primary, written to a majority.

    Attributes:
        tasks: A document each.
        runs: A document each.
    """

    tasks: AsyncCollection[dict[str, Any]]
    runs: AsyncCollection[dict[str, Any]]

    @classmethod
    def of(cls, client: AsyncMongoClient[dict[str, Any]], database: str) -> TaskCollections:
        """Those of a database."""
        return cls(agreed(client, database, "tasks"), agreed(client, database, "task_runs"))

    async def prepare(self) -> None:
        """Make the indexes, where there are none."""
        await self.tasks.create_indexes(TASK_INDEXES)
        await self.runs.create_indexes(RUN_INDEXES)


class MongoScheduler:
    """The `Scheduler` on MongoDB.

    Args:
        client: An open client, which others may use too.
        database: Name of the database.
        most_of_owner: Tasks of one owner that are not over.
        clock: The instant.
    """

    def __init__(
        self,
        client: AsyncMongoClient[dict[str, Any]],
        database: str,
        *,
        most_of_owner: int,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._collections = TaskCollections.of(client, database)
        self._tasks, self._runs = self._collections.tasks, self._collections.runs
        self._most_of_owner = most_of_owner
        self._clock = clock
        self._preparing = asyncio.Lock()
        self._is_prepared = False

    async def schedule_task(self, order: Order, schedule: Schedule, *, task_id: str | None = None) -> str:
        now = milliseconds(self._clock())
        task = Task(
            id=task_id or str(uuid.uuid4()),
            order=order,
            schedule=schedule,
            created_at=now,
            next_for=schedule.first_time(now),
        )
        with mongo_errors(STORE):
            await self._prepare()
            of_owner = {"owner": order.owner, "state": {"$in": NOT_OVER}}
            if await self._tasks.count_documents(of_owner) >= self._most_of_owner:
                raise Overloaded("the schedule of tasks", SECONDS_UNTIL_THERE_IS_ROOM)
            try:
                await self._tasks.insert_one(task_document(task))
            except DuplicateKeyError:  # the same, sent again
                await self.task(order.owner, task.id)
        return task.id

    async def cancel_task(self, owner: str, task_id: str) -> Task:
        # The task first: from then on no run of it can be claimed, also one that is being made at this moment.
        task = await self._changed(owner, task_id, ("active", "paused", "ended", "cancelled"), "cancelled")
        with mongo_errors(STORE):
            await self._runs.update_many(
                {"task_id": task_id, "state": "scheduled"},
                {
                    "$set": {
                        "state": "cancelled",
                        "is_wanted": False,
                        "ended_at": milliseconds(self._clock()),
                    }
                },
            )
            await self._runs.update_many(
                {"task_id": task_id, "state": "running"}, {"$set": {"is_wanted": False}}
            )
        return task

    async def list_scheduled_tasks(
        self, owner: str, *, offset: int, limit: int, is_posted: bool = False
    ) -> tuple[int, Sequence[Task]]:
        condition = {"owner": owner, "is_posted": True if is_posted else {"$ne": True}}
        with mongo_errors(STORE):
            total = await self._tasks.count_documents(condition)
            order = [("created_at", DESCENDING), ("_id", ASCENDING)]
            found = await self._tasks.find(condition).sort(order).skip(offset).limit(limit).to_list()
        return total, [task_of(each) for each in found]

    async def task(self, owner: str, task_id: str) -> Task:
        with mongo_errors(STORE):
            found = await self._tasks.find_one({"_id": task_id, "owner": owner})
        if found is None:
            raise NotFound("task", task_id)
        return task_of(found)

    async def pause(self, owner: str, task_id: str) -> Task:
        return await self._changed(owner, task_id, NOT_OVER, "paused")

    async def resume(self, owner: str, task_id: str) -> Task:
        task = await self.task(owner, task_id)
        if task.state != "paused":
            return await self._changed(owner, task_id, ("active",), "active")
        next_for = task.schedule.first_after(self._clock())
        changes = {"next_for": next_for, "due_at": start_of(task, next_for)}
        return await self._changed(
            owner, task_id, NOT_OVER, "ended" if next_for is None else "active", **changes
        )

    async def reschedule(self, owner: str, task_id: str, schedule: Schedule) -> Task:
        task = replace(await self.task(owner, task_id), schedule=schedule)
        if task.state not in NOT_OVER:
            raise WrongState("task", task_id, f"is {task.state}")
        next_for = schedule.first_time(milliseconds(self._clock()))
        times = {"schedule": schedule.to_wire(), "next_for": next_for, "due_at": start_of(task, next_for)}
        return await self._changed(owner, task_id, (task.state,), task.state, **times)

    async def run_now(self, owner: str, task_id: str) -> Run:
        task = await self.task(owner, task_id)
        if task.state == "cancelled":
            raise WrongState("task", task_id, "was cancelled: schedule another")
        # Now, whatever the jitter.
        now = milliseconds(self._clock())
        run = replace(run_of_task(task, now), due_at=now, available_at=now)
        with mongo_errors(STORE):
            # Whoever asks twice within a millisecond means the same run.
            await self._runs.update_one({"_id": run.id}, {"$setOnInsert": run_document(run)}, upsert=True)
        return run

    async def runs(
        self, owner: str, task_id: str, *, offset: int, limit: int, state: RunState | None = None
    ) -> tuple[int, Sequence[Run]]:
        await self.task(owner, task_id)
        condition = {"task_id": task_id} | ({} if state is None else {"state": state})
        with mongo_errors(STORE):
            total = await self._runs.count_documents(condition)
            order = [("scheduled_for", DESCENDING)]
            found = await self._runs.find(condition).sort(order).skip(offset).limit(limit).to_list()
        return total, [run_of(each) for each in found]

    async def requeue(self, owner: str, task_id: str, run: str) -> Run:
        task = await self.task(owner, task_id)
        if task.state == "cancelled":
            raise WrongState("task", task_id, "was cancelled: schedule another")
        identity = {"_id": run, "task_id": task_id}
        again = {
            "state": "scheduled",
            "attempts": 0,
            "is_wanted": True,
            "ended_at": None,
            "available_at": milliseconds(self._clock()),
        }
        with mongo_errors(STORE):
            document = await self._runs.find_one_and_update(
                {**identity, "state": "failed"}, {"$set": again}, return_document=ReturnDocument.AFTER
            )
            found = document or await self._runs.find_one(identity)
        if found is None:
            raise NotFound("run", run)
        if document is None:
            raise WrongState("run", run, f"is {found['state']}: only one that failed can be requeued")
        return run_of(document)

    async def _changed(
        self, owner: str, task_id: str, states: Sequence[str], state: str, **changes: Any
    ) -> Task:
        """A task in a new state, if it is in one of those."""
        with mongo_errors(STORE):
            document = await self._tasks.find_one_and_update(
                {"_id": task_id, "owner": owner, "state": {"$in": list(states)}},
                {"$set": {"state": state, **changes}},
                return_document=ReturnDocument.AFTER,
            )
        if document is not None:
            return task_of(document)
        found = await self.task(owner, task_id)
        raise WrongState("task", task_id, f"is {found.state}")

    async def _prepare(self) -> None:
        """Make the indexes, once in each process and before its first write."""
        async with self._preparing:
            if not self._is_prepared:
                await self._collections.prepare()
                self._is_prepared = True
