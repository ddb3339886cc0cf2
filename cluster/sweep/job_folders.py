"""What the sweep service keeps of its callers' sweeps, each in a folder of its own, to be known after a restart.

::

    <output>/<job id>/
        request.json      who asked for what
        state.json        what became of it
        table.parquet     the table, when it is over
        <sweep id>/       what is done; see `cluster.sweep.journal`
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from cluster.sweep.definition import Sweep
from cluster.sweep.job import OVER, Job
from cluster.sweep.storage import open_folder
from cluster.sweep.wire import sweep_from_wire
from optionchain.errors import InvalidInput

_KEPT = ("scenarios", "paths", "state", "error", "submitted_at", "ended_at", "is_wanted")

logger = logging.getLogger("ray.serve")


class JobFolders:
    """The folders of all jobs.

    Args:
        output: Local, or of any file system that fsspec knows.
    """

    def __init__(self, output: str) -> None:
        self._output = output
        self._files, self._root = open_folder(output)

    def folder(self, job: Job) -> str:
        """Where a job's sweep is recorded."""
        return f"{self._output}/{job.id}"

    def keep_request(self, job: Job, wire: Mapping[str, Any]) -> None:
        """Record what was asked for."""
        self._write(job, "request.json", orjson.dumps({"owner": job.owner, "sweep": dict(wire)}))

    def keep_state(self, job: Job) -> None:
        """Record what became of it."""
        state = {name: getattr(job, name) for name in _KEPT}
        self._write(job, "state.json", orjson.dumps(state))

    def keep_table(self, job: Job, table: bytes) -> None:
        """Record the results, as Parquet."""
        self._write(job, "table.parquet", table)

    def table(self, job: Job) -> bytes:
        """The results, as Parquet."""
        content: bytes = self._files.cat_file(f"{self._root}/{job.id}/table.parquet")
        return content

    def forget(self, job: Job) -> None:
        """Remove everything about it."""
        self._files.rm(f"{self._root}/{job.id}", recursive=True)

    def recorded(self) -> Iterator[tuple[Job, Sweep | None]]:
        """The jobs of earlier services, with the sweeps of those that are not over.

        One that this version cannot read is left alone.
        """
        for path in sorted(self._files.glob(f"{self._root}/*/request.json")):
            identity = path.split("/")[-2]
            try:
                request = orjson.loads(self._files.cat_file(path))
                state = self._state(identity)
                if state.get("state") in OVER:
                    yield Job(identity, request["owner"], **state), None
                else:
                    sweep = sweep_from_wire(request["sweep"])
                    known = state | {"scenarios": len(sweep.plan), "paths": sweep.paths}
                    yield Job(identity, request["owner"], **known), sweep
            except (InvalidInput, orjson.JSONDecodeError, KeyError, TypeError):
                logger.warning("sweep.unreadable", extra={"sweep_id": identity}, exc_info=True)

    def _state(self, identity: str) -> dict[str, Any]:
        try:
            state: dict[str, Any] = orjson.loads(self._files.cat_file(f"{self._root}/{identity}/state.json"))
        except FileNotFoundError:
            return {}  # the service ended between the two files
        return state

    def _write(self, job: Job, name: str, content: bytes) -> None:
        """Whole or not at all: a reader never sees half a file."""
        path = f"{self._root}/{job.id}/{name}"
        self._files.makedirs(path.rpartition("/")[0], exist_ok=True)
        self._files.pipe_file(path + ".part", content)
        self._files.mv(path + ".part", path)
