"""The Ray actor that hosts sessions: a `SessionHost` with a process, a name and a housekeeping rhythm."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Protocol, TypedDict, cast

import psutil

from actors.background import Background
from actors.calendars import Calendars
from actors.line.address import LineAddress, parse_ports
from actors.line.frames import BadFrame
from actors.line.listener import Answer as Reply
from actors.line.listener import Listener
from actors.loop_watch import LoopWatch, OpenWatch
from actors.sessions.host import SessionHost
from actors.sessions.kept_steps import KeepingStore, KeptSteps, ResultStore
from actors.sessions.messages import Answer, Packed, unpacked
from actors.sessions.placement import PER_SESSION
from actors.sessions.residents import ResidentSessions
from actors.sessions.simulation_cache import SimulationCache
from actors.sessions.snapshot_sharing import SnapshotSharing
from actors.sessions.wire import answer_to_wire, call_from_wire
from actors.settings import SessionSettings
from optionchain import numerics
from optionchain.errors import Defect, InvalidInput, OptionChainError
from optionchain.observed_port import told
from optionchain.observing import Observer, attempted, tell_failure
from optionchain.ports import CacheService, SessionStore


class ActorStatus(TypedDict):
    """What an actor tells of itself."""

    name: str
    node_id: str
    pid: int
    resident_sessions: int
    memory_bytes: int


class ActorRuntime(Protocol):
    """What runs the actor."""

    def node_id(self) -> str:
        """The node that it runs on."""
        ...

    def address(self) -> str:
        """Where other nodes reach that node."""
        ...

    def end_actor(self) -> None:
        """End this actor for good; whoever calls its name again gets a new one."""
        ...


class SessionActor:
    """Hosts sessions. Undecorated: `cluster` makes it a Ray actor, tests call it as it is.

    The constructor touches no network: a store that is down must not stop the actor for good.

    Args:
        name: The actor's name.
        open_store: Opens the store; clients do not travel between processes.
        open_cache: Opens the cache of what is rendered.
        open_observer: Opens the observer of this process.
        open_calendars: Opens what provides calendars.
        runtime: What runs it.
        settings: Bounds and rhythms.
        open_watch: Opens the watch on its loop.
        open_results: Opens what keeps the steps that were served; None keeps none.
    """

    def __init__(
        self,
        name: str,
        open_store: Callable[[], SessionStore],
        open_cache: Callable[[], CacheService],
        open_observer: Callable[[], Observer],
        open_calendars: Callable[[Observer], Calendars],
        runtime: ActorRuntime,
        settings: SessionSettings,
        open_watch: OpenWatch = LoopWatch,
        open_results: Callable[[Observer], ResultStore] | None = None,
    ) -> None:
        if settings.placement != PER_SESSION:  # a process of one session prices too little
            numerics.compile_when_worthwhile()
        self._name = name
        self._runtime = runtime
        self._settings = settings
        self._time_to_live = timedelta(seconds=settings.ttl_seconds)
        self._observer = open_observer()
        self._loop_watch = open_watch(self._observer)
        self._store = told(open_store(), self._observer, "redis.call", role="session")
        cache = SimulationCache(
            path_bytes=settings.path_megabytes << 20,
            snapshot_bytes=settings.snapshot_megabytes << 20,
            shared_contracts=settings.shared_contracts or None,
            observer=self._observer,
        )
        self._sharing = (
            SnapshotSharing(cache, open_cache(), seconds=settings.shared_seconds, observer=self._observer)
            if settings.shared_contracts
            else None
        )
        self._kept = open_results and KeptSteps(
            open_results(self._observer),
            cache.simulation,
            self._observer,
            max_waiting=settings.max_waiting,
            seconds=settings.keep_seconds,
        )
        self._host = SessionHost(
            self._store
            if self._kept is None
            else cast("SessionStore", KeepingStore(self._store, self._kept)),
            residents=ResidentSessions(
                max_sessions=settings.max_resident,
                max_idle_seconds=settings.max_idle_seconds,
                max_bytes=settings.resident_megabytes << 20,
            ),
            cache=cache,
            calendars=open_calendars(self._observer),
            observer=self._observer,
            max_waiting=settings.max_waiting,
            max_batch=settings.max_batch,
            max_answer_contracts=settings.max_answer_contracts,
            clock=lambda: datetime.now(UTC),
            sharing=self._sharing,
        )
        self._listener = Listener(
            name,
            self._serve,
            folder=settings.socket_folder,
            host=runtime.address(),
            ports=parse_ports(settings.ports),
            max_bytes=settings.max_message_megabytes << 20,
        )
        self._housekeeping = Background(self._keep_house)

    async def execute(self, batch: Sequence[Packed]) -> list[Answer]:
        """Serve a batch of calls; see `SessionHost.execute`."""
        self._housekeeping.begin()
        self._loop_watch.begin()
        return await self._host.execute(unpacked(batch))

    async def line(self, node_id: str) -> LineAddress:
        """Where a caller on a node reaches it without Ray.

        Raises:
            OSError: It cannot listen there.
        """
        self._housekeeping.begin()
        self._loop_watch.begin()
        return await self._listener.address(is_on_this_node=node_id == self._runtime.node_id())

    async def status(self) -> ActorStatus:
        """Where it runs and what it holds."""
        return ActorStatus(
            name=self._name,
            node_id=self._runtime.node_id(),
            pid=os.getpid(),
            resident_sessions=self._host.resident_count,
            memory_bytes=psutil.Process().memory_info().rss,
        )

    async def close(self) -> None:
        """End what runs beside the calls; the store and the cache belong to who opened them."""
        self._loop_watch.end()
        if self._sharing is not None:
            await self._sharing.close()
        await self._listener.close()
        await self._housekeeping.end()
        if self._kept is not None:
            await self._kept.close()

    def _serve(self, body: bytes, answer: Reply) -> None:
        """Serve a call that came over a line."""
        try:
            call = call_from_wire(body)
        except (BadFrame, OptionChainError) as error:
            answer(*answer_to_wire(error if isinstance(error, InvalidInput) else Defect()))
            tell_failure(self._observer, "session.line", error)
            return
        self._host.submit(call).add_done_callback(lambda done: answer(*answer_to_wire(done.result())))

    async def _keep_house(self) -> None:
        while True:
            await asyncio.sleep(self._settings.sweep_seconds)
            await attempted(self._observer, "session.evict", self._host.evict)
            await attempted(self._observer, "session.forget", self._forget_expired)
            await attempted(self._observer, "session.clean_up", self._clean_up)
            await attempted(self._observer, "session.leave", self._leave_when_empty)

    async def _clean_up(self) -> None:
        self._observer.counted("session.expired", await self._store.cleanup_expired())

    async def _leave_when_empty(self) -> None:
        if self._settings.placement == PER_SESSION and self._host.resident_count == 0:
            if self._kept is not None:
                await self._kept.flush()
            self._runtime.end_actor()

    async def _forget_expired(self) -> None:
        self._host.forget_written_before(datetime.now(UTC) - self._time_to_live)
