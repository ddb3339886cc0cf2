"""Sweeps on behalf of HTTP callers: accepted, queued, run, recorded, and taken up again after a restart."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from cluster.sweep.definition import Sweep
from cluster.sweep.engine import Engine
from cluster.sweep.index import OpenIndex, OwnedBy
from cluster.sweep.job import Job
from cluster.sweep.job_folders import JobFolders
from cluster.sweep.results import parquet_bytes
from cluster.sweep.run import check_measures
from cluster.sweep.table_formats import Format, rendered
from cluster.sweep.wire import sweep_from_wire
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
        1000, ge=1, description="Sweeps that are over and remembered, with their tables; the oldest go first"
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
        self._lock = threading.Lock()
        self._is_closing = False
        self._threads = ThreadPoolExecutor(settings.max_running, thread_name_prefix="sweep")
        self._folders = JobFolders(settings.output)
        self._recall()

    def submit(self, owner: str, wire: Mapping[str, Any]) -> dict[str, Any]:
        """Accept a sweep; the same one again is the same, and goes on if it was cancelled or failed.

        Raises:
            InvalidInput: It is wrong, or larger than the limits.
            Overloaded: The caller has too many that are not done.
        """
        sweep = self._accepted(wire)
        job = Job.of(owner, sweep)
        with self._lock:
            known = self._jobs.get(job.id)
            if known is not None and known.state not in ("cancelled", "failed"):
                known.is_unwanted = False
                return known.shown()
            unfinished = [job for job in self._jobs.values() if job.owner == owner and not job.is_over]
            if len(unfinished) >= self._settings.max_unfinished:
                raise Overloaded("the sweep queue", 5.0)
            self._jobs[job.id] = job
            self._folders.keep_request(job, wire)
            self._folders.keep_state(job)
        self._threads.submit(self._run, job, sweep)
        return job.shown()

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
        job = self._job(owner, identity)
        job.is_unwanted = True
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
        self._is_closing = True
        for job in self._jobs.values():
            job.is_unwanted = True
        self._threads.shutdown(wait=True, cancel_futures=True)
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

    def _run(self, job: Job, sweep: Sweep) -> None:
        job.begin()
        index = None if self._index is None else OwnedBy(job.owner, self._index)
        try:
            result = sweep.run(
                engine=self._open_engine(), output=self._folders.folder(job), observer=job, index=index
            )
            self._folders.keep_table(job, parquet_bytes(result.to_arrow()))
            job.end("completed" if result.state == "completed" else "cancelled")
        except Exception as error:
            logger.exception("sweep.failed", extra={"sweep_id": job.id})
            job.end("failed", str(error) if isinstance(error, InvalidInput) else "Internal server error")
        if self._is_closing and job.state == "cancelled":
            return  # not by its caller: the next service goes on with it
        self._folders.keep_state(job)
        self._forget_oldest()

    def _forget_oldest(self) -> None:
        with self._lock:
            over = [job for job in self._jobs.values() if job.is_over]
            over.sort(key=lambda job: job.ended_at or 0.0)
            oldest = over[: max(len(over) - self._settings.max_kept, 0)]
            for job in oldest:
                del self._jobs[job.id]
                self._folders.forget(job)
        for job in oldest:
            self._forget_record(job)

    def _forget_record(self, job: Job) -> None:
        if self._index is None:
            return
        try:
            self._index.forget(self._folders.folder(job))
        except Unavailable:
            logger.warning("sweep.still_indexed", extra={"sweep_id": job.id}, exc_info=True)

    def _recall(self) -> None:
        """Know the sweeps of earlier services of this folder, and go on with those that were not over."""
        for job, sweep in self._folders.recorded():
            self._jobs[job.id] = job
            if sweep is not None:
                self._threads.submit(self._run, job, sweep)
        self._forget_oldest()
