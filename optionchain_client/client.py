"""The client for callers that wait."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self, TypeVar, Unpack

import httpx

from optionchain_client.errors import ApiError
from optionchain_client.parameters import SessionParameters, SimulationParameters
from optionchain_client.retry import Retry
from optionchain_client.routes import ChainRoutes, Routes, SimulationRoutes
from optionchain_client.session import Session, Simulation, Stepped
from optionchain_client.transport import Transport

PAGE_LIMIT = 100
AnyStepped = TypeVar("AnyStepped", bound=Stepped)


class Client:
    """Talks to one OptionChain Simulator.

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
        http: httpx.Client | None = None,
    ) -> None:
        self._http = http or httpx.Client(timeout=timeout_seconds)
        self._is_http_ours = http is None
        self._transport = Transport(base_url, api_key, self._http, retry or Retry())

    @contextmanager
    def session(self, **parameters: Unpack[SessionParameters]) -> Iterator[Session]:
        """A new session, deleted at the end of the ``with`` block, however that comes."""
        with _deleted_at_the_end(self.create_session(**parameters)) as session:
            yield session

    def create_session(self, **parameters: Unpack[SessionParameters]) -> Session:
        """A new session, which stays until it is deleted or expires."""
        view = self._transport.send(ChainRoutes().create(parameters))
        return Session(self._transport, view["id"], view)

    def open_session(self, session_id: str) -> Session:
        """A session that exists; its first answer tells where its cursor is."""
        return Session(self._transport, session_id)

    def sessions(self) -> Iterator[Mapping[str, Any]]:
        """Your active sessions, as the server shows them."""
        return self._listed(ChainRoutes())

    @contextmanager
    def simulation(self, **parameters: Unpack[SimulationParameters]) -> Iterator[Simulation]:
        """A new simulation, deleted at the end of the ``with`` block, however that comes."""
        with _deleted_at_the_end(self.create_simulation(**parameters)) as simulation:
            yield simulation

    def create_simulation(self, **parameters: Unpack[SimulationParameters]) -> Simulation:
        """A new simulation, which stays until it is deleted or expires."""
        return Simulation(self._transport, self._transport.send(SimulationRoutes().create(parameters)))

    def open_simulation(self, simulation_id: str) -> Simulation:
        """A simulation that exists."""
        return Simulation(self._transport, self._transport.send(SimulationRoutes().show(simulation_id)))

    def simulations(self) -> Iterator[Mapping[str, Any]]:
        """Your active simulations, as the server shows them."""
        return self._listed(SimulationRoutes())

    def close(self) -> None:
        """Close the connections that this client opened."""
        if self._is_http_ours:
            self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _listed(self, routes: Routes) -> Iterator[Mapping[str, Any]]:
        page, pages = 1, 1
        while page <= pages:
            answer = self._transport.send(routes.page(page, PAGE_LIMIT))
            yield from answer["data"]
            page, pages = page + 1, answer["pagination"]["pages"]


@contextmanager
def _deleted_at_the_end(stepped: AnyStepped) -> Iterator[AnyStepped]:
    try:
        yield stepped
    except BaseException as error:
        try:
            stepped.delete()
        except ApiError as left:
            # The block's own error is the one to see.
            error.add_note(f"{stepped!r} could not be deleted: {left}")
        raise
    stepped.delete()
