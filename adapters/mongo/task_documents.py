"""Tasks and runs as MongoDB has them: one document each, and which of their fields are indexed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from datetime import UTC, datetime
from typing import Any

from pymongo import ASCENDING, DESCENDING, IndexModel

from optionchain.tasks import Order, Run, Task, due_at, run_id
from optionchain.tasks.wire import schedule_from_wire
from optionchain.wire.instants import whole_milliseconds

# As its callers know it, in messages.
STORE = "the task queue"

TASK_INDEXES = [
    # Of those that are due...
    IndexModel([("state", ASCENDING), ("due_at", ASCENDING)]),
    # ...and of an owner.
    IndexModel([("owner", ASCENDING), ("created_at", DESCENDING), ("_id", ASCENDING)]),
]
RUN_INDEXES = [
    # Of an owner's that wait, in the order in which they begin; and of all that run.
    IndexModel([("state", ASCENDING), ("owner", ASCENDING), ("priority", DESCENDING), ("due_at", ASCENDING)]),
    IndexModel([("task_id", ASCENDING), ("scheduled_for", DESCENDING)]),
    IndexModel([("state", ASCENDING), ("ended_at", ASCENDING)]),
]
IN_ORDER = [("priority", DESCENDING), ("due_at", ASCENDING), ("_id", ASCENDING)]

_ORDER = tuple(each.name for each in fields(Order))
_OF_TASK = ("state", "created_at", "next_for", "last_success_for", "last_success_at", "awaited_since")
_OF_RUN = tuple(each.name for each in fields(Run) if each.name not in ("id", "order"))


def task_document(task: Task) -> dict[str, Any]:
    """The document of a task."""
    return {
        "_id": task.id,
        **asdict(task.order),
        "schedule": task.schedule.to_wire(),
        **{name: getattr(task, name) for name in _OF_TASK},
        "due_at": start_of(task, task.next_for),
    }


def task_of(document: Mapping[str, Any]) -> Task:
    """The task of a document."""
    created_at = document["created_at"]
    return Task(
        id=document["_id"],
        order=_order_of(document),
        schedule=schedule_from_wire(document["schedule"], created_at),
        **{name: document[name] for name in _OF_TASK if name != "created_at"},
        created_at=created_at,
    )


def run_of_task(task: Task, scheduled_for: datetime) -> Run:
    """The run of a task for a time."""
    start = start_of(task, scheduled_for)
    assert start is not None  # noqa: S101  for mypy
    return Run(
        id=run_id(task.id, scheduled_for),
        task_id=task.id,
        scheduled_for=scheduled_for,
        due_at=start,
        available_at=start,
        order=task.order,
    )


def run_document(run: Run) -> dict[str, Any]:
    """The document of a run."""
    return {"_id": run.id, **asdict(run.order), **{name: getattr(run, name) for name in _OF_RUN}}


def run_of(document: Mapping[str, Any]) -> Run:
    """The run of a document."""
    of_run = {name: document[name] for name in _OF_RUN} | {"log": tuple(document["log"])}
    return Run(id=document["_id"], order=_order_of(document), **of_run)


def start_of(task: Task, scheduled_for: datetime | None) -> datetime | None:
    """When the run of a task for a time is to start."""
    if scheduled_for is None:
        return None
    return due_at(task.id, scheduled_for, task.schedule.jitter_seconds)


def milliseconds(instant: datetime) -> datetime:
    """What MongoDB keeps of an instant, in UTC."""
    return whole_milliseconds(instant.astimezone(UTC))


def _order_of(document: Mapping[str, Any]) -> Order:
    # Earlier releases have written fewer.
    return Order(**{name: document[name] for name in _ORDER if name in document})
