"""The sessions that an actor holds in memory, least recently used first out, and what is derived from them."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from cachetools import LRUCache

from optionchain.chains import GreekSet
from optionchain.session import Session
from optionchain.simulation import Simulation


@dataclass(slots=True)
class _Resident:
    session: Session
    used_at: float


class ResidentSessions:
    """A bounded map of sessions; what it forgets is still in the store.

    Args:
        max_sessions: How many to hold.
        max_idle_seconds: How long an unused one stays.
    """

    def __init__(self, *, max_sessions: int, max_idle_seconds: float) -> None:
        self._max_sessions = max_sessions
        self._max_idle_seconds = max_idle_seconds
        self._residents: OrderedDict[str, _Resident] = OrderedDict()

    def __len__(self) -> int:
        return len(self._residents)

    def __contains__(self, session_id: str) -> bool:
        return session_id in self._residents

    def get(self, session_id: str) -> Session | None:
        resident = self._residents.get(session_id)
        return resident.session if resident else None

    def put(self, session: Session, now: float) -> None:
        self._residents[session.id] = _Resident(session, now)
        self._residents.move_to_end(session.id)

    def drop(self, session_id: str) -> None:
        self._residents.pop(session_id, None)

    def evict(self, now: float) -> list[str]:
        """Forget what is over the bounds; returns the ids."""
        evicted = []
        while self._residents and self._is_over_bounds(now):
            evicted.append(self._residents.popitem(last=False)[0])
        return evicted

    def _is_over_bounds(self, now: float) -> bool:
        oldest = next(iter(self._residents.values()))
        return len(self._residents) > self._max_sessions or now - oldest.used_at > self._max_idle_seconds


class SimulationCache:
    """Tapes and rendered snapshots, bounded by bytes; all of it can be computed again.

    Args:
        tape_bytes: Bound of the tapes.
        snapshot_bytes: Bound of the rendered snapshots.
    """

    def __init__(self, *, tape_bytes: int, snapshot_bytes: int) -> None:
        self._simulations: LRUCache[str, Simulation] = LRUCache(tape_bytes, getsizeof=lambda s: s.nbytes)
        self._snapshots: LRUCache[tuple[int, int, str], bytes] = LRUCache(snapshot_bytes, getsizeof=len)

    def simulation(self, session: Session) -> Simulation:
        """The simulation of a session, its tape computed."""
        simulation = self._simulations.get(session.id)
        if simulation is None or simulation.parameters != session.parameters:
            simulation = Simulation(session.parameters)
            simulation.compute()
            if simulation.nbytes <= self._simulations.maxsize:
                self._simulations[session.id] = simulation
        return simulation

    def snapshot(self, session: Session, step: int, greeks: GreekSet) -> tuple[bytes, bool]:
        """One rendered snapshot, without what names the session; and whether it was cached."""
        simulation = self.simulation(session)
        key = (simulation.serial, step, greeks)
        body = self._snapshots.get(key)
        if body is not None:
            return body, True
        body = simulation.snapshot_json(step, greeks)
        if len(body) <= self._snapshots.maxsize:
            self._snapshots[key] = body
        return body, False

    def forget(self, session_id: str) -> None:
        """Drop the tape; rendered snapshots leave by themselves."""
        self._simulations.pop(session_id, None)
