"""What an actor derives from its sessions, the paths and the rendered snapshots; all of it can be computed again."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from cachetools import LRUCache

from optionchain.chains import GreekSet
from optionchain.errors import Defect, OptionChainError
from optionchain.observing import Observer, Unobserved, tell_failure
from optionchain.session import Session, ShowSnapshots
from optionchain.simulation import Simulation
from optionchain.wire.snapshots import Moment, snapshot_bodies

# Priced in one pass: more is no faster, and one pass holds the loop of its actor, for some 30 ms.
CONTRACTS_TOGETHER = 1 << 15

_Key: TypeAlias = tuple[int, int, GreekSet]


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
    """Paths and rendered snapshots, bounded by bytes.

    Args:
        path_bytes: Bound of the paths.
        snapshot_bytes: Bound of the rendered snapshots.
        observer: Told of bugs that only a caller's answer would show.
    """

    def __init__(self, *, path_bytes: int, snapshot_bytes: int, observer: Observer | None = None) -> None:
        self._observer = observer or Unobserved()
        self._simulations: LRUCache[str, Simulation] = LRUCache(path_bytes, getsizeof=lambda s: s.nbytes)
        self._snapshots: LRUCache[_Key, bytes] = LRUCache(snapshot_bytes, getsizeof=len)

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
        simulation = self._simulations.get(session.id)
        if simulation is None or simulation.parameters != session.parameters:
            simulation = Simulation(session.parameters)
            simulation.compute()
            if simulation.nbytes <= self._simulations.maxsize:
                self._simulations[session.id] = simulation
        return simulation

    async def snapshots(
        self, wanted: Sequence[tuple[Session, ShowSnapshots]]
    ) -> list[Rendered | OptionChainError]:
        """Render the snapshots of several replies, which are priced together; others have their turn between passes.

        Args:
            wanted: Each reply, and the session after its command.

        Returns:
            One entry a reply; an error is a value, and none fails its neighbours.
        """
        found: dict[_Key, bytes | OptionChainError] = {}
        missing: dict[_Key, Moment] = {}
        keys = [self._look_up(session, reply, found, missing) for session, reply in wanted]
        found.update(zip(missing, await self._priced(list(missing.values())), strict=True))
        return [
            each if isinstance(each, OptionChainError) else self._rendered(reply, each, found, missing)
            for each, (_, reply) in zip(keys, wanted, strict=True)
        ]

    def forget(self, session_id: str) -> None:
        """Drop the path; rendered snapshots leave by themselves."""
        self._simulations.pop(session_id, None)

    def _look_up(
        self,
        session: Session,
        reply: ShowSnapshots,
        found: dict[_Key, bytes | OptionChainError],
        missing: dict[_Key, Moment],
    ) -> list[_Key] | OptionChainError:
        """Which snapshots a reply shows: those that are cached go to `found`, the others to `missing`."""
        try:
            simulation = self.simulation(session)
        except OptionChainError as error:
            return error
        steps = range(reply.first_step, reply.first_step + reply.count)
        keys: list[_Key] = [(simulation.serial, step, reply.greeks) for step in steps]
        for key in keys:
            body = self._snapshots.get(key)
            if body is None:
                missing[key] = Moment(simulation, key[1], reply.greeks)
            else:
                found[key] = body
        return keys

    def _rendered(
        self,
        reply: ShowSnapshots,
        keys: Sequence[_Key],
        found: Mapping[_Key, bytes | OptionChainError],
        computed: dict[_Key, Moment],
    ) -> Rendered | OptionChainError:
        bodies: list[bytes] = []
        cached = 0
        for key in keys:
            body = found[key]
            if isinstance(body, OptionChainError):
                return body
            bodies.append(body)
            # Whoever comes first has it computed.
            cached += computed.pop(key, None) is None
            # What was served is hardly asked for again; what was peeked at will be.
            if not reply.is_served and len(body) <= self._snapshots.maxsize:
                self._snapshots[key] = body
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
