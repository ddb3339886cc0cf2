"""What a metric is: a row of a table, with what the observer is told of it and how Prometheus knows it.

Names follow Prometheus: the unit at the end, and counters are exported with `_total` behind that. Every label is from a
bounded set; `docs/metrics.md` is this table, and a test compares the two.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

# From the half millisecond of a request to the seconds of one that hangs...
SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
# ...and of what is a part of one.
SHORT_SECONDS = (0.0001, 0.00025, *SECONDS[:-1])
# Of work that nobody waits for.
LONG_SECONDS = (0.01, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0, 14_400.0)
SIZES = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0)

# What an observation is told to have, beside facts of its own, where a row asks for it as a label.
OPERATION, OUTCOME, PROCESS = "operation", "outcome", "process"

# Who is one of the processes that tell; the last is history and configuration where they are one process.
HTTP, SESSION, HISTORY, CONFIGURATION, SWEEP = "http", "session", "history", "configuration", "sweep"
SCHEDULER, TASK = "scheduler", "task"
SHARED_PROCESS = "shared"


@dataclass(frozen=True, kw_only=True)
class Histogram:
    """How something is distributed: how long an operation takes, or a fact of it.

    Attributes:
        of: The operation; `history.*` is all that begin so.
        name: In Prometheus, where `_bucket`, `_sum` and `_count` are added.
        description: In a few words.
        labels: Facts of the operation, or one of the three above. With `outcome`, failures are measured as well.
        buckets: Upper bounds.
        fact: What is measured; empty for the seconds that the operation takes.
    """

    of: str
    name: str
    description: str
    labels: tuple[str, ...] = ()
    buckets: Sequence[float] = SECONDS
    fact: str = ""


@dataclass(frozen=True, kw_only=True)
class Count:
    """How many of something happened.

    Attributes:
        of: What the observer is told.
        name: In Prometheus, where `_total` is added.
        description: In a few words.
        labels: Of the telling.
        known: The values that its one label has: where they are known, or where there is no label, it is 0 from the
            start of its process, so that the first of them is an increase.
        by: The processes that tell; empty for every one.
    """

    of: str
    name: str
    description: str
    labels: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    by: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Level:
    """How many of something there are.

    Attributes:
        of: What the observer is told.
        name: In Prometheus.
        description: In a few words.
        labels: Of the telling.
        value: What it is when that is told; None for the amount that is told.
        over_processes: What those of several processes are together.
    """

    of: str
    name: str
    description: str
    labels: tuple[str, ...] = ()
    value: float | None = None
    over_processes: Callable[[Sequence[float]], float] = sum


Row: TypeAlias = Histogram | Count | Level
