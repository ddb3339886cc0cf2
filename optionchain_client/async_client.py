"""The client for coroutines: `client`, awaited."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, Self, TypeVar, Unpack

import anyio
import httpx

from optionchain_client.async_session import AsyncSession, AsyncSimulation, AsyncStepped
from optionchain_client.errors import ApiError
from optionchain_client.parameters import SessionParameters, SimulationParameters
from optionchain_client.retry import Retry
from optionchain_client.routes import ChainRoutes, Routes, SimulationRoutes
from optionchain_client.transport import AsyncTransport

PAGE_LIMIT = 100
AnyStepped = TypeVar("AnyStepped", bound=AsyncStepped)


class AsyncClient:
    """`Client` for asyncio and trio.

    Args:
        base_url: Of the service, such as ``http://127.0.0.1:7070``.
        api_key: Sent with every call.
        timeout_seconds: Patience with one attempt.
        retry: When a failed call is sent again.
        http: An httpx client of yours (proxies, certificates), which stays yours to close.
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
        self._http = http or httpx.AsyncClient(timeout=timeout_seconds)
        self._is_http_ours = http is None
        self._transport = AsyncTransport(base_url, api_key, self._http, retry or Retry())

    @asynccontextmanager
    async def session(self, **parameters: Unpack[SessionParameters]) -> AsyncIterator[AsyncSession]:
        """A new session, deleted at the end of the ``with`` block, however that comes."""
        async with _deleted_at_the_end(await self.create_session(**parameters)) as session:
            yield session

    async def create_session(self, **parameters: Unpack[SessionParameters]) -> AsyncSession:
        """A new session, which stays until it is deleted or expires."""
        view = await self._transport.send(ChainRoutes().create(parameters))
        return AsyncSession(self._transport, view["id"], view)

    def open_session(self, session_id: str) -> AsyncSession:
        """A session that exists; its first answer tells where its cursor is."""
        return AsyncSession(self._transport, session_id)

    def sessions(self) -> AsyncIterator[Mapping[str, Any]]:
        """Your active sessions, as the server shows them."""
        return self._listed(ChainRoutes())

    @asynccontextmanager
    async def simulation(self, **parameters: Unpack[SimulationParameters]) -> AsyncIterator[AsyncSimulation]:
        """A new simulation, deleted at the end of the ``with`` block, however that comes."""
        async with _deleted_at_the_end(await self.create_simulation(**parameters)) as simulation:
            yield simulation

    async def create_simulation(self, **parameters: Unpack[SimulationParameters]) -> AsyncSimulation:
        """A new simulation, which stays until it is deleted or expires."""
        return AsyncSimulation(
            self._transport, await self._transport.send(SimulationRoutes().create(parameters))
        )

    async def open_simulation(self, simulation_id: str) -> AsyncSimulation:
        """A simulation that exists."""
        return AsyncSimulation(
            self._transport, await self._transport.send(SimulationRoutes().show(simulation_id))
        )

    def simulations(self) -> AsyncIterator[Mapping[str, Any]]:
        """Your active simulations, as the server shows them."""
        return self._listed(SimulationRoutes())

    async def aclose(self) -> None:
        """Close the connections that this client opened."""
        if self._is_http_ours:
            await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def _listed(self, routes: Routes) -> AsyncIterator[Mapping[str, Any]]:
        page, pages = 1, 1
        while page <= pages:
            answer = await self._transport.send(routes.page(page, PAGE_LIMIT))
            for view in answer["data"]:
                yield view
            page, pages = page + 1, answer["pagination"]["pages"]


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
    # A cancelled scope would cancel the deletion as well.
    with anyio.CancelScope(shield=True):
        await stepped.delete()
