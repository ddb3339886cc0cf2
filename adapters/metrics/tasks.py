"""The metrics of tasks: of the queue, of runs, of schedules."""

from __future__ import annotations

from collections.abc import Sequence

from adapters.metrics.rows import LONG_SECONDS, Count, Histogram, Level, Row

TASKS: Sequence[Row] = (
    Level(
        of="task.looked",
        name="optionchain_scheduler_last_look_timestamp_seconds",
        description="Unix time at which the scheduler last looked for due tasks",
        over_processes=max,
    ),
    Level(
        of="task.waiting",
        name="optionchain_task_runs_waiting",
        description="Runs of tasks that wait, for their turn or for another attempt",
        labels=("kind",),
        over_processes=max,
    ),
    Level(
        of="task.running",
        name="optionchain_task_runs_running",
        description="Runs of tasks that a worker has begun",
        labels=("kind",),
        over_processes=max,
    ),
    Histogram(
        of="task.run",
        name="optionchain_task_run_seconds",
        description="Time that an attempt took, by how it ended",
        labels=("kind", "state"),
        buckets=LONG_SECONDS,
    ),
    Histogram(
        of="task.run",
        fact="late",
        name="optionchain_task_late_seconds",
        description="Time from when a run was due until it was begun, retries included",
        labels=("kind",),
        buckets=LONG_SECONDS,
    ),
    Histogram(
        of="task.run",
        fact="waited",
        name="optionchain_task_wait_seconds",
        description="Time from when an attempt might begin until it was begun",
        labels=("kind",),
        buckets=LONG_SECONDS,
    ),
    Count(
        of="task.ended",
        name="optionchain_task_attempts",
        description="Attempts that ended, by how: `retried` is tried again, `failed` is not",
        labels=("kind", "state"),
    ),
    Count(
        of="task.misfires",
        name="optionchain_task_misfires",
        description="Times that a task had been due and nobody was there",
        labels=("kind",),
    ),
    Level(
        of="task.overdue",
        name="optionchain_tasks_overdue",
        description="Tasks of which no run has succeeded since one should have",
        labels=("kind",),
        over_processes=max,
    ),
    Level(
        of="task.succeeded",
        name="optionchain_task_last_success_timestamp_seconds",
        description="Unix time of the last success of a named task, of so many as OCS_TASK_MAX_HEARTBEATS says",
        labels=("task",),
        over_processes=max,
    ),
)
