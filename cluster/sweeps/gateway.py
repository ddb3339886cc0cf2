"""The way to the one actor that runs sweeps: of an HTTP replica, and of the scheduler, which hands their runs out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from adapters.mongo.sweeps import MongoSweepIndex
from cluster.settings import Settings
from cluster.sweeps.following import Following, Watcher
from cluster.sweeps.service import SweepService
from cluster.tasks.work import HistoryCalls
from optionchain.context import HOUSEKEEPING, Context
from optionchain.errors import Unavailable
from optionchain.patience import SWEEP_CALL_RETRIES
from optionchain.sweeps.engine import Engine
from optionchain.sweeps.tables import Format
from optionchain.tasks import Run

if TYPE_CHECKING:
    from actors.named import NamedActors
    from adapters.settings import TelemetrySettings

ACTOR, WHAT = "sweeps", "the sweep service"
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
    """Calls the sweep actor, which is created where there is none. It is a `Runner` too, of the runs of sweeps.

    Args:
        settings: Of the actor.
        open_history: Opens the way to the history service, in the actor.
    """

    def __init__(self, settings: Settings, open_history: Callable[[Settings], HistoryCalls]) -> None:
        self._settings = settings
        self._open_history = open_history
        self._actors: NamedActors | None = None
        self._handed_out: set[str] = set()
        self._watcher = Watcher(self._statuses, most_followers=settings.sweep.max_followers)

    async def submit(self, context: Context, wire: Mapping[str, Any]) -> dict[str, Any]:
        """As `SweepService.submit`."""
        shown: dict[str, Any] = await self._call(context, "submit", context.principal.tenant, dict(wire))
        return shown

    async def price(self, context: Context, wire: Mapping[str, Any]) -> int:
        """As `SweepService.price`."""
        prices: int = await self._call(context, "price", context.principal.tenant, dict(wire))
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

    async def run(self, run: Run) -> Run | None:
        """As `Runner.run`."""
        from actors.named import UnknownMethod  # noqa: PLC0415

        self._handed_out.add(run.id)
        try:
            ended: Run | None = await self._way.deliver(ACTOR, "work", run)
        except UnknownMethod as error:  # it is of an earlier release
            raise Unavailable(WHAT) from error
        finally:
            self._handed_out.discard(run.id)
        return ended

    def kill(self, run_id: str) -> None:
        """As `Runner.kill`: the whole actor is made anew, and other sweeps go on where they were."""
        if run_id in self._handed_out:
            from actors.named import make_anew  # noqa: PLC0415

            make_anew(ACTOR, self._settings.ray.namespace)

    async def _call(self, context: Context, method: str, *arguments: Any) -> Any:
        from actors.named import NamedActor  # noqa: PLC0415

        return await NamedActor(self._way, ACTOR, timeout_seconds=TIMEOUT_SECONDS).call(
            context, method, *arguments
        )

    @property
    def _way(self) -> NamedActors:
        """The way to the actor; made with the first call, for it takes Ray."""
        if self._actors is None:
            from actors.named import NamedActors  # noqa: PLC0415

            self._actors = NamedActors(self._find, what=WHAT)
        return self._actors

    def _find(self, name: str) -> Any:
        from actors.named import find_or_make  # noqa: PLC0415
        from cluster.secrets import secrets_of  # noqa: PLC0415

        settings = self._settings
        return find_or_make(
            SweepService,
            name,
            partial(open_engine, settings.telemetry, secrets_of(settings)),
            settings,
            partial(self._open_history, settings),
            partial(MongoSweepIndex, settings.mongo),
            namespace=settings.ray.namespace,
            # Those that stop may be there still when others begin.
            max_concurrency=MAX_CONCURRENT_CALLS + 2 * settings.sweep.max_running,
            task_retries=SWEEP_CALL_RETRIES,
        )


def open_engine(
    telemetry: TelemetrySettings, secrets: tuple[str, ...], is_wanted: Callable[[], bool]
) -> Engine:
    """The engine of the sweep actor, which tells the observer of its process."""
    from adapters.metrics.rows import SWEEP  # noqa: PLC0415
    from adapters.telemetry.observers import open_observer  # noqa: PLC0415
    from cluster.sweeps.ray_engine import OnRay  # noqa: PLC0415

    return OnRay(observer=open_observer(telemetry, SWEEP, secrets), is_wanted=is_wanted)


def open_sweeps(settings: Settings, open_history: Callable[[Settings], HistoryCalls]) -> SweepGateway:
    """The way to sweeps from this process; without a folder of their own they are recorded in the instance's."""
    output = settings.sweep.output or str(settings.data.folder.resolve() / "sweeps")
    return SweepGateway(settings.with_changes({"sweep": {"output": output}}), open_history)
