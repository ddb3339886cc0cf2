"""The way from an HTTP replica to the one actor that runs sweeps."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from cluster.sweeps.following import Following, Watcher
from cluster.sweeps.service import SweepService
from cluster.sweeps.settings import SweepSettings
from optionchain.errors import Defect, OptionChainError, Unavailable
from optionchain.sweeps.tables import Format

if TYPE_CHECKING:
    from cluster.settings import Settings
    from optionchain.sweeps.index import OpenIndex

ACTOR = "sweeps"
# Reading a status does not wait for a table that is being rendered.
MAX_CONCURRENT_CALLS = 16
TIMEOUT_SECONDS = 30.0


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
        self._handle: Any = None
        self._watcher = Watcher(self._statuses, most_followers=settings.max_followers)

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
        return await self._watcher.follow((owner, identity), partial(self.status, owner, identity))

    async def _statuses(self, asked: Sequence[tuple[str, str]]) -> list[dict[str, Any] | None]:
        found: list[dict[str, Any] | None] = await self._call("statuses", asked)
        return found

    async def _call(self, method: str, *arguments: Any) -> Any:
        from ray.exceptions import GetTimeoutError, RayError, RayTaskError  # noqa: PLC0415

        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                if self._handle is None:
                    self._handle = await asyncio.to_thread(self._actor)
                return await getattr(self._handle, method).remote(*arguments)
        except RayTaskError as error:
            if isinstance(error.cause, OptionChainError):
                raise error.cause from None
            raise Defect from error
        except (RayError, GetTimeoutError, TimeoutError) as error:
            self._handle = None  # it is looked up again by the next call
            raise Unavailable("the sweep service") from error

    def _actor(self) -> Any:
        import ray  # noqa: PLC0415

        from cluster.sweeps.ray_engine import OnRay  # noqa: PLC0415

        actor: Any = ray.remote(SweepService)
        return actor.options(
            name=ACTOR,
            namespace=self._namespace,
            lifetime="detached",
            get_if_exists=True,
            max_restarts=-1,
            max_task_retries=3,  # every call may be repeated: a sweep's id follows from what it is
            num_cpus=0,
            max_concurrency=MAX_CONCURRENT_CALLS,
        ).remote(partial(OnRay), self._settings, self._open_index)


def open_sweeps(settings: Settings, open_index: OpenIndex | None = None) -> SweepGateway:
    """The way to sweeps from this process; without a folder of their own they are recorded in the instance's."""
    output = settings.sweep.output or str(settings.data.folder.resolve() / "sweeps")
    sweeps = settings.sweep.model_copy(update={"output": output})
    return SweepGateway(settings.ray.namespace, sweeps, open_index)
