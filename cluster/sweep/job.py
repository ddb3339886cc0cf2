"""A sweep of an HTTP caller: who asked for what, how far it is, and whether it is still wanted."""

from __future__ import annotations

import hashlib
import time
import uuid
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from cluster.sweep.definition import Sweep
from cluster.sweep.progress import Progress, Silent

JobState: TypeAlias = Literal["queued", "running", "completed", "cancelled", "failed"]
OVER: tuple[JobState, ...] = ("completed", "cancelled", "failed")


class Cancelled(KeyboardInterrupt):
    """The caller has had enough; what is done is kept, as after Ctrl-C."""


@dataclass(slots=True)
class Job(Silent):
    """A sweep of a caller; it observes itself, and stops at the next report when nobody wants it any more.

    Thousands that are over are remembered, so the sweep itself, whose list of scenarios may be long, is not here.

    Attributes:
        id: Follows from the caller and the definition: asking twice is asking once.
        scenarios: Of the sweep.
        paths: Of each scenario.
        ended_at: Seconds since 1970 when it was over.
    """

    id: str
    owner: str
    scenarios: int
    paths: int
    state: JobState = "queued"
    progress: Progress | None = None
    error: str | None = None
    ended_at: float | None = None
    is_unwanted: bool = False

    @property
    def is_over(self) -> bool:
        return self.state in OVER

    @classmethod
    def of(cls, owner: str, sweep: Sweep) -> Job:
        """A caller's wish to have a sweep computed."""
        return cls(job_id(owner, sweep), owner, len(sweep.plan), sweep.paths)

    def begin(self) -> None:
        """It is being computed."""
        self.state = "running"

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
            "progress": _shown_progress(self.progress),
        }

    def started(self, sweep: Sweep, progress: Progress) -> None:
        self.progress = progress
        self._stop_if_unwanted()

    def advanced(self, progress: Progress) -> None:
        self._stop_if_unwanted()

    def _stop_if_unwanted(self) -> None:
        if self.is_unwanted:
            raise Cancelled


def job_id(owner: str, sweep: Sweep) -> str:
    """A UUID that follows from the caller and the definition."""
    digest = hashlib.sha256(f"{owner}\0{sweep.id}".encode()).digest()
    return str(uuid.UUID(bytes=digest[:16], version=5))


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
