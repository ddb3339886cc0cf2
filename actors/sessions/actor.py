"""The Ray actor that hosts sessions: a `SessionHost` with a process, a name and a housekeeping rhythm."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Protocol, TypedDict

import psutil
from pydantic import BaseModel, ConfigDict, Field, field_validator

from actors.sessions.host import SessionHost
from actors.sessions.messages import Answer, Call
from actors.sessions.placement import PER_SESSION, parse_placement
from actors.sessions.residents import ResidentSessions
from actors.sessions.simulation_cache import SimulationCache
from optionchain import numerics
from optionchain.errors import InvalidInput, Unavailable
from optionchain.ports import SessionMetrics, SessionStore

logger = logging.getLogger("ray.serve")


class SessionSettings(BaseModel):
    """How sessions are placed, kept and served."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    placement: str = Field(
        "shards:1",
        description="`shards:N` hosts all sessions in N actors; `per-session` gives each its own process",
    )
    ttl_seconds: float = Field(86_400.0, ge=1, description="How long a session lives after its last write")
    max_resident: int = Field(20_000, ge=1, description="Sessions that one actor holds in memory")
    resident_megabytes: int = Field(256, ge=1, description="Bound of the memory of those sessions")
    max_idle_seconds: float = Field(600.0, gt=0, description="An unused session leaves memory after this")
    sweep_seconds: float = Field(
        30.0, gt=0, description="Rhythm of eviction and of the clean-up of expired sessions"
    )
    path_megabytes: int = Field(64, ge=1, description="Bound of the price paths that one actor caches")
    snapshot_megabytes: int = Field(
        64, ge=1, description="Bound of the rendered snapshots that one actor caches"
    )
    max_waiting: int = Field(4_096, ge=1, description="Calls that may wait at one actor or replica; then 503")
    max_batch: int = Field(
        256, ge=1, description="Calls, or snapshots of calls for several, that travel and are stored together"
    )
    max_answer_contracts: int = Field(
        250_000, ge=1, description="Strikes of all snapshots of one answer (60 MB); then 400"
    )
    timeout_seconds: float = Field(8.0, gt=0, description="A caller's patience, retries included; then 503")
    delivery_timeout_seconds: float = Field(4.0, gt=0, description="Patience with one delivery to an actor")

    @field_validator("placement")
    @classmethod
    def _placement_is_known(cls, placement: str) -> str:
        try:
            parse_placement(placement)
        except InvalidInput as error:
            raise ValueError(error.reason) from error
        return placement


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

    def end_actor(self) -> None:
        """End this actor for good; whoever calls its name again gets a new one."""
        ...


class SessionActor:
    """Hosts sessions. Undecorated: `cluster` makes it a Ray actor, tests call it as it is.

    The constructor touches no network: a store that is down must not stop the actor for good.

    Args:
        name: The actor's name.
        open_store: Opens the store; clients do not travel between processes.
        open_metrics: Opens the metrics of this process.
        runtime: What runs it.
        settings: Bounds and rhythms.
    """

    def __init__(
        self,
        name: str,
        open_store: Callable[[], SessionStore],
        open_metrics: Callable[[], SessionMetrics],
        runtime: ActorRuntime,
        settings: SessionSettings,
    ) -> None:
        if settings.placement != PER_SESSION:  # a process of one session prices too little
            numerics.compile_in_background()
        self._name = name
        self._runtime = runtime
        self._settings = settings
        self._time_to_live = timedelta(seconds=settings.ttl_seconds)
        self._store = open_store()
        self._host = SessionHost(
            self._store,
            residents=ResidentSessions(
                max_sessions=settings.max_resident,
                max_idle_seconds=settings.max_idle_seconds,
                max_bytes=settings.resident_megabytes << 20,
            ),
            cache=SimulationCache(
                path_bytes=settings.path_megabytes << 20, snapshot_bytes=settings.snapshot_megabytes << 20
            ),
            metrics=open_metrics(),
            max_waiting=settings.max_waiting,
            max_batch=settings.max_batch,
            max_answer_contracts=settings.max_answer_contracts,
            clock=lambda: datetime.now(UTC),
        )
        self._housekeeping: asyncio.Task[None] | None = None

    async def execute(self, calls: Sequence[Call]) -> list[Answer]:
        """Serve a batch of calls; see `SessionHost.execute`."""
        if self._housekeeping is None:
            self._housekeeping = asyncio.create_task(self._keep_house())
        return await self._host.execute(calls)

    async def status(self) -> ActorStatus:
        """Where it runs and what it holds."""
        return ActorStatus(
            name=self._name,
            node_id=self._runtime.node_id(),
            pid=os.getpid(),
            resident_sessions=self._host.resident_count,
            memory_bytes=psutil.Process().memory_info().rss,
        )

    async def _keep_house(self) -> None:
        while True:
            await asyncio.sleep(self._settings.sweep_seconds)
            await self._host.evict()
            self._host.forget_written_before(datetime.now(UTC) - self._time_to_live)
            with contextlib.suppress(Unavailable):
                await self._store.cleanup_expired()
            if self._settings.placement == PER_SESSION and self._host.resident_count == 0:
                self._runtime.end_actor()
