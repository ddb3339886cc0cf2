"""Sweeps on behalf of HTTP callers: accepted, queued, run, recorded, and taken up again after a restart."""

from __future__ import annotations

import logging
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from actors.shared import check_in_time
from cluster.sweep.definition import Sweep
from cluster.sweep.engine import Engine
from cluster.sweep.index import OpenIndex, OwnedBy
from cluster.sweep.job import Job, JobState
from cluster.sweep.job_folders import JobFolders
from cluster.sweep.results import parquet_bytes
from cluster.sweep.run import check_measures
from cluster.sweep.table_formats import Format, rendered
from cluster.sweep.wire import sweep_from_wire
from optionchain.context import Context
from optionchain.errors import Conflict, InvalidInput, NotFound, Overloaded, Unavailable

logger = logging.getLogger("ray.serve")


class SweepSettings(BaseModel):
    """How large the sweeps of HTTP callers may be, and where they are recorded."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    output: str = Field(
        "", description="Folder or URL (s3://...) of recorded sweeps; empty means `sweeps` in the data folder"
    )
    max_scenarios: int = Field(100_000, ge=1, description="Scenarios of one sweep")
    max_prices: float = Field(1e11, ge=1, description="Scenarios times paths times steps of one sweep")
    max_numbers: int = Field(
        10_000_000,
        ge=1,
        description="Scenarios times columns of statistics of one sweep, which fit in memory",
    )
    max_running: int = Field(2, ge=1, le=64, description="Sweeps that run at a time; the others wait")
    max_unfinished: int = Field(10, ge=1, description="Sweeps of one caller that wait or run; then 503")
    max_kept: int = Field(
        1000,
        ge=1,
        description="Sweeps that are over and remembered, with their tables; then the oldest of whoever has most go",
    )
    max_followers: int = Field(
        100, ge=1, description="Callers to whom one replica streams progress at a time; then 503"
    )


class NotOver(Conflict):
    """A sweep has no table yet, or will never have one."""

    def __str__(self) -> str:
        return f"sweep {self.identity} is not over, or failed: its results come when it is completed or cancelled"


class SweepService:
    """Runs sweeps for callers. Undecorated: `cluster` makes it a Ray actor, tests call it as it is.

    Args:
        open_engine: Makes the engine that computes.
        settings: Limits, and the folder whose unfinished sweeps are taken up again.
        open_index: Makes the index of sweeps; None keeps none.
    """

    def __init__(
        self,
        open_engine: Callable[[], Engine],
        settings: SweepSettings,
        open_index: OpenIndex | None = None,
    ) -> None:
        self._open_engine = open_engine
        self._settings = settings
        self._index = None if open_index is None else open_index()
        self._jobs: dict[str, Job] = {}
        # Of the jobs and of what is recorded of them: each changes together with the other.
        self._lock = threading.Lock()
        self._is_closing = False
        self._threads = ThreadPoolExecutor(settings.max_running, thread_name_prefix="sweep")
        # Those that are cancelled while they wait end here, before their turn.
        self._endings = ThreadPoolExecutor(1, thread_name_prefix="sweep-ending")
        self._waiting: dict[str, tuple[Future[None], Sweep]] = {}
        self._folders = JobFolders(settings.output)
        self._recall()

    def call(self, context: Context, method: str, arguments: Sequence[Any]) -> Any:
        """Have a method do what it does, on somebody's behalf.

        Raises:
            Unavailable: The caller gave up before it was begun.
        """
        check_in_time(context, "the sweep service")
        return getattr(self, method)(*arguments)

    def submit(self, owner: str, wire: Mapping[str, Any]) -> dict[str, Any]:
        """Accept a sweep; the same one again is the same, and goes on if it was cancelled or failed.

        Raises:
            InvalidInput: It is wrong, or larger than the limits.
            Overloaded: The caller has too many that are not done.
            Unavailable: The service is being closed.
        """
        sweep = self._accepted(wire)
        job = Job.of(owner, sweep)
        with self._lock:
            if self._is_closing:
                raise Unavailable("the sweep service")
            known = self._jobs.get(job.id)
            if known is not None and known.state not in ("cancelled", "failed"):
                self._want(known)
                return known.shown()
            unfinished = [job for job in self._jobs.values() if job.owner == owner and not job.is_over]
            if len(unfinished) >= self._settings.max_unfinished:
                raise Overloaded("the sweep queue", 5.0)
            self._folders.keep_request(job, wire)
            self._folders.keep_state(job)
            self._jobs[job.id] = job
            self._start(job, sweep)
            return job.shown()

    def listed(self, owner: str, offset: int, limit: int) -> tuple[int, list[dict[str, Any]]]:
        """How many sweeps a caller has, and some of them, the latest first."""
        with self._lock:
            own = [job for job in self._jobs.values() if job.owner == owner]
        own.sort(key=lambda job: (job.submitted_at, job.id), reverse=True)
        return len(own), [job.shown() for job in own[offset : offset + limit]]

    def status(self, owner: str, identity: str) -> dict[str, Any]:
        """How far a sweep is.

        Raises:
            NotFound: The caller has none of this id.
        """
        return self._job(owner, identity).shown()

    def cancel(self, owner: str, identity: str) -> dict[str, Any]:
        """Stop a sweep and keep what is done; one that is over stays as it is.

        Raises:
            NotFound: The caller has none of this id.
        """
        with self._lock:
            job = self._job(owner, identity)
            if not job.is_over:
                job.is_wanted = False
                job.stop()
                self._end_if_waiting(job)
                self._folders.keep_state(job)
            return job.shown()

    def results(self, owner: str, identity: str, style: Format) -> bytes:
        """The table of a sweep that is over; of a cancelled one, the scenarios that were done.

        Raises:
            NotFound: The caller has none of this id.
            NotOver: It is not over yet, or it failed.
        """
        job = self._job(owner, identity)
        if job.state not in ("completed", "cancelled"):
            raise NotOver("sweep", identity)
        try:
            return rendered(self._folders.table(job), style)
        except FileNotFoundError:  # forgotten at this moment
            raise NotFound("sweep", identity) from None

    def close(self) -> None:
        """Stop what runs, and wait for it; it is taken up again by the next service of this folder."""
        with self._lock:
            self._is_closing = True
            for job in self._jobs.values():
                job.stop()
        self._threads.shutdown(wait=True, cancel_futures=True)
        self._endings.shutdown(wait=True)
        if self._index is not None:
            self._index.close()

    def _accepted(self, wire: Mapping[str, Any]) -> Sweep:
        sweep = sweep_from_wire(wire, most_scenarios=self._settings.max_scenarios)
        if sweep.keep != "statistics":
            raise InvalidInput("keep", "must be statistics over HTTP")
        if len(sweep.plan) * sweep.paths * sweep.base.total_steps > self._settings.max_prices:
            limit = self._settings.max_prices
            raise InvalidInput("paths", f"scenarios times paths times steps must be at most {limit:g}")
        if len(sweep.plan) * len(sweep.statistics.columns()) > self._settings.max_numbers:
            most = self._settings.max_numbers
            raise InvalidInput("measures", f"scenarios times statistics must be at most {most:,}")
        check_measures(sweep)
        return sweep

    def _job(self, owner: str, identity: str) -> Job:
        job = self._jobs.get(identity)
        if job is None or job.owner != owner:
            raise NotFound("sweep", identity)
        return job

    def _start(self, job: Job, sweep: Sweep) -> None:
        """Have it run when its turn comes; under the lock."""
        job.wait()
        self._waiting[job.id] = self._threads.submit(self._run, job, sweep), sweep

    def _want(self, job: Job) -> None:
        """Its caller has changed their mind again; under the lock."""
        if not job.is_over and not job.is_wanted:
            job.is_wanted = True
            self._folders.keep_state(job)

    def _end_if_waiting(self, job: Job) -> None:
        """Let it end before its turn; under the lock."""
        waiting = self._waiting.get(job.id)
        if waiting is None or self._is_closing:
            return
        future, sweep = waiting
        if future.cancel():
            del self._waiting[job.id]
            self._endings.submit(self._run, job, sweep)

    def _run(self, job: Job, sweep: Sweep) -> None:
        with self._lock:
            self._waiting.pop(job.id, None)
            if not job.is_stopping:
                job.begin()
        state, error = self._computed(job, sweep)
        try:
            with self._lock:
                self._end(job, sweep, state, error)
            self._forget_oldest()
        except Exception:
            logger.exception("sweep.not_recorded", extra={"sweep_id": job.id})

    def _computed(self, job: Job, sweep: Sweep) -> tuple[JobState, str | None]:
        """What became of a run, and why it failed."""
        index = None if self._index is None else OwnedBy(job.owner, self._index)
        try:
            result = sweep.run(
                engine=self._open_engine(), output=self._folders.folder(job), observer=job, index=index
            )
            self._folders.keep_table(job, parquet_bytes(result.to_arrow()))
        except Exception as error:
            logger.exception("sweep.failed", extra={"sweep_id": job.id})
            return "failed", str(error) if isinstance(error, InvalidInput) else "Internal server error"
        return "completed" if result.state == "completed" else "cancelled", None

    def _end(self, job: Job, sweep: Sweep, state: JobState, error: str | None) -> None:
        """It is over, unless it was stopped and is wanted; under the lock."""
        if state != "cancelled" or not job.is_wanted:
            job.end(state, error)
            self._folders.keep_state(job)
        elif not self._is_closing:  # wanted again since; when closing, the next service goes on with it
            self._start(job, sweep)

    def _forget_oldest(self) -> None:
        with self._lock:
            over = [job for job in self._jobs.values() if job.is_over]
            oldest = _beyond(self._settings.max_kept, over)
            for job in oldest:
                del self._jobs[job.id]
                self._forget_folder(job)
        for job in oldest:
            self._forget_record(job)

    def _forget_folder(self, job: Job) -> None:
        try:
            self._folders.forget(job)
        except OSError:
            logger.warning("sweep.still_recorded", extra={"sweep_id": job.id}, exc_info=True)

    def _forget_record(self, job: Job) -> None:
        if self._index is None:
            return
        try:
            self._index.forget(self._folders.folder(job))
        except Unavailable:
            logger.warning("sweep.still_indexed", extra={"sweep_id": job.id}, exc_info=True)

    def _recall(self) -> None:
        """Know the sweeps of earlier services of this folder, and go on with those that were not over."""
        with self._lock:
            for job, sweep in self._folders.recorded():
                self._jobs[job.id] = job
                if sweep is not None:
                    self._start(job, sweep)
                if not job.is_wanted:
                    job.stop()
                    self._end_if_waiting(job)
        self._forget_oldest()


def _beyond(most: int, over: list[Job]) -> list[Job]:
    """Which are too many: the oldest of whoever has most, so that nobody's sweeps push out those of others."""
    of_owners: dict[str, deque[Job]] = defaultdict(deque)
    for job in sorted(over, key=lambda job: job.ended_at or 0.0):
        of_owners[job.owner].append(job)
    return [max(of_owners.values(), key=len).popleft() for _ in range(len(over) - most)]
