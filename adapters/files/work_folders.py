"""A line of work whose records are folders, each known again after a restart.

::

    <output>/<work id>/
        request.json      who asked for what
        state.json        what became of it
        table.parquet     the result, when it is over

Whoever opens the folder takes up all that was not over: there is one line to a folder, and one that still lives
elsewhere is fenced off by the token in the state, which is read again before a result is stored.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

import orjson

from adapters.files.folders import Folder
from optionchain.errors import HasFailed, LeaseLost, NotFound, NotOver, Overloaded
from optionchain.observing import Observer, Unobserved, observed
from optionchain.ports.work import Ending, Lease, Work

_RECORDED = ("state", "attempts", "error", "is_wanted", "submitted_at", "ended_at")
SECONDS_UNTIL_THERE_IS_ROOM = 5.0


@dataclass(slots=True)
class _Held:
    """A lease that was given.

    Attributes:
        token: Of it.
        expires_at: By the line's clock.
        read_at: When the token in the folder was last looked at.
    """

    token: int
    expires_at: float
    read_at: float


class WorkFolders:
    """The `WorkLine` of a folder.

    Args:
        output: Local, or of any file system that fsspec knows.
        kind: Of the work that older records do not name.
        observer: Told of records that cannot be read or removed.
        clock: Monotonic seconds, by which leases end.
    """

    def __init__(
        self,
        output: str,
        kind: str,
        *,
        observer: Observer | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder = Folder(output)
        self._kind = kind
        self._observer = observer or Unobserved()
        self._clock = clock
        # Of what is known and what is recorded: each changes together with the other.
        self._lock = threading.Lock()
        self._held: dict[str, _Held] = {}
        # When each owner last had a turn; bounded by the owners of what is remembered.
        self._turns: dict[str, int] = {}
        self._turn = count(1)
        self._known: dict[str, Work] = {work.id: work for work in self._recorded()}

    def submit(self, work: Work, parameters: Mapping[str, Any], *, most_unfinished: int) -> Work:
        """As `WorkLine.submit`."""
        with self._lock:
            known = self._known.get(work.id)
            if known is not None and known.state not in ("cancelled", "failed"):
                return (
                    known if known.is_wanted or known.is_over else self._keep(replace(known, is_wanted=True))
                )
            unfinished = sum(each.owner == work.owner and not each.is_over for each in self._known.values())
            if unfinished >= most_unfinished:
                raise Overloaded(f"the {work.kind} queue", SECONDS_UNTIL_THERE_IS_ROOM)
            attempts = 0 if known is None else known.attempts
            queued = replace(work, state="queued", attempts=attempts, submitted_at=time.time())
            request = {"owner": work.owner, "kind": work.kind, "parameters": dict(parameters)}
            # The request last: without it, nobody has asked.
            self._folder.write(f"{work.id}/state.json", _state_of(queued))
            self._folder.write(f"{work.id}/request.json", orjson.dumps(request))
            self._known[work.id] = queued
            return queued

    def claim(self, kinds: Collection[str], *, seconds: float, is_wanted: bool = True) -> Lease | None:
        """As `WorkLine.claim`."""
        with self._lock:
            now = self._clock()
            waiting = [
                work
                for work in self._known.values()
                if work.kind in kinds and work.is_wanted == is_wanted and self._may_be_claimed(work, now)
            ]
            if not waiting:
                return None
            chosen = min(waiting, key=self._turn_of)
            self._turns[chosen.owner] = next(self._turn)
            # Recorded before anybody works, so that whoever had it before is fenced off.
            work = self._keep(replace(chosen, state="running", attempts=chosen.attempts + 1))
            self._held[work.id] = _Held(work.attempts, now + seconds, now)
            return Lease(work=work, parameters=self._parameters(work.id), token=work.attempts)

    def report(self, lease: Lease, *, seconds: float, progress: Mapping[str, Any] | None = None) -> Work:
        """As `WorkLine.report`."""
        with self._lock:
            work, held, now = self._checked(lease), self._held[lease.work.id], self._clock()
            if now >= held.read_at + seconds / 3:
                self._check_record(lease)
                held.read_at = now
            held.expires_at = now + seconds
            if progress is not None:
                self._known[work.id] = work = replace(work, progress=progress)
            return work

    def finish(
        self, lease: Lease, state: Ending, *, result: bytes | None = None, error: str | None = None
    ) -> Work:
        """As `WorkLine.finish`."""
        with self._lock:
            work = self._checked(lease)
            self._check_record(lease)
            if result is not None:
                self._folder.write(f"{work.id}/table.parquet", result)
            is_wanted_again = state == "cancelled" and work.is_wanted
            kept = self._keep(
                replace(work, state="queued")
                if is_wanted_again
                else replace(work, state=state, error=error, ended_at=time.time())
            )
            del self._held[
                work.id
            ]  # not before: what could not be recorded is done again when the lease ends
            return kept

    def cancel(self, owner: str, identity: str) -> Work:
        """As `WorkLine.cancel`."""
        with self._lock:
            work = self._of(owner, identity)
            return work if work.is_over else self._keep(replace(work, is_wanted=False))

    def find(self, owner: str, identity: str) -> Work:
        """As `WorkLine.find`."""
        return self._of(owner, identity)

    def parameters(self, owner: str, identity: str) -> Mapping[str, Any]:
        """As `WorkLine.parameters`."""
        work = self._of(owner, identity)
        try:
            return self._parameters(identity)
        except FileNotFoundError:  # forgotten at this moment
            raise NotFound(work.kind, identity) from None

    def listed(self, owner: str, *, offset: int, limit: int) -> tuple[int, list[Work]]:
        """As `WorkLine.listed`."""
        with self._lock:
            own = [work for work in self._known.values() if work.owner == owner]
        own.sort(key=lambda work: (work.submitted_at, work.id), reverse=True)
        return len(own), own[offset : offset + limit]

    def result(self, owner: str, identity: str) -> bytes:
        """As `WorkLine.result`."""
        work = self._of(owner, identity)
        if work.state == "failed":
            raise HasFailed(work.kind, identity)
        if not work.is_over:
            raise NotOver(work.kind, identity)
        try:
            return self._folder.read(f"{identity}/table.parquet")
        except FileNotFoundError:  # forgotten at this moment
            raise NotFound(work.kind, identity) from None

    def prune(self, most_kept: int) -> list[Work]:
        """As `WorkLine.prune`."""
        with self._lock:
            owners = {work.owner for work in self._known.values()}
            self._turns = {owner: turn for owner, turn in self._turns.items() if owner in owners}
            forgotten = _beyond(most_kept, [work for work in self._known.values() if work.is_over])
            for work in forgotten:
                del self._known[work.id]
                with suppress(OSError), observed(self._observer, "work.forget", work=work.id):
                    self._folder.remove(work.id)
        return forgotten

    def _turn_of(self, work: Work) -> tuple[int, int, float]:
        """Who is next: the owner of whom fewest run, who had no turn for longest; of an owner's, the oldest."""
        running = sum(self._known[each].owner == work.owner for each in self._held)
        return running, self._turns.get(work.owner, 0), work.submitted_at

    def _may_be_claimed(self, work: Work, now: float) -> bool:
        return work.state == "queued" or (work.state == "running" and self._held[work.id].expires_at < now)

    def _of(self, owner: str, identity: str) -> Work:
        work = self._known.get(identity)
        if work is None or work.owner != owner:
            raise NotFound(self._kind, identity)
        return work

    def _checked(self, lease: Lease) -> Work:
        """The work of a lease that is the latest; under the lock."""
        held = self._held.get(lease.work.id)
        if held is None or held.token != lease.token:
            raise LeaseLost(lease.work.kind, lease.work.id)
        return self._known[lease.work.id]

    def _check_record(self, lease: Lease) -> None:
        """Refuse a lease that another line of this folder has overtaken; under the lock."""
        if self._state(lease.work.id).get("attempts", 0) > lease.token:
            raise LeaseLost(lease.work.kind, lease.work.id)

    def _keep(self, work: Work) -> Work:
        """Record what is known of it; under the lock."""
        self._folder.write(f"{work.id}/state.json", _state_of(work))
        self._known[work.id] = work
        return work

    def _recorded(self) -> Iterator[Work]:
        """What earlier lines of this folder knew; one that cannot be read is left alone."""
        for name in self._folder.names("*/request.json"):
            identity = name.partition("/")[0]
            with (
                suppress(orjson.JSONDecodeError, KeyError, TypeError, AttributeError),
                observed(self._observer, "work.read", work=identity),
            ):
                request, state = orjson.loads(self._folder.read(name)), self._state(identity)
                known: dict[str, Any] = {name: state[name] for name in _RECORDED if name in state}
                facts = {name: value for name, value in state.items() if name not in _RECORDED}
                if known.get("state") == "completed":  # as it was called before
                    known["state"] = "succeeded"
                work = Work(
                    id=identity,
                    kind=request.get("kind", self._kind),
                    owner=request["owner"],
                    facts=facts,
                    **known,
                )
                yield replace(work, state="queued") if work.state == "running" else work

    def _parameters(self, identity: str) -> Mapping[str, Any]:
        request = orjson.loads(self._folder.read(f"{identity}/request.json"))
        parameters: Mapping[str, Any] = request.get("parameters", request.get(self._kind))
        return parameters

    def _state(self, identity: str) -> dict[str, Any]:
        try:
            state: dict[str, Any] = orjson.loads(self._folder.read(f"{identity}/state.json"))
        except FileNotFoundError:
            return {}  # lost: it is done again
        return state


def _state_of(work: Work) -> bytes:
    return orjson.dumps({name: getattr(work, name) for name in _RECORDED} | dict(work.facts))


def _beyond(most: int, over: list[Work]) -> list[Work]:
    """Which are too many: the oldest of whoever has most, so that nobody's work pushes out that of others."""
    of_owners: dict[str, deque[Work]] = defaultdict(deque)
    for work in sorted(over, key=lambda work: work.ended_at or 0.0):
        of_owners[work.owner].append(work)
    return [max(of_owners.values(), key=len).popleft() for _ in range(len(over) - most)]
