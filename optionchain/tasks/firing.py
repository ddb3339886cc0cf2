"""Which runs are due at an instant: those of this moment, and what is made up for of those that were missed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from optionchain.tasks.task import Task

# Of one task at a time; the rest follow at the next look.
MOST_TOGETHER = 1000


@dataclass(frozen=True, slots=True)
class Firing:
    """What is due of a task.

    Attributes:
        times: For each there is to be a run.
        next_for: The next time after them; None when there is none.
        has_missed: Whether there were times that nobody was there for.
    """

    times: tuple[datetime, ...]
    next_for: datetime | None
    has_missed: bool = False


def due_at(task_id: str, scheduled_for: datetime, jitter_seconds: float) -> datetime:
    """When the run for a time is to start: the same whoever asks, and whenever.

    Args:
        task_id: Of the task.
        scheduled_for: The time.
        jitter_seconds: It is put off by a part of this.
    """
    if not jitter_seconds:
        return scheduled_for
    digest = hashlib.blake2b(f"{task_id} {scheduled_for.isoformat()}".encode(), digest_size=8).digest()
    part = int.from_bytes(digest) / 2**64
    return scheduled_for + timedelta(milliseconds=int(jitter_seconds * 1000 * part))


def firing(task: Task, now: datetime, *, grace_seconds: float) -> Firing:
    """What is due of a task.

    Args:
        task: With its `next_for`.
        now: The instant.
        grace_seconds: What is late by less was not missed.
    """
    schedule, first = task.schedule, task.next_for
    if first is None:
        return Firing((), None)
    missed_until = now - timedelta(seconds=grace_seconds + schedule.jitter_seconds)
    has_missed = first <= missed_until
    times = _made_up_for(task, first, missed_until) if has_missed else []
    following = schedule.first_after(missed_until) if has_missed else first
    while following is not None and due_at(task.id, following, schedule.jitter_seconds) <= now:
        if len(times) >= MOST_TOGETHER:
            break
        times.append(following)
        following = schedule.first_after(following)
    return Firing(tuple(times), following, has_missed)


def _made_up_for(task: Task, first: datetime, until: datetime) -> list[datetime]:
    """Of the times from the first on, as many of the latest as the schedule wants, in order."""
    schedule, times = task.schedule, list[datetime]()
    if schedule.misfire == "skip":
        return times
    before = until if schedule.ends_at is None else min(until, schedule.ends_at)
    while len(times) < schedule.catch_up:
        found = schedule.timing.before(before)
        if found is None or found < first:
            break
        times.append(found)
        before = found - timedelta(milliseconds=1)
    return times[::-1]
