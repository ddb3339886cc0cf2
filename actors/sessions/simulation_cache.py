"""What an actor derives from its sessions, the paths and the rendered snapshots; all of it can be computed again."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from cachetools import LRUCache

from actors.sessions.simulation_names import SimulationNames
from optionchain.chains import GreekSet
from optionchain.errors import Defect, OptionChainError
from optionchain.observing import Observer, Unobserved, tell_failure
from optionchain.session import Session, ShowSnapshots
from optionchain.simulation import Simulation
from optionchain.wire.snapshots import Moment, snapshot_bodies

# Priced in one pass: more is no faster, and one pass holds the loop of its actor, for some 30 ms.
CONTRACTS_TOGETHER = 1 << 15

# Of one reply: a long one is priced sooner than asked for.
MOST_ASKED_FOR = 8


class SnapshotKey(NamedTuple):
    """What a rendered snapshot follows from, whichever session shows it.

    Attributes:
        simulation: Its name.
        step: Of the simulation.
        greeks: Which it shows.
    """

    simulation: str
    step: int
    greeks: GreekSet

    def __str__(self) -> str:
        return f"snapshot:{self.simulation}:{self.step}:{self.greeks}"


@dataclass(frozen=True, slots=True)
class Rendered:
    """The snapshots of a reply, without what names their session.

    Attributes:
        bodies: One a snapshot.
        cached: How many needed no computation.
    """

    bodies: Sequence[bytes]
    cached: int


class SimulationCache:
    """Paths and rendered snapshots by simulation, bounded by bytes: sessions with the same parameters share them.

    Args:
        path_bytes: Bound of the paths.
        snapshot_bytes: Bound of the rendered snapshots.
        shared_contracts: A snapshot of at least so many contracts is worth asking others for; None where nobody is
            asked.
        observer: Told of bugs that only a caller's answer would show.
    """

    def __init__(
        self,
        *,
        path_bytes: int,
        snapshot_bytes: int,
        shared_contracts: int | None = None,
        observer: Observer | None = None,
    ) -> None:
        self._observer = observer or Unobserved()
        self._shared_contracts = shared_contracts
        self._names = SimulationNames()
        self._simulations: LRUCache[str, Simulation] = LRUCache(path_bytes, getsizeof=lambda s: s.nbytes)
        self._snapshots: LRUCache[SnapshotKey, bytes] = LRUCache(snapshot_bytes, getsizeof=len)
        self._taken: dict[SnapshotKey, bytes] = {}

    @property
    def path_count(self) -> int:
        return len(self._simulations)

    @property
    def snapshot_count(self) -> int:
        return len(self._snapshots)

    def simulation(self, session: Session) -> Simulation:
        """The simulation of a session, its path computed.

        Raises:
            InvalidInput: The parameters lead out of range; the field is named.
        """
        return self._simulation(self._names.name(session), session)

    async def snapshots(
        self, wanted: Sequence[tuple[Session, ShowSnapshots]]
    ) -> list[Rendered | OptionChainError]:
        """Render the snapshots of several replies, which are priced together; others have their turn between passes.

        Args:
            wanted: Each reply, and the session after its command.

        Returns:
            One entry a reply; an error is a value, and none fails its neighbours.
        """
        found: dict[SnapshotKey, bytes | OptionChainError] = {}
        missing: dict[SnapshotKey, Moment] = {}
        keys = [self._look_up(session, reply, found, missing) for session, reply in wanted]
        found.update(zip(missing, await self._priced(list(missing.values())), strict=True))
        return [
            each
            if isinstance(each, OptionChainError)
            else self._rendered(session, reply, each, found, missing)
            for each, (session, reply) in zip(keys, wanted, strict=True)
        ]

    def forget(self, session_id: str) -> None:
        """Drop the path that no other session has; rendered snapshots leave by themselves."""
        name = self._names.forget(session_id)
        if name is not None:
            self._simulations.pop(name, None)

    def asked_for(self, wanted: Sequence[tuple[Session, ShowSnapshots]]) -> list[SnapshotKey]:
        """What is not here, and would be dearer to price than to ask others for."""
        return [
            key
            for session, reply in wanted
            if reply.count <= MOST_ASKED_FOR and self._is_worth_sharing(session, reply)
            for key in self._keys(session, reply)
            if key not in self._snapshots
        ]

    def learn(self, found: Mapping[SnapshotKey, bytes]) -> None:
        """Keep what others have rendered."""
        for key, body in found.items():
            self._keep(key, body)

    def taken(self) -> list[tuple[SnapshotKey, bytes]]:
        """What was rendered since the last time and is worth giving to others."""
        taken = list(self._taken.items())
        self._taken.clear()
        return taken

    def _simulation(self, name: str, session: Session) -> Simulation:
        simulation = self._simulations.get(name)
        if simulation is None:
            simulation = Simulation(session.parameters)
            simulation.compute()
            if simulation.nbytes <= self._simulations.maxsize:
                self._simulations[name] = simulation
        return simulation

    def _is_worth_sharing(self, session: Session, reply: ShowSnapshots) -> bool:
        """What was served is hardly asked for again, unless others show the same; what was peeked at is."""
        if self._shared_contracts is None or session.parameters.most_contracts < self._shared_contracts:
            return False
        return not reply.is_served or self._names.is_shared(self._names.name(session))

    def _keys(self, session: Session, reply: ShowSnapshots) -> list[SnapshotKey]:
        name = self._names.name(session)
        steps = range(reply.first_step, reply.first_step + reply.count)
        return [SnapshotKey(name, step, reply.greeks) for step in steps]

    def _keep(self, key: SnapshotKey, body: bytes) -> None:
        if len(body) <= self._snapshots.maxsize:
            self._snapshots[key] = body

    def _look_up(
        self,
        session: Session,
        reply: ShowSnapshots,
        found: dict[SnapshotKey, bytes | OptionChainError],
        missing: dict[SnapshotKey, Moment],
    ) -> list[SnapshotKey] | OptionChainError:
        """Which snapshots a reply shows: those that are cached go to `found`, the others to `missing`."""
        keys = self._keys(session, reply)
        for key in keys:
            body = self._snapshots.get(key)
            if body is not None:
                found[key] = body
                continue
            try:
                simulation = self._simulation(key.simulation, session)
            except OptionChainError as error:
                return error
            missing[key] = Moment(simulation, key.step, reply.greeks)
        return keys

    def _rendered(
        self,
        session: Session,
        reply: ShowSnapshots,
        keys: Sequence[SnapshotKey],
        found: Mapping[SnapshotKey, bytes | OptionChainError],
        computed: dict[SnapshotKey, Moment],
    ) -> Rendered | OptionChainError:
        bodies: list[bytes] = []
        cached = 0
        is_shared = self._is_worth_sharing(session, reply)
        for key in keys:
            body = found[key]
            if isinstance(body, OptionChainError):
                return body
            bodies.append(body)
            # Whoever comes first has it computed.
            is_new = computed.pop(key, None) is not None
            cached += not is_new
            if is_shared or not reply.is_served:
                self._keep(key, body)
            if is_shared and is_new:
                self._taken[key] = body
        return Rendered(bodies, cached)

    async def _priced(self, moments: Sequence[Moment]) -> list[bytes | OptionChainError]:
        """The snapshots of all moments, in passes of a bounded size; one that cannot be priced is an error."""
        priced: list[bytes | OptionChainError] = []
        first = contracts = 0
        for position, moment in enumerate(moments):
            contracts += moment.simulation.parameters.most_contracts
            if contracts >= CONTRACTS_TOGETHER or position + 1 == len(moments):
                if priced:
                    await asyncio.sleep(0)
                priced += self._priced_together(moments[first : position + 1])
                first, contracts = position + 1, 0
        return priced

    def _priced_together(self, moments: Sequence[Moment]) -> Iterable[bytes | OptionChainError]:
        failure: OptionChainError = Defect()
        try:
            return snapshot_bodies(moments)
        except OptionChainError as error:
            failure = error
        except Exception as error:
            tell_failure(self._observer, "session.snapshot", error, snapshots=len(moments))
        # Whose it is, only each alone can tell.
        return (
            [failure]
            if len(moments) == 1
            else [one for each in moments for one in self._priced_together([each])]
        )
