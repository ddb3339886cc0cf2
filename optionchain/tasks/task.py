"""A task, and a run of it: one for each time that it is due."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, TypeAlias

from optionchain.patience import RUN_ATTEMPTS
from optionchain.tasks.schedule import Schedule

TaskState: TypeAlias = Literal["active", "paused", "ended", "cancelled"]
RunState: TypeAlias = Literal["scheduled", "running", "succeeded", "failed", "cancelled"]
Ending: TypeAlias = Literal["succeeded", "failed", "cancelled"]
OVER: tuple[Ending, ...] = ("succeeded", "failed", "cancelled")


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is to be done, for whom.

    Attributes:
        kind: A name of the registry of kinds: what its parameters are, and what runs.
        parameters: JSON values, as the kind has checked them; never code.
        owner: The tenant whose it is; nobody else sees it.
        created_by: Who it was, within the tenant.
        name: For people, and for the heartbeat in metrics; may be empty.
        priority: Of the owner's own runs that wait, the highest go first, 0 to 9.
        max_attempts: After so many a run has failed for good.
        is_posted: It was asked for at once, by a request of its own, and is listed apart from what is scheduled.
    """

    kind: str
    parameters: Mapping[str, Any]
    owner: str
    created_by: str = ""
    name: str = ""
    priority: int = 5
    max_attempts: int = RUN_ATTEMPTS
    is_posted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """Work that is scheduled.

    Attributes:
        id: Its identity.
        order: What is to be done.
        schedule: When.
        state: ``ended`` when no further time comes.
        created_at: When it was scheduled.
        next_for: The next time for which there is no run yet; None when there is none.
        last_success_for: The latest time whose run succeeded.
        last_success_at: When that was over.
        awaited_since: The first time after the last success; None when the latest run succeeded.
    """

    id: str
    order: Order
    schedule: Schedule
    state: TaskState = "active"
    created_at: datetime
    next_for: datetime | None
    last_success_for: datetime | None = None
    last_success_at: datetime | None = None
    awaited_since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One time that a task is due, and what became of it.

    Attributes:
        id: Follows from the task and `scheduled_for`: the same again is the same run.
        task_id: Whose it is.
        scheduled_for: The time, without jitter.
        due_at: When it was to start.
        order: What is to be done.
        state: What became of it.
        attempts: How often a worker has begun it.
        token: Of its latest lease, higher than that of every earlier one.
        beat: How often that lease was renewed.
        is_wanted: The last word of its owner.
        available_at: It is not begun before; later than `due_at` after a failed attempt.
        started_at, ended_at: Of the latest attempt.
        result: What it has found, JSON values.
        error: Why the latest attempt failed, in words for its owner.
        log: The last lines that it said.
        trace: The trace of the latest attempt; empty where nothing is traced.
    """

    id: str
    task_id: str
    scheduled_for: datetime
    due_at: datetime
    order: Order
    state: RunState = "scheduled"
    attempts: int = 0
    token: int = 0
    beat: int = 0
    is_wanted: bool = True
    available_at: datetime
    started_at: datetime | None = None
    ended_at: datetime | None = None
    result: Mapping[str, Any] | None = None
    error: str | None = None
    log: tuple[str, ...] = ()
    trace: str = ""

    @property
    def is_over(self) -> bool:
        """Whether nothing more becomes of it by itself."""
        return self.state in OVER


def run_id(task_id: str, scheduled_for: datetime) -> str:
    """The identity of the run of a task for a time.

    Example:
        >>> run_id("7c1d", datetime(2026, 1, 5, 21, 30, tzinfo=UTC))
        '7c1d-20260105T213000000Z'
    """
    instant = scheduled_for.astimezone(UTC)
    return f"{task_id}-{instant:%Y%m%dT%H%M%S}{instant.microsecond // 1000:03d}Z"
