"""Sessions and simulations in the hands of a caller: what each does beyond stepping."""

from __future__ import annotations

import json
from contextlib import aclosing
from typing import Unpack

from optionchain_client.asynchronous.stepping import AsyncStepped
from optionchain_client.asynchronous.transport import AsyncTransport
from optionchain_client.checks import checked
from optionchain_client.concurrency import AsyncStream
from optionchain_client.events import Event
from optionchain_client.parameters import Greeks, SessionChanges, SessionParameters
from optionchain_client.requests import ApiRequest
from optionchain_client.routes import ChainRoutes, SimulationRoutes
from optionchain_client.snapshots import Snapshot, peeked
from optionchain_client.views import SessionView, SimulationView

# A snapshot of the widest chains that a server makes is a few megabytes.
MOST_SNAPSHOT_BYTES = 1 << 26


class AsyncSession(AsyncStepped):
    """A session: one expiration, and parameters that can be changed.

    Attributes:
        view: As the server last showed it: `parameters`, `state`, `total_steps`; None if it never did.
    """

    _routes: ChainRoutes

    def __init__(self, transport: AsyncTransport, session_id: str, view: SessionView | None = None) -> None:
        super().__init__(transport, ChainRoutes(), session_id, None if view is None else view["current_step"])
        self.view = view

    async def change(self, **changes: Unpack[SessionChanges]) -> SessionView:
        """Change some parameters; the cursor goes to 0. Returns the new view.

        Raises:
            TypeError: A name is unknown; the nearest known one is named.
        """
        body = checked(SessionChanges, "a session", changes)
        return self._changed(await self._transport.send(self._routes.change(self.id, body)))

    async def replace(self, **parameters: Unpack[SessionParameters]) -> SessionView:
        """Replace all parameters; the cursor goes to 0. Returns the new view.

        Raises:
            TypeError: A name is unknown; the nearest known one is named.
        """
        body = checked(SessionParameters, "a session", parameters)
        return self._changed(await self._transport.send(self._routes.replace(self.id, body)))

    def _changed(self, view: SessionView) -> SessionView:
        self._cursor.rewind()
        self.view = view
        return view


class AsyncSimulation(AsyncStepped):
    """A simulation: rolling expirations, immutable.

    Attributes:
        view: As the server showed it when it was opened: `parameters`, `state`, `cursor`.
    """

    _routes: SimulationRoutes

    def __init__(self, transport: AsyncTransport, view: SimulationView) -> None:
        super().__init__(transport, SimulationRoutes(), view["id"], view["cursor"]["current_step"])
        self.view = view

    async def stream(
        self, *, from_step: int = 0, interval_seconds: float = 0.0, greeks: Greeks = "none"
    ) -> AsyncStream[Snapshot]:
        """Every snapshot from a step on as the server sends them, whatever the cursor, which stays.

        A connection that breaks is opened again behind the snapshot that came last. Whoever may leave the
        iteration early closes it by `contextlib.aclosing`.

        Args:
            from_step: The first step.
            interval_seconds: Pause between two snapshots; 0 sends them as fast as they are read.
            greeks: Which greeks to ask for beside delta and gamma.
        """
        query = {"from_step": from_step, "interval_seconds": interval_seconds, "greeks": greeks}

        def request_after(step: str | None) -> ApiRequest:
            return self._routes.stream(self.id, query, step)

        events = self._transport.events(request_after, _is_end, most_bytes=MOST_SNAPSHOT_BYTES)
        async with aclosing(events):
            async for event in events:
                if event.name == "snapshot":
                    yield peeked(json.loads(event.data))


def _is_end(event: Event) -> bool:
    return event.name == "end"
