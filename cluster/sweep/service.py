"""Sweeps on behalf of HTTP callers: accepted, queued, run, recorded, and taken up again after a restart."""

from __future__ import annotations

import hashlib
import io
import logging
import threading
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import orjson
from pydantic import BaseModel, ConfigDict, Field

from cluster.sweep.definition import Sweep
from cluster.sweep.engine import Engine
from cluster.sweep.progress import Progress
from cluster.sweep.results import SweepResult, parquet_bytes
from cluster.sweep.run import check_measures
from cluster.sweep.wire import sweep_from_wire
from optionchain.errors import Conflict, InvalidInput, NotFound, Overloaded

logger = logging.getLogger("ray.serve")

JobState: TypeAlias = Literal["queued", "running", "completed", "cancelled", "failed"]
Format: TypeAlias = Literal["json", "csv", "arrow", "parquet"]
OVER: tuple[JobState, ...] = ("completed", "cancelled", "failed")


class SweepSettings(BaseModel):
    """How large the sweeps of HTTP callers may be, and where they are recorded."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    output: str = Field(
        "", description="Folder or URL (s3://...) of recorded sweeps; empty means `sweeps` in the data folder"
    )
    max_scenarios: int = Field(100_000, ge=1, description="Scenarios of one sweep")
    max_prices: float = Field(1e11, ge=1, description="Scenarios times paths times steps of one sweep")
    max_running: int = Field(2, ge=1, le=64, description="Sweeps that run at a time; the others wait")
    max_unfinished: int = Field(10, ge=1, description="Sweeps of one caller that wait or run; then 503")


class NotOver(Conflict):
    """A sweep has no table yet, or will never have one."""

    def __str__(self) -> str:
        return f"sweep {self.identity} is not over, or failed: its results come when it is completed or cancelled"


class Cancelled(KeyboardInterrupt):
    """The caller has had enough; what is done is kept, as after Ctrl-C."""


@dataclass(slots=True)
class Job:
    """A sweep of a caller.

    Attributes:
        id: Follows from the caller and the definition: asking twice is asking once.
    """

    id: str
    owner: str
    sweep: Sweep
    state: JobState = "queued"
    progress: Progress | None = None
    error: str | None = None
    is_unwanted: bool = False

    def shown(self) -> dict[str, Any]:
        """What callers see."""
        return {
            "id": self.id,
            "state": self.state,
            "error": self.error,
            "scenarios": len(self.sweep.plan),
            "paths": self.sweep.paths,
            "progress": _shown_progress(self.progress),
        }

    # What a sweep tells its observer.
    def started(self, sweep: Sweep, progress: Progress) -> None:
        self.progress = progress
        self._stop_if_unwanted()

    def advanced(self, progress: Progress) -> None:
        self._stop_if_unwanted()

    def ended(self, progress: Progress, state: str) -> None:
        return

    def _stop_if_unwanted(self) -> None:
        if self.is_unwanted:
            raise Cancelled


class SweepService:
    """Runs sweeps for callers. Undecorated: `cluster` makes it a Ray actor, tests call it as it is.

    Args:
        open_engine: Makes the engine that computes.
        settings: Limits, and the folder whose unfinished sweeps are taken up again.
    """

    def __init__(self, open_engine: Callable[[], Engine], settings: SweepSettings) -> None:
        import fsspec  # noqa: PLC0415

        self._open_engine = open_engine
        self._settings = settings
        self._jobs: dict[str, Job] = {}
        self._lock = threading.Lock()
        self._is_closing = False
        self._threads = ThreadPoolExecutor(settings.max_running, thread_name_prefix="sweep")
        self._files, self._root = fsspec.core.url_to_fs(settings.output)
        self._files.makedirs(self._root, exist_ok=True)
        self._recall()

    def submit(self, owner: str, wire: Mapping[str, Any]) -> dict[str, Any]:
        """Accept a sweep; the same one again is the same, and goes on if it was cancelled or failed.

        Raises:
            InvalidInput: It is wrong, or larger than the limits.
            Overloaded: The caller has too many that are not done.
        """
        sweep = self._accepted(wire)
        identity = job_id(owner, sweep)
        with self._lock:
            known = self._jobs.get(identity)
            if known is not None and known.state not in ("cancelled", "failed"):
                return known.shown()
            unfinished = [job for job in self._jobs.values() if job.owner == owner and job.state not in OVER]
            if len(unfinished) >= self._settings.max_unfinished:
                raise Overloaded("the sweep queue", 5.0)
            job = self._jobs[identity] = Job(identity, owner, sweep)
        self._write(identity, "request.json", orjson.dumps({"owner": owner, "sweep": dict(wire)}))
        self._write_state(job)
        self._threads.submit(self._run, job)
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
        return _rendered(self._files.cat_file(f"{self._root}/{identity}/table.parquet"), style)

    def close(self) -> None:
        """Stop what runs, and wait for it; it is taken up again by the next service of this folder."""
        self._is_closing = True
        for job in self._jobs.values():
            job.is_unwanted = True
        self._threads.shutdown(wait=True, cancel_futures=True)

    def _accepted(self, wire: Mapping[str, Any]) -> Sweep:
        sweep = sweep_from_wire(wire)
        if sweep.keep != "statistics":
            raise InvalidInput("keep", "must be statistics over HTTP")
        if len(sweep.plan) > self._settings.max_scenarios:
            raise InvalidInput("grid", f"has more than {self._settings.max_scenarios:,} scenarios")
        if len(sweep.plan) * sweep.paths * sweep.base.total_steps > self._settings.max_prices:
            limit = self._settings.max_prices
            raise InvalidInput("paths", f"scenarios times paths times steps must be at most {limit:g}")
        check_measures(sweep)
        return sweep

    def _job(self, owner: str, identity: str) -> Job:
        job = self._jobs.get(identity)
        if job is None or job.owner != owner:
            raise NotFound("sweep", identity)
        return job

    def _run(self, job: Job) -> None:
        job.state = "running"
        try:
            folder = f"{self._settings.output}/{job.id}"
            result = job.sweep.run(engine=self._open_engine(), output=folder, observer=job)
            self._finish(job, result)
        except Exception as error:
            logger.exception("sweep.failed", extra={"sweep_id": job.id})
            job.error = str(error) if isinstance(error, InvalidInput) else "Internal server error"
            job.state = "failed"
        self._write_state(job)

    def _finish(self, job: Job, result: SweepResult) -> None:
        self._write(job.id, "table.parquet", parquet_bytes(result.to_arrow()))
        job.state = "completed" if result.state == "completed" else "cancelled"

    def _recall(self) -> None:
        """Know the sweeps of earlier services of this folder, and go on with those that were not over."""
        for path in sorted(self._files.glob(f"{self._root}/*/request.json")):
            identity = path.split("/")[-2]
            request = orjson.loads(self._files.cat_file(path))
            state = orjson.loads(self._files.cat_file(f"{self._root}/{identity}/state.json"))
            job = Job(identity, request["owner"], sweep_from_wire(request["sweep"]), **state)
            self._jobs[identity] = job
            if job.state not in OVER:
                job.state = "queued"
                self._threads.submit(self._run, job)

    def _write_state(self, job: Job) -> None:
        if self._is_closing:
            return  # what stops now was not cancelled by its caller
        self._write(job.id, "state.json", orjson.dumps({"state": job.state, "error": job.error}))

    def _write(self, identity: str, name: str, content: bytes) -> None:
        path = f"{self._root}/{identity}/{name}"
        self._files.makedirs(path.rpartition("/")[0], exist_ok=True)
        self._files.pipe_file(path + ".part", content)
        self._files.mv(path + ".part", path)


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


def _rendered(table: bytes, style: Format) -> bytes:
    import polars  # noqa: PLC0415  heavy

    if style == "parquet":
        return table
    frame = polars.read_parquet(io.BytesIO(table))
    match style:
        case "csv":
            return frame.write_csv(line_terminator="\r\n").encode()
        case "arrow":
            stream = io.BytesIO()
            frame.write_ipc_stream(stream)
            return stream.getvalue()
        case "json":
            return orjson.dumps(frame.to_dicts())
