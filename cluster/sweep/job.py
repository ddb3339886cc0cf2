"""A sweep of an HTTP caller: who asked for what, how far it is, and whether it is still wanted."""

from __future__ import annotations

import hashlib
import time
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, TypeAlias

from cluster.sweep.definition import Sweep
from cluster.sweep.progress import Progress, Silent
from optionchain.wire.instants import instant_to_wire

JobState: TypeAlias = Literal["queued", "running", "completed", "cancelled", "failed"]
OVER: tuple[JobState, ...] = ("completed", "cancelled", "failed")


class Cancelled(KeyboardInterrupt):
    """The caller has had enough; what is done is kept, as after Ctrl-C."""


@dataclass(slots=True)
class Job(Silent):
    """A sweep of a caller; it observes itself, and stops at the next report when it is told to.

    Thousands that are over are remembered, so the sweep itself, whose list of scenarios may be long, is not here.

    Attributes:
        id: Follows from the caller and the definition: asking twice is asking once.
        scenarios: Of the sweep.
        paths: Of each scenario.
        submitted_at: Seconds since 1970 when it was asked for.
        ended_at: Seconds since 1970 when it was over.
        is_wanted: The last word of its caller.
        is_stopping: Whether its run has been told to stop. It will, also if it is wanted again meanwhile: then it
            is run once more.
    """

    id: str
    owner: str
    scenarios: int
    paths: int
    state: JobState = "queued"
    progress: Progress | None = None
    error: str | None = None
    submitted_at: float = field(default_factory=time.time)
    ended_at: float | None = None
    is_wanted: bool = True
    is_stopping: bool = False

    @property
    def is_over(self) -> bool:
        return self.state in OVER

    @classmethod
    def of(cls, owner: str, sweep: Sweep) -> Job:
        """A caller's wish to have a sweep computed."""
        return cls(job_id(owner, sweep), owner, len(sweep.plan), sweep.paths)

    def wait(self) -> None:
        """It is to be computed when its turn comes."""
        self.state, self.is_stopping = "queued", False

    def begin(self) -> None:
        """It is being computed."""
        self.state = "running"

    def stop(self) -> None:
        """Tell its run to stop."""
        self.is_stopping = not self.is_over

    def end(self, state: JobState, error: str | None = None) -> None:
        """It is over."""
        self.error, self.ended_at, self.state = error, time.time(), state

    def shown(self) -> dict[str, Any]:
        """What callers see."""
        return {
            "id": self.id,
            "state": self.state,
            "error": self.error,
            "scenarios": self.scenarios,
            "paths": self.paths,
            "submitted_at": _shown_time(self.submitted_at),
            "ended_at": None if self.ended_at is None else _shown_time(self.ended_at),
            "progress": _shown_progress(self.progress),
        }

    def started(self, sweep: Sweep, progress: Progress) -> None:
        self.progress = progress
        self._stop_if_told()

    def advanced(self, progress: Progress) -> None:
        self._stop_if_told()

    def _stop_if_told(self) -> None:
        if self.is_stopping:
            raise Cancelled


def job_id(owner: str, sweep: Sweep) -> str:
    """A UUID that follows from the caller and the definition."""
    digest = hashlib.sha256(f"{owner}\0{sweep.id}".encode()).digest()
    return str(uuid.UUID(bytes=digest[:16], version=5))


def _shown_time(seconds: float) -> str:
    return instant_to_wire(datetime.fromtimestamp(seconds, UTC))


def _shown_progress(progress: Progress | None) -> dict[str, Any] | None:
    if progress is None:
        return None
    return {
        "scenarios": progress.scenarios,
        "failures": progress.failures,
        "share": progress.blocks / progress.total_blocks,
        "paths": progress.paths,
        "contracts": progress.contracts,
        "paths_per_second": progress.paths_per_second,
        "contracts_per_second": progress.contracts_per_second,
        "seconds": progress.seconds,
        "seconds_left": progress.seconds_left,
    }
