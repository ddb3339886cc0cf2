"""The bodies of the task routes."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from cluster.tasks.registry import KINDS
from optionchain.patience import MOST_RUN_ATTEMPTS, RUN_ATTEMPTS
from optionchain.tasks import Run, RunState, Task, TaskState
from optionchain.wire.instants import instant_to_wire
from serve_app.openapi.documentation import Pagination

_KINDS = "; ".join(f"`{kind.name}`: {kind.about}" for kind in KINDS.values())
EXAMPLE: dict[str, Any] = {
    "name": "nightly sweep",
    "kind": "sweep",
    "parameters": {
        "sweep": {
            "base": {
                "symbol": "SPX",
                "steps": 30,
                "initial_price": {"$last_close": "SPX"},
                "days_to_expiration": 30.0,
                "volatility": 0.2,
                "risk_free_rate": 0.03,
                "method": {"GeometricBrownian": {"dt": 0.004, "drift": 0.03, "volatility": 0.2}},
                "seed": {"$run": "number"},
            },
            "grid": {"volatility": [0.1, 0.2, 0.3]},
            "measures": ["terminal_price"],
        }
    },
    "timing": {"calendar": "XNYS", "event": "close", "offset_minutes": 30},
}


class TaskRequest(BaseModel):
    """A task that is asked for."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [EXAMPLE]})

    kind: str = Field(
        description=_KINDS,
        json_schema_extra={"x-permission": {kind.name: kind.permission for kind in KINDS.values()}},
    )
    parameters: dict[str, Any] = Field({}, description="Of the kind; see docs/tasks.md")
    timing: dict[str, Any] = Field(
        description="One of `{at}`, `{every_seconds, start?}`, `{cron, timezone}` (five fields, or six with the "
        "seconds first) and `{calendar, event, offset_minutes}`, as after the close of `XNYS`"
    )
    name: str | None = Field(None, description="For people, and for the heartbeat in metrics")
    jitter_seconds: float | None = Field(None, description="Each time is put off by a part of this")
    misfire: Literal["run_late", "skip"] | None = Field(
        None, description="What becomes of times that nobody was there for; null means `run_late`"
    )
    catch_up: int = Field(1, description="With `run_late`: how many of them are made up for, the latest")
    ends_at: str | None = Field(None, description="RFC 3339; no time is later")
    priority: int = Field(5, description="0 to 9: of your own runs that wait, the highest go first")
    max_attempts: int = Field(
        RUN_ATTEMPTS, description=f"1 to {MOST_RUN_ATTEMPTS}: after so many a run has failed for good"
    )


class TaskView(BaseModel):
    """A task."""

    id: str
    name: str
    kind: str
    parameters: dict[str, Any]
    timing: dict[str, Any]
    jitter_seconds: float
    misfire: str
    catch_up: int
    ends_at: str | None
    priority: int
    max_attempts: int
    state: TaskState = Field(description="`ended` when no further time comes")
    created_at: str
    created_by: str
    next_for: str | None = Field(description="The next time for which there is no run yet")
    last_success_for: str | None = Field(description="The latest time whose run succeeded")
    last_success_at: str | None


class TaskPage(BaseModel):
    """Some of a caller's tasks, those scheduled last first."""

    data: list[TaskView]
    pagination: Pagination


class RunView(BaseModel):
    """One time that a task is due, and what became of it."""

    id: str = Field(description="Follows from the task and the time")
    task_id: str
    kind: str
    scheduled_for: str
    state: RunState
    attempts: int
    due_at: str = Field(description="With jitter")
    started_at: str | None = Field(description="Of the latest attempt")
    ended_at: str | None
    result: dict[str, Any] | None = Field(description="What it has found, in the words of its kind")
    error: str | None = Field(description="Why the latest attempt failed")
    log: list[str] = Field(description="The last lines that it said")
    trace: str = Field(description="The trace of the latest attempt; empty where nothing is traced")


class RunPage(BaseModel):
    """Some of a task's runs, the latest times first."""

    data: list[RunView]
    pagination: Pagination


def task_view(task: Task) -> dict[str, Any]:
    """A task as it is shown."""
    instants = ("created_at", "next_for", "last_success_for", "last_success_at")
    plain = ("name", "kind", "parameters", "priority", "max_attempts", "created_by")
    return {
        "id": task.id,
        **{name: getattr(task.order, name) for name in plain},
        **task.schedule.to_wire(),
        "state": task.state,
        **{name: _instant(getattr(task, name)) for name in instants},
    }


def run_view(run: Run) -> dict[str, Any]:
    """A run as it is shown."""
    plain = ("id", "task_id", "state", "attempts", "result", "error", "trace")
    instants = ("scheduled_for", "due_at", "started_at", "ended_at")
    return {
        **{name: getattr(run, name) for name in plain},
        "kind": run.order.kind,
        **{name: _instant(getattr(run, name)) for name in instants},
        "log": list(run.log),
    }


def _instant(instant: Any) -> str | None:
    return None if instant is None else instant_to_wire(instant)
