"""Which sessions show the same simulation: parameters decide it, and its name is a digest of them."""

from __future__ import annotations

from collections import Counter, OrderedDict
from typing import NamedTuple

from optionchain.parameters import SimulationParameters
from optionchain.session import Session
from optionchain.wire.parameters import simulation_name

# A name takes some hundred bytes, and is made again where it was forgotten.
MAX_SESSIONS = 1 << 17


class _Named(NamedTuple):
    parameters: SimulationParameters
    name: str


class SimulationNames:
    """The simulations of sessions that were looked at.

    Args:
        max_sessions: How many are remembered.
    """

    def __init__(self, max_sessions: int = MAX_SESSIONS) -> None:
        self._max_sessions = max_sessions
        self._of_sessions: OrderedDict[str, _Named] = OrderedDict()
        self._sessions: Counter[str] = Counter()

    def name(self, session: Session) -> str:
        """The name of a session's simulation."""
        named = self._of_sessions.get(session.id)
        # The parameters of a session stay the same object until they are changed, or loaded again.
        if named is not None and (
            named.parameters is session.parameters or named.parameters == session.parameters
        ):
            return named.name
        self.forget(session.id)
        name = simulation_name(session.parameters)
        self._of_sessions[session.id] = _Named(session.parameters, name)
        self._sessions[name] += 1
        if len(self._of_sessions) > self._max_sessions:
            self.forget(next(iter(self._of_sessions)))
        return name

    def is_shared(self, name: str) -> bool:
        """Whether more than one session shows it."""
        return self._sessions[name] > 1

    def forget(self, session_id: str) -> str | None:
        """Forget a session; returns the name of a simulation that no other session shows."""
        named = self._of_sessions.pop(session_id, None)
        if named is None:
            return None
        self._sessions[named.name] -= 1
        if self._sessions[named.name] > 0:
            return None
        del self._sessions[named.name]
        return named.name
