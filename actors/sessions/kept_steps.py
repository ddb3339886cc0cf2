"""Keeps what sessions were served, beside the answers: a store that is slow or down delays no step and fails none."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from actors.background import Background
from optionchain.errors import OptionChainError, Unavailable
from optionchain.history.results import SimulationResult
from optionchain.observing import Observer, attempted, tell_failure
from optionchain.ports import Checkpoint, SessionStore
from optionchain.session import Session
from optionchain.simulation import Simulation
from optionchain.wire.results import kept_result


class ResultStore(Protocol):
    """Where results are kept."""

    async def store_simulation_result(self, result: SimulationResult) -> None:
        """As `HistoricalDataRepository.store_simulation_result`."""
        ...


class KeptSteps:
    """What is still to be kept: of each session the latest, which has all the steps before it.

    What waits when the process dies is kept with the session's next step, wherever that is served.

    Args:
        store: Keeps it.
        simulation_of: The path of a session.
        observer: Told what is dropped, and what the store refuses.
        max_waiting: Sessions that may wait; those that come then are dropped until their next step.
        seconds: The rhythm of writing.
    """

    def __init__(
        self,
        store: ResultStore,
        simulation_of: Callable[[Session], Simulation],
        observer: Observer,
        *,
        max_waiting: int,
        seconds: float,
    ) -> None:
        self._store = store
        self._simulation_of = simulation_of
        self._observer = observer
        self._max_waiting = max_waiting
        self._seconds = seconds
        self._waiting: dict[tuple[str, int], Session] = {}
        self._writing = Background(self._write)

    def note(self, session: Session) -> None:
        """Have the steps kept that a session was served, as it is stored now."""
        if session.current_step == 0:
            return
        key = session.id, session.parameters_since
        if key not in self._waiting and len(self._waiting) >= self._max_waiting:
            self._observer.counted("session.not_kept", 1)
            return
        self._waiting[key] = session
        self._writing.begin()

    async def flush(self) -> None:
        """Write what waits; what the store does not take because it is down waits on.

        Raises:
            Unavailable: The store does not answer.
        """
        waiting, self._waiting = self._waiting, {}
        try:
            for key, session in list(waiting.items()):
                await self._keep(session)
                del waiting[key]
        finally:
            self._waiting = waiting | self._waiting

    async def close(self) -> None:
        """End what runs beside the calls, having written what waits."""
        await self._writing.end()
        await attempted(self._observer, "session.keep", self.flush)

    async def _keep(self, session: Session) -> None:
        try:
            await self._store.store_simulation_result(kept_result(session, self._simulation_of(session)))
        except Unavailable:
            raise
        except OptionChainError as error:
            tell_failure(self._observer, "session.keep", error, session_id=session.id)

    async def _write(self) -> None:
        while True:
            await asyncio.sleep(self._seconds)
            await attempted(self._observer, "session.keep", self.flush)


class KeepingStore:
    """A `SessionStore` that has the steps kept of every session that it stores; the rest is the inner store's.

    Args:
        store: Stores them.
        kept: Keeps their steps.
    """

    def __init__(self, store: SessionStore, kept: KeptSteps) -> None:
        self._store = store
        self._kept = kept

    async def save(self, checkpoints: Sequence[Checkpoint]) -> Sequence[OptionChainError | None]:
        """As `SessionStore.save`."""
        refusals = await self._store.save(checkpoints)
        for checkpoint, refusal in zip(checkpoints, refusals, strict=True):
            if refusal is None:
                self._kept.note(checkpoint.session)
        return refusals

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)
