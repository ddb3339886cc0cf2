"""Work that happens later, and again: what is to be done, when, and what became of it. The clock is an argument."""

from optionchain.tasks.firing import Firing, due_at, firing
from optionchain.tasks.leases import Leases
from optionchain.tasks.schedule import Misfire, Schedule
from optionchain.tasks.task import OVER, Ending, Order, Run, RunState, Task, TaskState, run_id
from optionchain.tasks.timing import At, Cron, Every, Sessions, Timing
from optionchain.tasks.turns import Turns
from optionchain.tasks.wire import schedule_from_wire, timing_from_wire

__all__ = [
    "OVER",
    "At",
    "Cron",
    "Ending",
    "Every",
    "Firing",
    "Leases",
    "Misfire",
    "Order",
    "Run",
    "RunState",
    "Schedule",
    "Sessions",
    "Task",
    "TaskState",
    "Timing",
    "Turns",
    "due_at",
    "firing",
    "run_id",
    "schedule_from_wire",
    "timing_from_wire",
]
