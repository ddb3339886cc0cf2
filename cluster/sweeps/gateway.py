"""The way from an HTTP replica to the one actor that runs sweeps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from cluster.sweeps.following import Following, Watcher
from cluster.sweeps.service import SweepService
from cluster.sweeps.settings import SweepSettings
from optionchain.context import HOUSEKEEPING, Context
from optionchain.patience import SWEEP_CALL_RETRIES
from optionchain.sweeps.engine import Engine
from optionchain.sweeps.tables import Format

if TYPE_CHECKING:
    from actors.named import NamedActor
    from adapters.settings import TelemetrySettings
    from cluster.settings import Settings
    from optionchain.sweeps.index import OpenIndex

ACTOR = "sweeps"
# Reading a status does not wait for a table that is being rendered.
MAX_CONCURRENT_CALLS = 16
TIMEOUT_SECONDS = 30.0


class Sweeps(Protocol):
    """Sweeps, as the routes use them, on a caller's behalf; each method raises as `SweepService` does."""

    async def submit(self, context: Context, wire: Mapping[str, Any]) -> dict[str, Any]: ...

    async def price(self, context: Context, wire: Mapping[str, Any]) -> int: ...

    async def listed(
        self, context: Context, *, offset: int, limit: int
    ) -> tuple[int, list[dict[str, Any]]]: ...

    async def status(self, context: Context, identity: str) -> dict[str, Any]: ...

    async def definition(self, context: Context, identity: str) -> dict[str, Any]: ...

    async def cancel(self, context: Context, identity: str) -> dict[str, Any]: ...

    async def results(self, context: Context, identity: str, style: Format) -> bytes: ...

    async def follow(self, context: Context, identity: str) -> Following:
        """As `SweepGateway.follow`."""
        ...


class SweepGateway:
    """Calls the sweep actor, which is created where there is none.

    Args:
        namespace: Ray namespace of our actors.
        settings: Of sweeps.
        open_index: Makes the index of sweeps, in the actor; None keeps none.
        telemetry: Of the actor.
        secrets: What the actor never tells.
    """

    def __init__(
        self,
        namespace: str,
        settings: SweepSettings,
        open_index: OpenIndex | None = None,
        telemetry: TelemetrySettings | None = None,
        secrets: tuple[str, ...] = (),
    ) -> None:
        self._telemetry = telemetry
        self._secrets = secrets
        self._namespace = namespace
        self._settings = settings
        self._open_index = open_index
        self._way: NamedActor | None = None
        self._watcher = Watcher(self._statuses, most_followers=settings.max_followers)

    async def submit(
        self, context: Context, wire: Mapping[str, Any], *, run: str | None = None
    ) -> dict[str, Any]:
        """As `SweepService.submit`."""
        shown: dict[str, Any] = await self._call(context, "submit", context.principal.tenant, dict(wire), run)
        return shown

    async def price(self, context: Context, wire: Mapping[str, Any], *, run: str | None = None) -> int:
        """As `SweepService.price`."""
        prices: int = await self._call(context, "price", context.principal.tenant, dict(wire), run)
        return prices

    async def listed(self, context: Context, *, offset: int, limit: int) -> tuple[int, list[dict[str, Any]]]:
        """As `SweepService.listed`."""
        found: tuple[int, list[dict[str, Any]]] = await self._call(
            context, "listed", context.principal.tenant, offset, limit
        )
        return found

    async def status(self, context: Context, identity: str) -> dict[str, Any]:
        """As `SweepService.status`."""
        shown: dict[str, Any] = await self._call(context, "status", context.principal.tenant, identity)
        return shown

    async def definition(self, context: Context, identity: str) -> dict[str, Any]:
        """As `SweepService.definition`."""
        wire: dict[str, Any] = await self._call(context, "definition", context.principal.tenant, identity)
        return wire

    async def cancel(self, context: Context, identity: str) -> dict[str, Any]:
        """As `SweepService.cancel`."""
        shown: dict[str, Any] = await self._call(context, "cancel", context.principal.tenant, identity)
        return shown

    async def results(self, context: Context, identity: str, style: Format) -> bytes:
        """As `SweepService.results`."""
        table: bytes = await self._call(context, "results", context.principal.tenant, identity, style)
        return table

    async def follow(self, context: Context, identity: str) -> Following:
        """Be told of a sweep until it is over; whoever follows must leave.

        Raises:
            NotFound: The caller has none of this id.
            Overloaded: Too many callers of this replica are being told.
        """
        asked = context.principal.tenant, identity
        return await self._watcher.follow(asked, partial(self.status, context, identity))

    async def _statuses(self, asked: Sequence[tuple[str, str]]) -> list[dict[str, Any] | None]:
        found: list[dict[str, Any] | None] = await self._call(HOUSEKEEPING, "statuses", asked)
        return found

    async def _call(self, context: Context, method: str, *arguments: Any) -> Any:
        return await self._actor().call(context, method, *arguments)

    def _actor(self) -> NamedActor:
        """The way to the actor; made with the first call, for it takes Ray."""
        if self._way is None:
            from actors.named import NamedActor, NamedActors  # noqa: PLC0415

            actors = NamedActors(self._find, what="the sweep service")
            self._way = NamedActor(actors, ACTOR, timeout_seconds=TIMEOUT_SECONDS)
        return self._way

    def _find(self, name: str) -> Any:
        from actors.named import find_or_make  # noqa: PLC0415

        return find_or_make(
            SweepService,
            name,
            partial(open_engine, self._telemetry, self._secrets),
            self._settings,
            self._open_index,
            namespace=self._namespace,
            max_concurrency=MAX_CONCURRENT_CALLS,
            task_retries=SWEEP_CALL_RETRIES,
        )


def open_engine(telemetry: TelemetrySettings | None, secrets: tuple[str, ...] = ()) -> Engine:
    """The engine of the sweep actor, which tells the observer of its process."""
    from adapters.metrics.rows import SWEEP  # noqa: PLC0415
    from adapters.settings import TelemetrySettings  # noqa: PLC0415
    from adapters.telemetry.observers import open_observer  # noqa: PLC0415
    from cluster.sweeps.ray_engine import OnRay  # noqa: PLC0415

    return OnRay(observer=open_observer(telemetry or TelemetrySettings(), SWEEP, secrets))


def open_sweeps(settings: Settings, open_index: OpenIndex | None = None) -> SweepGateway:
    """The way to sweeps from this process; without a folder of their own they are recorded in the instance's."""
    output = settings.sweep.output or str(settings.data.folder.resolve() / "sweeps")
    sweeps = settings.with_changes({"sweep": {"output": output}}).sweep
    from cluster.secrets import secrets_of  # noqa: PLC0415

    secrets = secrets_of(settings)
    return SweepGateway(settings.ray.namespace, sweeps, open_index, settings.telemetry, secrets)
