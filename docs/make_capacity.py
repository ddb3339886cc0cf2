"""Computes the tables of capacity.md from what was measured on one machine: ``python docs/make_capacity.py``.

Each part of a step is a station with one server for each process of it, of an open network of queues: arrivals are
Poisson, and a process serves whoever is there (processor sharing), so a visit takes its service time over what the
station has left, whatever the distribution of the service (Kleinrock, Queueing Systems, volume 2, section 4.4).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).with_name("capacity.md")
BEGIN, END = "<!-- made by make_capacity.py -->\n", "<!-- end -->\n"
MILLISECONDS = 1e-3
# Processor time of a step of 61 strikes among 64 callers: docs/performance.md, "A request".
DEMANDS = {"replica": 0.23, "session actor": 0.19, "HAProxy": 0.06, "Redis": 0.04}
# Ray's processes and the rest of a node.
REST = 0.08
# The round trip to Redis and back with a write to disk, and to the actor: "One step, alone", which no processor spends.
WAITS = 0.52 + 0.10
BUSY = 0.6
"""Of its time a process is to work: at 0.6 a visit takes 2.5 times its service."""
STEP_BYTES, CHECKPOINT_BYTES = 16_000, 1_500
KEPT_STEP_BYTES = 24
"""Of MongoDB's disk, for a step that is kept: storageSize of 2,000 results of 500 steps, whose volatility moves too."""
SHARD_BYTES = 1e12
YEAR_SECONDS = 365 * 86_400.0
SECONDS_BETWEEN_STEPS = 10.0
CORE_HOUR = 0.04
"""Dollars, of a general-purpose machine of a cloud by the hour; memory is included at 4 GB a core."""
# A sweep of cheap scenarios takes 72 ms of a core for 1.5 million strikes: docs/performance.md, "Speed".
STRIKES_A_CORE_SECOND = 1.5e6 / 0.072
NIGHT_SECONDS = 8 * 3600.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What so many sessions take.

    Attributes:
        steps: A second.
        processes: Of each part.
        cores: All that they and Ray's own processes use.
        seconds: That a step takes.
    """

    steps: float
    processes: Mapping[str, int]
    cores: float
    seconds: float


def plan(steps: float, demands: Mapping[str, float] = DEMANDS) -> Plan:
    """How many processes of each part so many steps a second need, and how long a step takes then.

    Args:
        steps: A second.
        demands: Milliseconds of processor time of a step, by part.
    """
    processes = {
        part: max(math.ceil(steps * demand * MILLISECONDS / BUSY), 1) for part, demand in demands.items()
    }
    busy = {part: steps * demands[part] * MILLISECONDS / processes[part] for part in demands}
    visits = sum(demands[part] / (1.0 - busy[part]) for part in demands)
    cores = steps * (sum(demands.values()) + REST) * MILLISECONDS
    return Plan(steps, processes, cores, (visits + WAITS) * MILLISECONDS)


def most_steps(cores: float) -> float:
    """The most steps a second of a machine whose every core is busy."""
    return cores / ((sum(DEMANDS.values()) + REST) * MILLISECONDS)


def _sessions_table() -> str:
    rows = [
        "| sessions, a step each 10 s | steps/s | replicas | session actors | HAProxy | Redis shards | cores "
        "| a step takes | to callers | Redis memory | MongoDB shards, steps kept a year | a month |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for sessions in (10**3, 10**5, 10**7):
        each = plan(sessions / SECONDS_BETWEEN_STEPS)
        counts = " | ".join(
            f"{each.processes[part]:,}" for part in ("replica", "session actor", "HAProxy", "Redis")
        )
        # A machine is to be busy to the same part as its processes.
        cores = max(math.ceil(each.cores / BUSY), 2)
        megabits = each.steps * STEP_BYTES * 8 / 1e6
        gigabytes = sessions * CHECKPOINT_BYTES / 1e9
        shards = max(math.ceil(each.steps * YEAR_SECONDS * KEPT_STEP_BYTES / SHARD_BYTES), 1)
        dollars = cores * CORE_HOUR * 730
        rows.append(
            f"| {sessions:,} | {each.steps:,.0f} | {counts} | {cores:,} | {each.seconds * 1000:.1f} ms | "
            f"{megabits:,.0f} Mbit/s | {gigabytes:,.3g} GB | {shards:,} | ${dollars:,.0f} |"
        )
    return "\n".join(rows)


def _sweeps_table() -> str:
    rows = [
        "| paths a night (8 h), of 22 steps and one strike | core hours | cores all night | a night |",
        "|---|---|---|---|",
    ]
    for paths in (10**6, 10**9, 10**11):
        seconds = paths * 22 / STRIKES_A_CORE_SECOND
        cores = max(math.ceil(seconds / NIGHT_SECONDS), 1)
        rows.append(f"| {paths:,} | {seconds / 3600:,.3g} | {cores:,} | ${seconds / 3600 * CORE_HOUR:,.2f} |")
    return "\n".join(rows)


def tables() -> str:
    """Both of them, as the page has them."""
    return f"{_sessions_table()}\n\n{_sweeps_table()}\n"


def page(text: str) -> str:
    """The page with its tables made anew."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{tables()}\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
