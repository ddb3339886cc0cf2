"""The client: one service, and everything that it offers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from types import TracebackType
from typing import Self, TypeVar, Unpack

import httpx

from optionchain_client.asynchronous.configurations import AsyncConfigurations
from optionchain_client.asynchronous.history import AsyncHistory
from optionchain_client.asynchronous.quotas import AsyncQuotas
from optionchain_client.asynchronous.sessions import AsyncSession, AsyncSimulation
from optionchain_client.asynchronous.stepping import AsyncStepped
from optionchain_client.asynchronous.sweeps import SWEEPS, AsyncSweep
from optionchain_client.asynchronous.tasks import AsyncTasks
from optionchain_client.asynchronous.transport import AsyncTransport
from optionchain_client.checks import checked
from optionchain_client.concurrency import async_shielded
from optionchain_client.errors import ApiError
from optionchain_client.parameters import (
    RecordedParameters,
    SessionParameters,
    SimulationParameters,
    SweepDefinition,
)
from optionchain_client.requests import Address, ApiRequest, reading, segment
from optionchain_client.retry import Retry
from optionchain_client.routes import ChainRoutes, SimulationRoutes
from optionchain_client.views import Readiness, SessionView, SimulationView, SweepView

NOT_READY = 503
AnyStepped = TypeVar("AnyStepped", bound=AsyncStepped)


class AsyncClient:
    """Talks to one OptionChain Simulator.

    Args:
        base_url: Of the service, with its scheme: ``http://127.0.0.1:7070``.
        api_key: Sent with every call.
        timeout_seconds: Patience with one attempt.
        retry: When a failed call is sent again.
        http: An httpx client of yours (proxies, certificates), which stays yours to close.

    Attributes:
        history: The chains and prices of the past.
        configurations: Named configurations and their versions.
        tasks: Work that happens later, and again.
        quotas: What each tenant may take, for administrators.

    Raises:
        ValueError: The address has no scheme or no host, or the key cannot be sent.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str | None = None,
        *,
        timeout_seconds: float = 30.0,
        retry: Retry | None = None,
        http: httpx.AsyncClient | None = None,
    ) -> None:
        self._address = Address(base_url, api_key)
        self._http = http or httpx.AsyncClient(timeout=timeout_seconds)
        self._is_http_ours = http is None
        self._transport = AsyncTransport(self._address, self._http, retry or Retry())
        self.history = AsyncHistory(self._transport)
        self.configurations = AsyncConfigurations(self._transport)
        self.tasks = AsyncTasks(self._transport)
        self.quotas = AsyncQuotas(self._transport)

    @asynccontextmanager
    async def session(self, **parameters: Unpack[SessionParameters]) -> AsyncIterator[AsyncSession]:
        """A new session, deleted at the end of the ``with`` block, however that comes.

        Raises:
            TypeError: A name is unknown; the nearest known one is named.
        """
        async with _deleted_at_the_end(await self.create_session(**parameters)) as session:
            yield session

    async def create_session(self, **parameters: Unpack[SessionParameters]) -> AsyncSession:
        """A new session, which stays until it is deleted or expires.

        Raises:
            TypeError: A name is unknown; the nearest known one is named.
        """
        body = checked(SessionParameters, "a session", parameters)
        view: SessionView = await self._transport.send(ChainRoutes().create(body))
        return AsyncSession(self._transport, view["id"], view)

    def open_session(self, session_id: str) -> AsyncSession:
        """A session that exists; its first answer tells where its cursor is."""
        return AsyncSession(self._transport, session_id)

    def sessions(self) -> AsyncIterator[SessionView]:
        """Your active sessions, as the server shows them."""
        return self._transport.pages(ChainRoutes.page)

    @asynccontextmanager
    async def simulation(self, **parameters: Unpack[SimulationParameters]) -> AsyncIterator[AsyncSimulation]:
        """A new simulation, deleted at the end of the ``with`` block, however that comes.

        Raises:
            TypeError: A name is unknown; the nearest known one is named.
        """
        async with _deleted_at_the_end(await self.create_simulation(**parameters)) as simulation:
            yield simulation

    async def create_simulation(self, **parameters: Unpack[SimulationParameters]) -> AsyncSimulation:
        """A new simulation, which stays until it is deleted or expires.

        Raises:
            TypeError: A name is unknown; the nearest known one is named.
        """
        body = checked(SimulationParameters, "a simulation", parameters)
        return AsyncSimulation(self._transport, await self._transport.send(SimulationRoutes().create(body)))

    @asynccontextmanager
    async def recorded(
        self, asset: str, first: str | date, last: str | date, **beside: Unpack[RecordedParameters]
    ) -> AsyncIterator[AsyncSimulation]:
        """A new simulation of stored days, deleted at the end of the ``with`` block, however that comes."""
        async with _deleted_at_the_end(
            await self.create_recorded(asset, first, last, **beside)
        ) as simulation:
            yield simulation

    async def create_recorded(
        self, asset: str, first: str | date, last: str | date, **beside: Unpack[RecordedParameters]
    ) -> AsyncSimulation:
        """A new simulation of stored days, which stays until it is deleted or expires: their quotes, a day a step.

        Args:
            asset: Of the history.
            first: The first day.
            last: The last day, included; days without a chain are passed over, and listed as `gaps`.
            beside: What the days do not say.

        Raises:
            TypeError: A name is unknown; the nearest known one is named.
            InvalidInput: No chain is stored of these days.
        """
        method = {"Recorded": {"asset": asset, "from": str(first), "to": str(last)}}
        body = {**checked(RecordedParameters, "recorded days", beside), "method": method}
        return AsyncSimulation(self._transport, await self._transport.send(SimulationRoutes().create(body)))

    async def open_simulation(self, simulation_id: str) -> AsyncSimulation:
        """A simulation that exists.

        Raises:
            NotFound: It does not.
        """
        return AsyncSimulation(
            self._transport, await self._transport.send(SimulationRoutes().show(simulation_id))
        )

    def simulations(self) -> AsyncIterator[SimulationView]:
        """Your active simulations, as the server shows them."""
        return self._transport.pages(SimulationRoutes.page)

    async def start_sweep(self, **definition: Unpack[SweepDefinition]) -> AsyncSweep:
        """Start a sweep, or find it: the same definition is not computed again, and one that was cancelled goes on.

        Raises:
            TypeError: A name is unknown; the nearest known one is named.
            Unavailable: You have too many sweeps that are not over.
        """
        body = checked(SweepDefinition, "a sweep", definition)
        request = ApiRequest(method="POST", path=SWEEPS, body=body)
        return AsyncSweep(self._transport, await self._transport.send(request))

    async def open_sweep(self, sweep_id: str) -> AsyncSweep:
        """A sweep that exists.

        Raises:
            NotFound: It does not.
        """
        return AsyncSweep(
            self._transport, await self._transport.send(reading(f"{SWEEPS}/{segment(sweep_id)}"))
        )

    def sweeps(self) -> AsyncIterator[SweepView]:
        """Your sweeps, as the server shows them; those submitted last come first."""
        return self._transport.pages(SWEEPS)

    async def ready(self) -> Readiness:
        """Whether everything that the service needs is up."""
        request = ApiRequest(method="GET", path="/ready", expected_status=NOT_READY)
        readiness: Readiness = await self._transport.send(request)
        return readiness

    async def metrics(self) -> str:
        """The metrics of the whole cluster, as Prometheus reads them."""
        page = await self._transport.fetch(reading("/metrics"))
        return page.decode()

    async def aclose(self) -> None:
        """Close the connections that this client opened."""
        if self._is_http_ours:
            await self._http.aclose()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self._address)!r})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()


@asynccontextmanager
async def _deleted_at_the_end(stepped: AnyStepped) -> AsyncIterator[AnyStepped]:
    try:
        yield stepped
    except BaseException as error:
        try:
            await _delete(stepped)
        except ApiError as left:
            # The block's own error is the one to see.
            error.add_note(f"{stepped!r} could not be deleted: {left}")
        raise
    await _delete(stepped)


async def _delete(stepped: AsyncStepped) -> None:
    with async_shielded():
        await stepped.delete()
