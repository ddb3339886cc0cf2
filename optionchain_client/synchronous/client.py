# Made from asynchronous/client.py by make_synchronous.py: edit that.
"""The client: one service, and everything that it offers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from types import TracebackType
from typing import Self, TypeVar, Unpack

import httpx

from optionchain_client.checks import checked
from optionchain_client.concurrency import shielded
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
from optionchain_client.synchronous.configurations import Configurations
from optionchain_client.synchronous.history import History
from optionchain_client.synchronous.quotas import Quotas
from optionchain_client.synchronous.sessions import Session, Simulation
from optionchain_client.synchronous.stepping import Stepped
from optionchain_client.synchronous.sweeps import SWEEPS, Sweep
from optionchain_client.synchronous.tasks import Tasks
from optionchain_client.synchronous.transport import Transport
from optionchain_client.views import Readiness, SessionView, SimulationView, SweepView

NOT_READY = 503
AnyStepped = TypeVar("AnyStepped", bound=Stepped)


class Client:
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
        http: httpx.Client | None = None,
    ) -> None:
        self._address = Address(base_url, api_key)
        self._http = http or httpx.Client(timeout=timeout_seconds)
        self._is_http_ours = http is None
        self._transport = Transport(self._address, self._http, retry or Retry())
        self.history = History(self._transport)
        self.configurations = Configurations(self._transport)
        self.tasks = Tasks(self._transport)
        self.quotas = Quotas(self._transport)

    @contextmanager
    def session(self, **parameters: Unpack[SessionParameters]) -> Iterator[Session]:
        """A new session, deleted at the end of the ``with`` block, however that comes.

        Raises:
            TypeError: A name is unknown; the nearest known one is named.
        """
        with _deleted_at_the_end(self.create_session(**parameters)) as session:
            yield session

    def create_session(self, **parameters: Unpack[SessionParameters]) -> Session:
        """A new session, which stays until it is deleted or expires.

        Raises:
            TypeError: A name is unknown; the nearest known one is named.
        """
        body = checked(SessionParameters, "a session", parameters)
        view: SessionView = self._transport.send(ChainRoutes().create(body))
        return Session(self._transport, view["id"], view)

    def open_session(self, session_id: str) -> Session:
        """A session that exists; its first answer tells where its cursor is."""
        return Session(self._transport, session_id)

    def sessions(self) -> Iterator[SessionView]:
        """Your active sessions, as the server shows them."""
        return self._transport.pages(ChainRoutes.page)

    @contextmanager
    def simulation(self, **parameters: Unpack[SimulationParameters]) -> Iterator[Simulation]:
        """A new simulation, deleted at the end of the ``with`` block, however that comes.

        Raises:
            TypeError: A name is unknown; the nearest known one is named.
        """
        with _deleted_at_the_end(self.create_simulation(**parameters)) as simulation:
            yield simulation

    def create_simulation(self, **parameters: Unpack[SimulationParameters]) -> Simulation:
        """A new simulation, which stays until it is deleted or expires.

        Raises:
            TypeError: A name is unknown; the nearest known one is named.
        """
        body = checked(SimulationParameters, "a simulation", parameters)
        return Simulation(self._transport, self._transport.send(SimulationRoutes().create(body)))

    @contextmanager
    def recorded(
        self, asset: str, first: str | date, last: str | date, **beside: Unpack[RecordedParameters]
    ) -> Iterator[Simulation]:
        """A new simulation of stored days, deleted at the end of the ``with`` block, however that comes."""
        with _deleted_at_the_end(self.create_recorded(asset, first, last, **beside)) as simulation:
            yield simulation

    def create_recorded(
        self, asset: str, first: str | date, last: str | date, **beside: Unpack[RecordedParameters]
    ) -> Simulation:
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
        return Simulation(self._transport, self._transport.send(SimulationRoutes().create(body)))

    def open_simulation(self, simulation_id: str) -> Simulation:
        """A simulation that exists.

        Raises:
            NotFound: It does not.
        """
        return Simulation(self._transport, self._transport.send(SimulationRoutes().show(simulation_id)))

    def simulations(self) -> Iterator[SimulationView]:
        """Your active simulations, as the server shows them."""
        return self._transport.pages(SimulationRoutes.page)

    def start_sweep(self, **definition: Unpack[SweepDefinition]) -> Sweep:
        """Start a sweep, or find it: the same definition is not computed again, and one that was cancelled goes on.

        Raises:
            TypeError: A name is unknown; the nearest known one is named.
            Unavailable: You have too many sweeps that are not over.
        """
        body = checked(SweepDefinition, "a sweep", definition)
        request = ApiRequest(method="POST", path=SWEEPS, body=body)
        return Sweep(self._transport, self._transport.send(request))

    def open_sweep(self, sweep_id: str) -> Sweep:
        """A sweep that exists.

        Raises:
            NotFound: It does not.
        """
        return Sweep(self._transport, self._transport.send(reading(f"{SWEEPS}/{segment(sweep_id)}")))

    def sweeps(self) -> Iterator[SweepView]:
        """Your sweeps, as the server shows them; those submitted last come first."""
        return self._transport.pages(SWEEPS)

    def ready(self) -> Readiness:
        """Whether everything that the service needs is up."""
        request = ApiRequest(method="GET", path="/ready", expected_status=NOT_READY)
        readiness: Readiness = self._transport.send(request)
        return readiness

    def metrics(self) -> str:
        """The metrics of the whole cluster, as Prometheus reads them."""
        page = self._transport.fetch(reading("/metrics"))
        return page.decode()

    def close(self) -> None:
        """Close the connections that this client opened."""
        if self._is_http_ours:
            self._http.close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self._address)!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


@contextmanager
def _deleted_at_the_end(stepped: AnyStepped) -> Iterator[AnyStepped]:
    try:
        yield stepped
    except BaseException as error:
        try:
            _delete(stepped)
        except ApiError as left:
            # The block's own error is the one to see.
            error.add_note(f"{stepped!r} could not be deleted: {left}")
        raise
    _delete(stepped)


def _delete(stepped: Stepped) -> None:
    with shielded():
        stepped.delete()
