"""The way from an HTTP replica to the one actor that runs sweeps."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import AsyncIterator, Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from cluster.sweep.job import OVER
from cluster.sweep.service import SweepService, SweepSettings
from optionchain.context import Context, Principal
from optionchain.errors import Overloaded
from optionchain.patience import SWEEP_CALL_RETRIES

if TYPE_CHECKING:
    from actors.named import NamedActor
    from cluster.settings import Settings
    from cluster.sweep.index import OpenIndex
    from cluster.sweep.table_formats import Format

ACTOR = "sweeps"
# Reading a status does not wait for a table that is being rendered.
MAX_CONCURRENT_CALLS = 16
TIMEOUT_SECONDS = 30.0
SECONDS_BETWEEN_LOOKS = 0.5


class Sweeps(Protocol):
    """Sweeps, as the routes use them; each method raises as `SweepService` does."""

    async def submit(self, owner: str, wire: Mapping[str, Any]) -> dict[str, Any]: ...

    async def listed(self, owner: str, *, offset: int, limit: int) -> tuple[int, list[dict[str, Any]]]: ...

    async def status(self, owner: str, identity: str) -> dict[str, Any]: ...

    async def cancel(self, owner: str, identity: str) -> dict[str, Any]: ...

    async def results(self, owner: str, identity: str, style: Format) -> bytes: ...

    async def follow(self, owner: str, identity: str) -> Following:
        """As `SweepGateway.follow`."""
        ...


class Following:
    """The status of a sweep whenever it has changed, until it is over; None whenever it has not.

    Args:
        told: That.
        leave: Gives back the place that it takes. It is called once: when this is closed, or when it is garbage.
    """

    def __init__(self, told: AsyncIterator[dict[str, Any] | None], leave: Callable[[], None]) -> None:
        self._told = told
        self._leave = weakref.finalize(self, leave)

    def __aiter__(self) -> AsyncIterator[dict[str, Any] | None]:
        return self._told

    async def aclose(self) -> None:
        """Be told no more, and give the place back."""
        self._leave()


class SweepGateway:
    """Calls the sweep actor, which is created where there is none.

    Args:
        namespace: Ray namespace of our actors.
        settings: Of sweeps.
        open_index: Makes the index of sweeps, in the actor; None keeps none.
    """

    def __init__(self, namespace: str, settings: SweepSettings, open_index: OpenIndex | None = None) -> None:
        self._namespace = namespace
        self._settings = settings
        self._open_index = open_index
        self._followers = 0
        self._way: NamedActor | None = None

    async def submit(self, owner: str, wire: Mapping[str, Any]) -> dict[str, Any]:
        """As `SweepService.submit`."""
        shown: dict[str, Any] = await self._call("submit", owner, dict(wire))
        return shown

    async def listed(self, owner: str, *, offset: int, limit: int) -> tuple[int, list[dict[str, Any]]]:
        """As `SweepService.listed`."""
        found: tuple[int, list[dict[str, Any]]] = await self._call("listed", owner, offset, limit)
        return found

    async def status(self, owner: str, identity: str) -> dict[str, Any]:
        """As `SweepService.status`."""
        shown: dict[str, Any] = await self._call("status", owner, identity)
        return shown

    async def cancel(self, owner: str, identity: str) -> dict[str, Any]:
        """As `SweepService.cancel`."""
        shown: dict[str, Any] = await self._call("cancel", owner, identity)
        return shown

    async def results(self, owner: str, identity: str, style: Format) -> bytes:
        """As `SweepService.results`."""
        table: bytes = await self._call("results", owner, identity, style)
        return table

    async def follow(self, owner: str, identity: str) -> Following:
        """Be told of a sweep until it is over; whoever follows must leave.

        Raises:
            NotFound: The caller has none of this id.
            Overloaded: Too many callers of this replica are being told.
        """
        if self._followers >= self._settings.max_followers:
            raise Overloaded("the progress of sweeps")
        self._followers += 1
        try:
            told = self._told(owner, await self.status(owner, identity))
        except BaseException:
            self._leave()
            raise
        return Following(told, self._leave)

    async def _told(self, owner: str, shown: dict[str, Any]) -> AsyncIterator[dict[str, Any] | None]:
        yield shown
        while shown["state"] not in OVER:
            await asyncio.sleep(SECONDS_BETWEEN_LOOKS)
            before, shown = shown, await self.status(owner, shown["id"])
            yield shown if shown != before else None

    def _leave(self) -> None:
        self._followers -= 1

    async def _call(self, method: str, owner: str, *arguments: Any) -> Any:
        return await self._actor().call(Context(Principal(owner, owner)), method, owner, *arguments)

    def _actor(self) -> NamedActor:
        """The way to the actor; made with the first call, for it takes Ray."""
        if self._way is None:
            from actors.named import NamedActor, NamedActors  # noqa: PLC0415

            actors = NamedActors(self._find, what="the sweep service")
            self._way = NamedActor(actors, ACTOR, timeout_seconds=TIMEOUT_SECONDS)
        return self._way

    def _find(self, name: str) -> Any:
        from actors.named import find_or_make  # noqa: PLC0415
        from cluster.sweep.ray_engine import OnRay  # noqa: PLC0415

        return find_or_make(
            SweepService,
            name,
            partial(OnRay),
            self._settings,
            self._open_index,
            namespace=self._namespace,
            max_concurrency=MAX_CONCURRENT_CALLS,
            task_retries=SWEEP_CALL_RETRIES,
        )


def open_sweeps(settings: Settings, open_index: OpenIndex | None = None) -> SweepGateway:
    """The way to sweeps from this process; without a folder of their own they are recorded in the instance's."""
    output = settings.sweep.output or str(settings.data.folder.resolve() / "sweeps")
    sweeps = settings.with_changes({"sweep": {"output": output}}).sweep
    return SweepGateway(settings.ray.namespace, sweeps, open_index)
