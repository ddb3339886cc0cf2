"""The sessions that an actor holds in memory, least recently used first out."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime

from optionchain.models import Historical
from optionchain.models.recorded import Recorded
from optionchain.session import Session

# Measured by `optionchain bench sessions`, with all commands that a session remembers; a price is a float and its
# place in a tuple.
SESSION_BYTES, PRICE_BYTES = 4_000, 32


@dataclass(slots=True)
class _Resident:
    session: Session
    used_at: float
    nbytes: int


class ResidentSessions:
    """A bounded map of sessions; what it forgets is still in the store.

    Args:
        max_sessions: How many to hold.
        max_idle_seconds: How long an unused one stays.
        max_bytes: How much memory they may take; some bring 100,000 prices along.
    """

    def __init__(self, *, max_sessions: int, max_idle_seconds: float, max_bytes: int = 256 << 20) -> None:
        self._max_sessions = max_sessions
        self._max_bytes = max_bytes
        self._nbytes = 0
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
        self.drop(session.id)
        resident = self._residents[session.id] = _Resident(session, now, session_bytes(session))
        self._nbytes += resident.nbytes

    def drop(self, session_id: str) -> None:
        resident = self._residents.pop(session_id, None)
        if resident is not None:
            self._nbytes -= resident.nbytes

    def evict(self, now: float) -> list[str]:
        """Forget what is over the bounds; returns the ids."""
        evicted = []
        while self._residents and self._is_over_bounds(now):
            oldest = next(iter(self._residents))
            self.drop(oldest)
            evicted.append(oldest)
        return evicted

    def written_before(self, instant: datetime) -> list[str]:
        """The ids of the sessions whose last change is older."""
        residents = self._residents.items()
        return [session_id for session_id, resident in residents if resident.session.updated_at < instant]

    def _is_over_bounds(self, now: float) -> bool:
        oldest = next(iter(self._residents.values()))
        return (
            len(self._residents) > self._max_sessions
            or self._nbytes > self._max_bytes
            or now - oldest.used_at > self._max_idle_seconds
        )


def session_bytes(session: Session) -> int:
    """About how much memory a session takes, without its path and snapshots."""
    method = session.parameters.method
    if isinstance(method, Recorded):
        return SESSION_BYTES + method.days.nbytes
    prices = len(method.prices) if isinstance(method, Historical) else 0
    return SESSION_BYTES + PRICE_BYTES * prices
