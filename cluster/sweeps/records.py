"""What is known of the sweeps of callers, in a folder, so that it is known again after a restart.

::

    <output>/<sweep id>/
        request.json      who asked for what
        state.json        what became of it, and which run of the queue of tasks computes it
        table.parquet     the result, when it is over

The queue decides what becomes of a sweep. This is what its owner is shown, also while the queue is silent.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections import defaultdict, deque
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Self

import orjson

from adapters.files.folders import Folder
from cluster.sweeps.accepting import sweep_id
from optionchain.errors import HasFailed, NotFound, NotOver, Overloaded
from optionchain.observing import Observer, observed
from optionchain.sweeps.sweep import Sweep
from optionchain.tasks import OVER, run_id
from optionchain.wire.instants import whole_milliseconds

KIND = "sweep"
SECONDS_UNTIL_THERE_IS_ROOM = 5.0
_RECORDED = (
    "state",
    "error",
    "is_wanted",
    "submitted_at",
    "ended_at",
    "scenarios",
    "paths",
    "task",
    "run",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepRecord:
    """What is known of a sweep. Its definition is not: thousands that are over are remembered.

    Attributes:
        id: Its identity: the same again is the same sweep.
        owner: Whose it is; nobody else sees it.
        task: That has it computed; empty where an earlier release has recorded it.
        run: Of that task: what becomes of it becomes of the sweep.
        state: ``queued`` or ``running``, or how it ended.
        scenarios: How many.
        paths: Of each.
        error: Why it failed, in words for its owner.
        is_wanted: The last word of its owner.
        submitted_at: Unix time in seconds.
        ended_at: Unix time in seconds; None until it is over.
        progress: How far it is; None where nobody has said it since the folder was opened.
    """

    id: str
    owner: str
    task: str = ""
    run: str = ""
    state: str = "queued"
    scenarios: int | None = None
    paths: int | None = None
    error: str | None = None
    is_wanted: bool = True
    submitted_at: float = 0.0
    ended_at: float | None = None
    progress: Mapping[str, Any] | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing more becomes of it by itself."""
        return self.state in OVER

    @property
    def is_posted(self) -> bool:
        """Whether its task is there for it alone: the id of one that was scheduled follows from its run."""
        return self.id != sweep_id(self.owner, self.run)

    @classmethod
    def of(cls, identity: str, owner: str, sweep: Sweep, *, task: str = "", run: str = "") -> Self:
        """That of a sweep which was submitted now."""
        return cls(
            id=identity,
            owner=owner,
            task=task,
            run=run,
            scenarios=len(sweep.plan),
            paths=sweep.paths,
            submitted_at=time.time(),
        )

    def due_again(self) -> tuple[Self, datetime]:
        """The same in the hands of another task, and when that is due: now."""
        instant, task = whole_milliseconds(datetime.now(UTC)), str(uuid.uuid4())
        return replace(self, task=task, run=run_id(task, instant)), instant


class SweepRecords:
    """The records of a folder. Their methods block, and may be called from several threads.

    Args:
        output: Local, or of any file system that fsspec knows.
        observer: Told of records that cannot be read or removed.
    """

    def __init__(self, output: str, observer: Observer) -> None:
        self._folder = Folder(output)
        self._observer = observer
        # Of what is known and what is recorded: each changes together with the other.
        self._lock = threading.Lock()
        self._known = {record.id: record for record in self._recorded()}

    def folder_of(self, identity: str) -> str:
        """Where a sweep is recorded."""
        return f"{self._folder.url}/{identity}"

    def known(self, identity: str) -> SweepRecord | None:
        """A sweep, whoever asks."""
        return self._known.get(identity)

    def find(self, owner: str, identity: str) -> SweepRecord:
        """A sweep of an owner's.

        Raises:
            NotFound: The owner has none of this id.
        """
        record = self._known.get(identity)
        if record is None or record.owner != owner:
            raise NotFound(KIND, identity)
        return record

    def definition(self, owner: str, identity: str) -> Mapping[str, Any]:
        """What is computed, as it was submitted.

        Raises:
            NotFound: The owner has none of this id.
        """
        self.find(owner, identity)
        try:
            request = orjson.loads(self._folder.read(f"{identity}/request.json"))
        except FileNotFoundError:  # forgotten at this moment
            raise NotFound(KIND, identity) from None
        definition: Mapping[str, Any] = request.get("parameters", request.get(KIND))
        return definition

    def listed(self, owner: str, *, offset: int, limit: int) -> tuple[int, list[SweepRecord]]:
        """How many an owner has, and some of them, those submitted last first."""
        own = [record for record in list(self._known.values()) if record.owner == owner]
        own.sort(key=lambda record: (record.submitted_at, record.id), reverse=True)
        return len(own), own[offset : offset + limit]

    def unfinished(self) -> list[SweepRecord]:
        """Those that are not over, of all owners."""
        return [record for record in list(self._known.values()) if not record.is_over]

    def table(self, owner: str, identity: str) -> bytes:
        """The result of a sweep that is over.

        Raises:
            NotFound: The owner has none of this id.
            NotOver: It is not over yet.
            HasFailed: It failed, and has none.
        """
        record = self.find(owner, identity)
        if record.state == "failed":
            raise HasFailed(KIND, identity)
        if not record.is_over:
            raise NotOver(KIND, identity)
        try:
            return self._folder.read(f"{identity}/table.parquet")
        except FileNotFoundError:  # forgotten at this moment
            raise NotFound(KIND, identity) from None

    def begin(
        self, record: SweepRecord, definition: Mapping[str, Any], *, most_unfinished: int | None = None
    ) -> None:
        """Record a sweep that is to be computed, or to go on.

        Args:
            record: What is known of it.
            definition: JSON values.
            most_unfinished: Of this owner, with this one; None for no bound.

        Raises:
            Overloaded: The owner has too many that are not over.
        """
        with self._lock:
            others = sum(
                each.owner == record.owner and not each.is_over and each.id != record.id
                for each in self._known.values()
            )
            if most_unfinished is not None and others >= most_unfinished:
                raise Overloaded(f"the {KIND} queue", SECONDS_UNTIL_THERE_IS_ROOM)
            request = {"owner": record.owner, "kind": KIND, "parameters": dict(definition)}
            # The request last: without it, nobody has asked.
            self._write(record)
            self._folder.write(f"{record.id}/request.json", orjson.dumps(request))
            self._known[record.id] = record

    def keep(self, record: SweepRecord) -> None:
        """Record what is known of a sweep from now on."""
        with self._lock:
            self._write(record)
            self._known[record.id] = record

    def drop(self, identity: str) -> None:
        """Forget a sweep, which nobody was told of."""
        with self._lock:
            del self._known[identity]
            self._folder.remove(identity)

    def moved(self, identity: str, run: str, state: str, progress: Mapping[str, Any] | None = None) -> None:
        """Remember how far a run is with a sweep that is not over, until the folder is opened again."""
        with self._lock:
            record = self._known.get(identity)
            if record is not None and record.run == run and not record.is_over:
                told = record.progress if progress is None else progress
                self._known[identity] = replace(record, state=state, progress=told)

    def keep_table(self, identity: str, table: bytes) -> None:
        """Store the result of a sweep, in the place of an earlier one."""
        self._folder.write(f"{identity}/table.parquet", table)

    def prune(self, most_kept: int) -> list[SweepRecord]:
        """Forget what is beyond `most_kept` of all that is over: the oldest of whoever has most. Returns them."""
        with self._lock:
            forgotten = _beyond(most_kept, [record for record in self._known.values() if record.is_over])
            for record in forgotten:
                del self._known[record.id]
                with suppress(OSError), observed(self._observer, "sweep.forget", sweep=record.id):
                    self._folder.remove(record.id)
        return forgotten

    def _write(self, record: SweepRecord) -> None:
        state = {name: getattr(record, name) for name in _RECORDED}
        self._folder.write(f"{record.id}/state.json", orjson.dumps(state))

    def _recorded(self) -> Iterator[SweepRecord]:
        """What was recorded; one that cannot be read is left alone."""
        for name in self._folder.names("*/request.json"):
            identity = name.partition("/")[0]
            with (
                suppress(orjson.JSONDecodeError, KeyError, TypeError, AttributeError),
                observed(self._observer, "sweep.read", sweep=identity),
            ):
                request, state = orjson.loads(self._folder.read(name)), self._state(identity)
                known: dict[str, Any] = {name: state[name] for name in _RECORDED if name in state}
                if known.get("state") == "completed":  # as it was called before
                    known["state"] = "succeeded"
                record = SweepRecord(id=identity, owner=request["owner"], **known)
                yield replace(record, state="queued") if record.state == "running" else record

    def _state(self, identity: str) -> dict[str, Any]:
        try:
            state: dict[str, Any] = orjson.loads(self._folder.read(f"{identity}/state.json"))
        except FileNotFoundError:
            return {}  # lost: it is done again
        return state


def _beyond(most: int, over: list[SweepRecord]) -> list[SweepRecord]:
    """Which are too many: the oldest of whoever has most, so that nobody's sweeps push out those of others."""
    of_owners: dict[str, deque[SweepRecord]] = defaultdict(deque)
    for record in sorted(over, key=lambda record: record.ended_at or 0.0):
        of_owners[record.owner].append(record)
    return [max(of_owners.values(), key=len).popleft() for _ in range(len(over) - most)]
