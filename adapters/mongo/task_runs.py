"""The queue of runs in MongoDB, for whoever fires tasks and does their work: the `RunQueue`.

A run's identity is its key, so that a time has one run, whoever makes it. Every change of a run names the state and the
token that it expects: of several who try, one finds the document.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from pymongo import ASCENDING, AsyncMongoClient, ReturnDocument, UpdateOne

from adapters.mongo.connection import mongo_errors, open_mongo
from adapters.mongo.task_documents import (
    IN_ORDER,
    STORE,
    milliseconds,
    run_document,
    run_of,
    run_of_task,
    start_of,
    task_of,
)
from adapters.mongo.tasks import TaskCollections
from adapters.settings import MongoSettings
from optionchain.errors import LeaseLost
from optionchain.observing import Observer
from optionchain.patience import FAILED_RUN
from optionchain.tasks import OVER, Ending, Run, RunState, Task

# Looked at together; more owners than these take turns.
MOST_OWNERS = 200
FORGOTTEN_TOGETHER = 1000


class MongoRunQueue:
    """The `RunQueue` on MongoDB.

    Args:
        client: An open client, which others may use too.
        database: Name of the database.
    """

    def __init__(self, client: AsyncMongoClient[dict[str, Any]], database: str) -> None:
        self._collections = TaskCollections.of(client, database)
        self._tasks, self._runs = self._collections.tasks, self._collections.runs
        self._preparing = asyncio.Lock()
        self._is_prepared = False

    async def due(self, instant: datetime, *, limit: int) -> Sequence[Task]:
        condition = {"state": "active", "due_at": {"$lte": instant}}
        with mongo_errors(STORE):
            found = await self._tasks.find(condition).sort("due_at", ASCENDING).limit(limit).to_list()
        return [task_of(each) for each in found]

    async def fire(self, task: Task, times: Sequence[datetime], next_for: datetime | None) -> int:
        made = [
            UpdateOne({"_id": run.id}, {"$setOnInsert": run_document(run)}, upsert=True)
            for run in (run_of_task(task, each) for each in times)
        ]
        new: dict[str, Any] = {"next_for": next_for, "due_at": start_of(task, next_for)}
        if next_for is None:
            new["state"] = "ended"
        if times and task.awaited_since is None:
            new["awaited_since"] = times[0]
        with mongo_errors(STORE):
            await self._prepare()
            # The runs first: who dies in between leaves a task that is still due, and runs that are found.
            inserted = (await self._runs.bulk_write(made, ordered=False)).upserted_count if made else 0
            await self._tasks.update_one(
                {"_id": task.id, "state": "active", "next_for": task.next_for}, {"$set": new}
            )
        return inserted

    async def waiting(
        self, instant: datetime, *, most_of_owner: int, without: Collection[str] = ()
    ) -> Mapping[str, Sequence[Run]]:
        now = milliseconds(instant)
        # What is put off for longer than any pause was put off by a clock that has jumped since.
        jumped = now + timedelta(seconds=FAILED_RUN.longest_seconds)
        available: dict[str, Any] = {
            "state": "scheduled",
            "kind": {"$nin": list(without)},
            "$or": [{"available_at": {"$lte": now}}, {"available_at": {"$gt": jumped}}],
        }
        with mongo_errors(STORE):
            owners = await self._runs.distinct("owner", {"state": "scheduled"})
            found = {
                owner: await self._runs.find({**available, "owner": owner})
                .sort(IN_ORDER)
                .limit(most_of_owner)
                .to_list()
                for owner in owners[:MOST_OWNERS]
            }
        return {owner: [run_of(each) for each in runs] for owner, runs in found.items() if runs}

    async def running(self) -> Sequence[Run]:
        with mongo_errors(STORE):
            return [run_of(each) for each in await self._runs.find({"state": "running"}).to_list()]

    async def found(self, ids: Collection[str]) -> Mapping[str, Run]:
        with mongo_errors(STORE):
            runs = await self._runs.find({"_id": {"$in": list(ids)}}).to_list()
        return {each["_id"]: run_of(each) for each in runs}

    async def claim(self, run: Run, now: datetime) -> Run | None:
        expected: dict[str, Any] = {"_id": run.id, "state": run.state, "token": run.token, "is_wanted": True}
        if run.state == "running":
            expected["beat"] = run.beat
        begun = {
            "state": "running",
            "beat": 0,
            "started_at": milliseconds(now),
            "trace": "",
            "error": None,
        }
        with mongo_errors(STORE):
            document = await self._runs.find_one_and_update(
                expected,
                {"$set": begun, "$inc": {"token": 1, "attempts": 1}},
                return_document=ReturnDocument.AFTER,
            )
            if document is None:
                return None
            task = await self._tasks.find_one({"_id": run.task_id}, {"state": 1})
        claimed = run_of(document)
        if task is not None and task["state"] != "cancelled":
            return claimed
        await self.finish(claimed, "cancelled", now)
        return None

    async def beat(self, run: Run, log: Sequence[str], *, trace: str = "") -> Run:
        said = {"log": list(log)} | ({"trace": trace} if trace else {})
        return await self._of_lease(run, {"$inc": {"beat": 1}, "$set": said})

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
        ended = {"state": state, "ended_at": milliseconds(now), "result": result, "error": error}
        finished = await self._of_lease(run, {"$set": ended | {"log": list(log)}})
        if state == "succeeded":
            success = {"last_success_for": run.scheduled_for, "last_success_at": milliseconds(now)}
            with mongo_errors(STORE):
                await self._tasks.update_one(
                    {"_id": run.task_id}, {"$max": success, "$set": {"awaited_since": None}}
                )
        return finished

    async def retry(
        self, run: Run, available_at: datetime, now: datetime, *, error: str, log: Sequence[str] = ()
    ) -> Run:
        again = {
            "state": "scheduled",
            "available_at": milliseconds(available_at),
            "error": error,
            "log": list(log),
        }
        try:
            return await self._of_lease(run, {"$set": again}, is_wanted=True)
        except LeaseLost:
            return await self.finish(run, "cancelled", now, error=error, log=log)

    async def depths(self) -> Mapping[tuple[str, RunState], int]:
        pipeline: list[dict[str, Any]] = [
            {"$match": {"state": {"$in": ["scheduled", "running"]}}},
            {"$group": {"_id": {"kind": "$kind", "state": "$state"}, "runs": {"$sum": 1}}},
        ]
        with mongo_errors(STORE):
            rows = await (await self._runs.aggregate(pipeline)).to_list()
        return {(row["_id"]["kind"], row["_id"]["state"]): row["runs"] for row in rows}

    async def overdue(self, before: datetime) -> Mapping[str, int]:
        late = {"$or": [{"awaited_since": {"$lt": before}}, {"due_at": {"$lt": before}}]}
        pipeline: list[dict[str, Any]] = [
            {"$match": {"state": "active", **late}},
            {"$group": {"_id": "$kind", "tasks": {"$sum": 1}}},
        ]
        with mongo_errors(STORE):
            rows = await (await self._tasks.aggregate(pipeline)).to_list()
        return {row["_id"]: row["tasks"] for row in rows}

    async def successes(self, *, limit: int) -> Mapping[str, datetime]:
        named = {"state": "active", "name": {"$ne": ""}, "last_success_at": {"$ne": None}}
        with mongo_errors(STORE):
            found = self._tasks.find(named, {"name": 1, "last_success_at": 1}).sort("created_at").limit(limit)
            return {each["name"]: each["last_success_at"] for each in await found.to_list()}

    async def forget(self, before: datetime) -> int:
        over = {"state": {"$in": list(OVER)}, "ended_at": {"$lt": before}}
        with mongo_errors(STORE):
            forgotten = (await self._runs.delete_many(over)).deleted_count
            tasks = self._tasks.find(
                {"state": {"$in": ["ended", "cancelled"]}, "created_at": {"$lt": before}}, {"_id": 1}
            )
            for task in await tasks.limit(FORGOTTEN_TOGETHER).to_list():
                if await self._runs.find_one({"task_id": task["_id"]}, {"_id": 1}) is None:
                    forgotten += (await self._tasks.delete_one({"_id": task["_id"]})).deleted_count
        return forgotten

    async def _of_lease(self, run: Run, update: Mapping[str, Any], **conditions: Any) -> Run:
        with mongo_errors(STORE):
            document = await self._runs.find_one_and_update(
                {"_id": run.id, "state": "running", "token": run.token, **conditions},
                update,
                return_document=ReturnDocument.AFTER,
            )
        if document is None:
            raise LeaseLost("run", run.id)
        return run_of(document)

    async def _prepare(self) -> None:
        """Make the indexes, once in each process and before its first write."""
        async with self._preparing:
            if not self._is_prepared:
                await self._collections.prepare()
                self._is_prepared = True


def open_run_queue(settings: MongoSettings, observer: Observer | None = None) -> MongoRunQueue:
    """The queue of runs, as this process reaches it.

    Args:
        settings: Where MongoDB is.
        observer: Told of its commands.
    """
    return MongoRunQueue(open_mongo(settings, observer), settings.database)
